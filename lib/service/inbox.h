/*
 * inbox: what an event says has happened, and which object it therefore makes dirty. An event is only a hint: its
 * object is fetched again before anything is believed, so any API version will do as long as the id can be found.
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
	const char	*account;	/* NULL: the one whose endpoint it is */
	int64_t		created;	/* Unix seconds */
	bool		livemode;
	const char	*kind;		/* "checkout", "customer", "subscription"; NULL: kept and parked */
	const char	*object;	/* its id; NULL with kind */
};

/*
 * The types that Stripe is asked to tell: those that say something no other says, each by its name, as Stripe wants it;
 * NULL at the end. More may come, of an endpoint that asks for all, and inbox_read understands more.
 */
extern const char *const inbox_asked[];

bool inbox_asks(const char *type);

/*
 * Reads a body whose signature was right. ERR_BAD_REQUEST when it is no JSON or has no event id. Parked: thin events,
 * a member given twice, broken UTF-8, types without a row in the table ("" for one that is no text, or too long), no
 * usable id.
 */
enum err inbox_read(mem_ctx *mem, const char *body, size_t n, struct inbox_event *out) MUST_CHECK;

#endif
