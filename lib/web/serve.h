/*
 * serve: the FastCGI server. It accepts connections itself and reads each request whole (record), so that libfcgi only
 * parses checked input. One request for each connection, several threads, drains on SIGTERM.
 */
#ifndef TOLLGATE_SERVE_H
#define TOLLGATE_SERVE_H

#include "http.h"

enum { SERVE_TOGETHER = 16 };	/* more would leave other threads idle */

struct serve_options {
	int	listen_fd;	/* from serve_inherited() or serve_listen() */
	int	threads;
	int	together;	/* waiting requests that a thread takes at once; at most SERVE_TOGETHER */
	int	drain_ms;	/* after SIGTERM, requests in flight get this long, then _exit(0) */
};

/* The listening socket handed over on fd 0 (mod_fcgid, spawn-fcgi, systemd), or -1 when fd 0 is not one. */
int serve_inherited(void);

/*
 * "PATH" (AF_UNIX, mode 0660, refuses to start beside a living instance by flock on PATH.lock, replaces a stale socket)
 * or "HOST:PORT". -1 with the reason printed on stderr.
 */
int serve_listen(const char *where);

/*
 * serve() calls handle until SIGTERM, SIGINT or SIGUSR1, then finishes the requests in flight and returns. handle fills
 * each response; one left at status 0 becomes a 500. handle gets the n requests that are ready; serve() never waits for
 * more of them. A request that cannot be read is answered through refuse (400, 404, 431, 501), so that its page looks
 * like the application's own errors. Each request gets one log line: method, route, status, milliseconds.
 */
struct serve_calls {
	void	(*handle)(void *app, struct http_exchange *all, size_t n);
	void	(*refuse)(void *app, struct http_req *q, struct http_res *r, enum err why);
	void	(*after)(void *app);		/* after the responses of a batch are sent */
	void	*app;
};

enum err serve(const struct serve_options *options, const struct serve_calls *calls) MUST_CHECK;

#endif
