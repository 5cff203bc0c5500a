/*
 * intake: the combined commit. Events that arrived together are stored by one statement and one commit. Each gets its
 * own result, and only once it is durable.
 */
#ifndef TOLLGATE_INTAKE_H
#define TOLLGATE_INTAKE_H

#include "inbox.h"

enum { INTAKE_EVENTS = 64, INTAKE_BYTES = 4 * 1024 * 1024 };	/* of one statement; a larger event goes alone */

/* The request that delivered an event. */
struct receipt {
	const char		*body;
	size_t			n;
	const char		*signature;
	const char		*key;		/* the id of the secret that signed, signature_key_id() */
	struct json_object	*headers;	/* what else of the request is stored, or NULL */
	bool			unpinned;	/* the event's API version is not stripe.version */
	bool			thin;		/* signed by a secret of the event destination */
};

struct intake {
	struct inbox_event	event;
	struct receipt		receipt;
	enum err		err;		/* OK: this event is durable */
	bool			duplicate;	/* it was certainly stored before; nothing changed */
};

/*
 * Stores the exact bytes of each event and marks their objects dirty. When the database refuses several together, each
 * is stored alone, so that no event fails because of another.
 */
void intake_store(struct db *db, struct intake *all, size_t n);

#endif
