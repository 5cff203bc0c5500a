/* sse: server-sent events, read from a stream that comes in pieces of any size. */
#ifndef TOLLGATE_SSE_H
#define TOLLGATE_SSE_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

enum { SSE_MAX_EVENT = 256 * 1024 };

struct sse_event {
	const char	*name;	/* the field "event"; "" when there was none */
	const char	*data;	/* the lines of "data", joined by a line feed; NUL after the end */
	size_t		len;
};

struct sse;

struct sse *sse_new(mem_ctx *mem);

/*
 * Takes n more bytes. A line ends with LF, CR LF or CR; comments and other fields are skipped, and so is an event
 * without data. ERR_TOO_LARGE, now and from then on: an event, or a line, is over SSE_MAX_EVENT. Events before it can
 * still be read.
 */
enum err sse_put(struct sse *s, const char *bytes, size_t n) MUST_CHECK;

/* No more bytes come: the last event needs no empty line, and the last line no end. */
void sse_end(struct sse *s);

/* The next whole event; false when there is none yet. Borrowed until the next call. */
bool sse_read(struct sse *s, struct sse_event *e);

#endif
