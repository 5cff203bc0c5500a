/*
 * inbox: reads what identifies an event, and which object it makes dirty. An event is only a hint to fetch its object
 * as it is now, so any API version will do as long as the id can be found.
 */
#ifndef TOLLGATE_INBOX_H
#define TOLLGATE_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "service.h"

enum { INBOX_MAX_ID = 255 };

struct inbox_event {
	const char	*id;
	const char	*type;
	const char	*api_version;	/* NULL when the event names none */
	const char	*account;	/* a connected Stripe account; NULL: the endpoint's own */
	int64_t		created;	/* Unix seconds */
	bool		livemode;
	bool		thin;		/* without its object: an event destination's */
	const char	*kind;		/* "checkout", "customer", "subscription"; NULL: stored and ignored */
	const char	*object;	/* its id; NULL if kind is NULL */
};

/*
 * The event types that our webhook endpoint subscribes to, by full name as Stripe requires: those that report a change
 * no other type reports. NULL at the end. An endpoint that subscribes to all delivers more, and inbox_read understands
 * more.
 */
extern const char *const inbox_asked[];

bool inbox_asks(const char *type);

/*
 * Reads a body whose signature was valid. ERR_BAD_REQUEST when it is not JSON or has no event id. Ignored: a thin event
 * of a type whose events are whole, and the reverse; a member given twice; broken UTF-8; types without a row in the
 * table ("" for one that is not text, or too long); no usable id of the object.
 */
enum err inbox_read(mem_ctx *mem, const char *body, size_t n, struct inbox_event *out) MUST_CHECK;

#endif
