/*
 * refusal: what Stripe refuses our key: everything (401: it is revoked or has expired), or the calls of some kinds (403: a
 * restricted key that lacks a right). One of these, say "GET /v1/charges", is left alone for 10 s, then one call is let
 * through each 10 s until one is permitted, while all the others go on. Pure: the caller gives the time and holds the lock.
 */
#ifndef TOLLGATE_REFUSAL_H
#define TOLLGATE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

enum { REFUSALS = 16, REFUSAL_NAME = 48, REFUSAL_PAUSE_MS = 10000 };

struct refusals {
	bool	all;
	struct refusal {
		char	what[REFUSAL_NAME];	/* "": free */
		int64_t	until;			/* ms */
	} list[REFUSALS];
};

/* Whether such a call may be made now. One that has been refused is allowed once each pause: that call is the probe. */
bool refusal_allows(struct refusals *r, const char *method, const char *path, int64_t now);

/* What the key was told, whatever it asked for: an HTTP status, 0 for no answer. True: that is news. */
bool refusal_note_key(struct refusals *r, int status);

/* What a call of this kind was told. True: that is news. */
bool refusal_note(struct refusals *r, const char *method, const char *path, int status, int64_t now);

#endif
