/*
 * stream: a response that is written as it comes. A thread serves it from beginning to end, so a program with streams
 * has as many threads as streams, and takes one request at a time (serve_options.together).
 */
#ifndef TOLLGATE_STREAM_H
#define TOLLGATE_STREAM_H

#include "http.h"

enum {
	STREAM_WAITS	= 64 * 1024,	/* bytes that the kernel keeps for a peer that does not read */
	STREAM_STALL_MS	= 10000,	/* a peer that reads nothing for this long counts as gone */
	STREAM_DRAIN_MS	= 500		/* the same once the server must stop */
};

struct stream;

/*
 * Sends the status and the headers that r has by now; a later one is lost. From then on the body is what stream_put()
 * sends. ERR_CLOSED: the client is gone. ERR_INTERNAL: r has no status or an invalid header, and nothing was sent, so
 * that it can be answered otherwise.
 */
enum err stream_begin(struct http_res *r, struct stream **out) MUST_CHECK;

/*
 * Sends bytes at once, and waits while the peer does not read. ERR_CLOSED: the client is gone, or has read nothing for
 * STREAM_STALL_MS; so is every later call. In answer to HEAD nothing is sent.
 */
enum err stream_put(struct stream *s, const char *bytes, size_t n) MUST_CHECK;

/*
 * Ends the answer: the client has it whole, though the handler goes on. Without this it ends when the handler returns.
 * Later calls of stream_put() are ERR_CLOSED, and stream_gone() no longer asks whether the client has hung up, which it
 * now may.
 */
void stream_end(struct stream *s);

/* The rest is for any request, whether its stream has begun or never does. */

/*
 * A descriptor to wait for beside others: readable from when the client has hung up, or the server must stop. One for
 * the request, closed at its end. -1: none is left; then ask from time to time.
 */
int stream_fd(const struct http_res *r);

/*
 * Whether the client has hung up. From then on nothing is written: the handler returns ERR_CLOSED, or OK, and the log
 * line has the status 499.
 */
bool stream_gone(struct http_res *r);

/* Whether its stream has begun, so that no other answer can be given. */
bool stream_begun(const struct http_res *r);

/* Whether the server must stop: what is open has serve_options.drain_ms to come to its end. */
bool stream_draining(const struct http_res *r);

#endif
