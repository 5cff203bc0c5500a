/*
 * parts: an answer as useChat reads it, the UI message stream of the AI SDK 5, 6 and 7: an event a part. It begins with
 * the first text or the first sign of life, whichever is first, so that what fails before is a status.
 */
#ifndef TOLLGATE_PARTS_H
#define TOLLGATE_PARTS_H

#include "stream.h"
#include "visit.h"

struct parts {
	struct visit	*v;
	const char	*id;		/* of the message */
	struct stream	*stream;	/* NULL: it has not begun */
	struct buf	event;
	bool		texted;		/* text has begun, and has not ended */
	int64_t		spoke;		/* when something was last sent */
};

void parts_init(struct parts *p, struct visit *v, const char *id);

/* Text of the answer. ERR_CLOSED: the client is gone. */
enum err parts_text(struct parts *p, const char *utf8, size_t n) MUST_CHECK;

/* A comment, which no client shows. */
enum err parts_ping(struct parts *p) MUST_CHECK;

/* The end of a whole answer. reason: "stop", "length", "content-filter", "tool-calls" or "other". */
enum err parts_finish(struct parts *p, const char *reason, struct json_object *metadata) MUST_CHECK;

/* The end of one that has failed. */
enum err parts_error(struct parts *p, struct json_object *refusal) MUST_CHECK;

/* Nothing follows, though the handler goes on. */
void parts_end(struct parts *p);

#endif
