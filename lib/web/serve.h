/*
 * serve: FastCGI in and out. Accepts itself and takes each request whole off its socket (record), so that libfcgi only
 * parses what is known to be sound; one request for each connection, threads side by side, drains on SIGTERM.
 */
#ifndef TOLLGATE_SERVE_H
#define TOLLGATE_SERVE_H

#include "http.h"

enum { SERVE_TOGETHER = 16 };	/* more would leave another thread with nothing to do */

struct serve_options {
	int	listen_fd;	/* from serve_inherited() or serve_listen() */
	int	threads;
	int	together;	/* requests that a thread takes at once, of those that wait; at most SERVE_TOGETHER */
	int	drain_ms;	/* after SIGTERM, requests in flight get this long, then _exit(0) */
};

/* The listening socket handed over on fd 0 (mod_fcgid, spawn-fcgi, systemd), or -1 when fd 0 is none. */
int serve_inherited(void);

/*
 * "PATH" (AF_UNIX, mode 0660, refuses to start beside a living instance by flock on PATH.lock, replaces a stale socket)
 * or "HOST:PORT". -1 with the reason printed on stderr.
 */
int serve_listen(const char *where);

/*
 * Calls handle for requests until SIGTERM, SIGINT or SIGUSR1; then finishes what is in flight. handle fills the answer of
 * each; what it leaves at status 0 becomes a bare 500. Nobody waits for company: a request that comes alone is handed over
 * alone. Requests that cannot be read are answered here (400, 405, 413, 431) through refuse, so that they look as the
 * application's own errors do. After each request one log line: method, route, status, milliseconds. Returns when drained.
 */
struct serve_calls {
	void	(*handle)(void *app, struct http_exchange *all, size_t n);
	void	(*refuse)(void *app, struct http_req *q, struct http_res *r, enum err why);
	void	(*after)(void *app);		/* once answers are out */
	void	*app;
};

enum err serve(const struct serve_options *options, const struct serve_calls *calls) MUST_CHECK;

#endif
