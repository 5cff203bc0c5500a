/*
 * http: a request as read from FastCGI and a response as it will be written. web knows no SQL, no Stripe, no pages.
 */
#ifndef TOLLGATE_HTTP_H
#define TOLLGATE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "form.h"
#include "mem.h"

enum {
	HTTP_MAX_PARAMS		= 256,
	HTTP_MAX_HEADER_BYTES	= 65536,
	HTTP_MAX_RESPONSE_HEAD	= 3584
};

struct http_param {
	const char	*name;
	const char	*value;
};

struct http_req {
	mem_ctx			*mem;		/* this request's memory */
	const char		*method;	/* "GET" and the like, from the list in request.c; "-": not read */
	const char		*path;		/* REQUEST_URI's path, percent-decoded once, valid UTF-8, starts with '/' */
	const char		*authority;	/* "host:port" of a target in absolute form, which counts instead of Host; or NULL */
	const char		*query;		/* REQUEST_URI's, as it was sent; "" without one: http_query() */
	const char		*remote_addr;	/* an IP address, the web server's word; X-Forwarded-* are ignored */
	const char		*id;		/* our request id, 22 characters */
	const struct http_param	*params;	/* as FastCGI gave them */
	size_t			n_params;
	const char		*body;		/* the exact bytes, NUL after the end; NULL before http_read_body() */
	size_t			body_len;
	void			*stream;	/* struct record; for lib/web only */
};

/* A CGI parameter such as "HTTP_ACCEPT"; NULL when absent. *twice (may be NULL) says it was given more than once. */
const char *http_param(const struct http_req *q, const char *name, bool *twice);

/*
 * The address's parameter of that name, decoded; NULL when absent. ERR_BAD_REQUEST: it is given twice, or malformed.
 * What else the address has never matters: links get parameters of others' on their way.
 */
enum err http_query(const struct http_req *q, const char *name, const char **value) MUST_CHECK;

/*
 * The one cookie of that name; NULL when absent or given twice (then *ambiguous, if not NULL, is true). Only ';'
 * separates cookies: a sibling domain may set a cookie whose value holds a comma and our name. Other cookies never
 * matter.
 */
const char *http_cookie(const struct http_req *q, const char *name, bool *ambiguous);

/*
 * Sets q->body. ERR_TOO_LARGE over limit, and always over 1 MiB; ERR_BAD_REQUEST when the bytes are not what
 * CONTENT_LENGTH says. A request that was cut short or aborted reaches no handler at all.
 */
enum err http_read_body(struct http_req *q, size_t limit) MUST_CHECK;

/* Whether the Content-Type's media type (parameters: at most charset=utf-8) is this one; one header only. */
bool http_content_is(const struct http_req *q, const char *media_type);

/* Whether Accept prefers application/json over text/html. */
bool http_wants_json(const struct http_req *q);

/* The one of n languages that Accept-Language prefers; the first that it does not exclude by default. */
const char *http_language(const struct http_req *q, const char *const *languages, size_t n);

struct http_res {
	mem_ctx		*mem;
	int		status;		/* 0 until set */
	struct buf	head;		/* header lines, CRLF each */
	struct buf	body;
	bool		invalid;	/* a header was refused: the response becomes a 500 */
	const char	*route;		/* pattern, for the log line */
	struct stream	*stream;	/* stream.h: a body that is sent as it comes */
};

/* A request and its answer. */
struct http_exchange {
	struct http_req	*q;
	struct http_res	*r;
};

/* Adds one header. A byte below 0x20, a byte 0x7f or a head over HTTP_MAX_RESPONSE_HEAD makes the response a 500. */
void http_header(struct http_res *r, const char *name, const char *value);

/* Set-Cookie with Path=/; Secure; HttpOnly; SameSite=Lax. max_age in seconds; 0 clears it; -1 for a session cookie. */
void http_set_cookie(struct http_res *r, const char *name, const char *value, long max_age);

/* 303 to a URL we built. Always with an explicit status. Returns OK, so that a handler can end with it. */
enum err http_redirect(struct http_res *r, const char *url);

/* Sets the status, the Content-Type and the whole body. */
void http_body(struct http_res *r, int status, const char *content_type, const char *bytes, size_t n);

#endif
