/*
 * intake: the combined commit. Events that came in together are stored by one statement and one commit; each is answered
 * for itself, and only once it is durable.
 */
#ifndef TOLLGATE_INTAKE_H
#define TOLLGATE_INTAKE_H

#include "inbox.h"

enum { INTAKE_EVENTS = 64, INTAKE_BYTES = 4 * 1024 * 1024 };	/* of one statement; always one event, however large */

/* How an event came. */
struct receipt {
	const char		*body;
	size_t			n;
	const char		*signature;
	const char		*key;		/* the id of the secret that signed, signature_key_id() */
	struct json_object	*headers;	/* what else is kept of the request, or NULL */
	bool			unpinned;	/* of an endpoint that does not speak our version */
};

struct intake {
	struct inbox_event	event;
	struct receipt		receipt;
	enum err		err;		/* OK: this very event is durable */
	bool			duplicate;	/* it was known; nothing has changed */
};

/*
 * Stores the exact bytes of each and marks their objects dirty. When what is stored together is refused, each is stored
 * alone: an event fails for its own sake only.
 */
void intake_store(struct db *db, struct intake *all, size_t n);

#endif
