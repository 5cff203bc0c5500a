/* streaming: what connection.c does with one. Inside lib/web only. */
#ifndef TOLLGATE_STREAMING_H
#define TOLLGATE_STREAMING_H

#include <stdint.h>

#include "stream.h"

/*
 * For a request of this FastCGI id, on mem; fd stays the connection's. stop: a descriptor that is readable once the
 * server must stop. is_head: no body is sent.
 */
struct stream *stream_new(mem_ctx *mem, int fd, int stop, unsigned id, bool is_head);

/* Whether the client is known to be gone, so that nothing may be written. */
bool stream_is_gone(const struct stream *s);

/* Bytes of the body that were sent; -1: it has not begun. */
int64_t stream_sent(const struct stream *s);

#endif
