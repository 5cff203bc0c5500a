/*
 * refusal: which calls Stripe refuses to our key: all (401: the key is revoked or has expired), or some kinds (403: a
 * restricted key lacks a right). A refused kind, say "GET /v1/charges", is suspended for 10 s; then one call is let
 * through each 10 s until one is permitted. Other kinds go on. Pure: the caller gives the time and holds the lock.
 */
#ifndef TOLLGATE_REFUSAL_H
#define TOLLGATE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

enum { REFUSALS = 16, REFUSAL_NAME = 48, REFUSAL_PAUSE_MS = 10000 };

struct refusals {
	bool	all;
	struct refusal {
		char	what[REFUSAL_NAME];	/* "": free */
		int64_t	until;			/* ms */
	} list[REFUSALS];
};

/* The kind of a call, "POST /v1/checkout/sessions": its path without ids. */
const char *refusal_kind(mem_ctx *mem, const char *method, const char *path);

/* Whether a call of this kind may be made now. A refused kind is allowed once each pause: that call is the probe. */
bool refusal_allows(struct refusals *r, const char *method, const char *path, int64_t now);

/* Records the HTTP status of any call, 0 for no answer. True: it changes whether Stripe knows the key. */
bool refusal_note_key(struct refusals *r, int status);

/* Records the status of a call of this kind. True: it changes whether the kind is refused. */
bool refusal_note(struct refusals *r, const char *method, const char *path, int status, int64_t now);

#endif
