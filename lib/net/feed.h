/*
 * feed: an exchange whose answer is read as it comes, by the rules of https.h: verified TLS, no proxy, no redirect
 * followed (its status is then a 3xx), no address that is not public. HTTP/1.1, since one connection serves one feed. A
 * server may be silent for as long as the exchange may take; the caller knows what is too long.
 */
#ifndef TOLLGATE_FEED_H
#define TOLLGATE_FEED_H

#include "https.h"

enum { FEED_WAITS = 64 * 1024 };

struct feed;

enum feed_state {
	FEED_WAITING,	/* for the status and the headers */
	FEED_OPEN,	/* they are there, and more of the body may come */
	FEED_ENDED,	/* all of the answer has come; some of it may still have to be taken */
	FEED_FAILED	/* it was cut short, or there was none: feed_why() */
};

/*
 * Begins the exchange; it goes on within feed_wait(). q's strings must live as long as mem. q->timeout_ms is for the
 * whole exchange; q->max_body does not count: the caller cuts an answer that does not end. named: the headers to keep,
 * NULL at the end. The feed hangs on mem.
 */
struct feed *feed_open(struct https *h, mem_ctx *mem, const struct https_request *q, const char *const *named);

/*
 * Waits until there are bytes to take, the state has changed, other_fd (or -1) is readable or hung up, https_stop() was
 * called, or ms have passed. At once when bytes wait already, or nothing more can come. Returns whether other_fd is
 * readable or hung up.
 */
bool feed_wait(struct feed *f, int other_fd, int ms);

enum feed_state feed_state(const struct feed *f);

/* The HTTP status; 0 while it waits for it. */
int feed_status(const struct feed *f);

/* The value of one of the named headers, at most 200 bytes of it; NULL when it did not come. */
const char *feed_header(const struct feed *f, const char *name);

/* FEED_FAILED: the reason, in words of ours or of libcurl's, not the peer's. Else NULL. */
const char *feed_why(const struct feed *f);

/*
 * What has come of the body since the last call: its length, and where it is, borrowed until the next feed_wait() or
 * feed_close(). While FEED_WAITS bytes wait, no more is read from the peer.
 */
size_t feed_take(struct feed *f, const char **bytes);

/*
 * Ends the exchange, if it has not ended, by closing the connection. The end of mem does it too. Afterwards only the
 * state, the status and the headers can be asked for.
 */
void feed_close(struct feed *f);

#endif
