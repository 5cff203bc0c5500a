/*
 * sync: makes dirty objects clean. One piece of work: claim an object under a lease, fetch it from Stripe as it is now,
 * write it down in one call. Whoever dies in the middle is replaced when the lease runs out.
 */
#ifndef TOLLGATE_SYNC_H
#define TOLLGATE_SYNC_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

enum { SYNC_CALLS = 2 };	/* to Stripe for one object: itself, and what a list within it does not show */

struct sync_terms {
	int	lease_seconds;	/* after which another may take over */
	int	settle_ms;	/* until the same object is looked at again, however often it is marked meanwhile */
};

/*
 * *found: whether anything was due. OK also when Stripe failed: that is noted at the object, which comes up again
 * later. Otherwise it is the database that could not be asked.
 */
enum err sync_one(struct db_service *me, mem_ctx *mem, struct stripe *s, struct sync_terms terms, bool *found) MUST_CHECK;

#endif
