/*
 * https: one exchange with an HTTP server over a small pool of curl handles. TLS is always verified; proxies
 * and the environment are ignored, redirects not followed. A name that resolves to this machine or a private network is
 * not connected to. Independent of Stripe.
 */
#ifndef TOLLGATE_HTTPS_H
#define TOLLGATE_HTTPS_H

#include <stdbool.h>

#include "mem.h"

struct https;

enum { HTTPS_MAX_BODY = 1024 * 1024, HTTPS_CONNECT_MS = 3000 };

struct https_request {
	const char		*method;
	const char		*url;
	const char		*body;		/* NULL: none */
	const char *const	*headers;	/* "Name: value", NULL at the end */
	int			timeout_ms;	/* for the whole exchange */
	bool			public_only;	/* only where https_open() without local would connect to */
	int			connect_ms;	/* of it, for the connection; 0: HTTPS_CONNECT_MS */
	size_t			max_body;	/* of the answer; 0: HTTPS_MAX_BODY */
};

struct https_answer {
	int		status;		/* 0: no complete answer; why is the reason */
	const char	*why;
	bool		too_large;	/* over max_body */
	size_t		max_body;
	struct buf	body;
};

/*
 * local: the server is a test's, on this machine: http:// is allowed too, and an address that is not public. Hangs on
 * ctx; used by all threads.
 */
struct https *https_open(mem_ctx *ctx, bool local);

/*
 * Fills *a, on mem. named: the headers to return, NULL at the end; their values (or NULL) go to values, in the same
 * order.
 */
void https_exchange(struct https *h, mem_ctx *mem, const struct https_request *q, struct https_answer *a,
    const char *const *named, const char **values);

/* From any thread: exchanges and pauses end within a second, and later ones fail at once. */
void https_stop(struct https *h);

/* Sleeps for ms; false when https_stop() ended it. */
bool https_pause(struct https *h, int ms);

#endif
