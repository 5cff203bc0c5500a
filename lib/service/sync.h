/*
 * sync: makes dirty objects clean. One task: claim an object under a lease, fetch it from Stripe as it is now, store it
 * in one call. If the process dies meanwhile, another one takes over when the lease runs out.
 */
#ifndef TOLLGATE_SYNC_H
#define TOLLGATE_SYNC_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

enum { SYNC_CALLS = 2 };	/* the lease is as long as these: the object itself, and a page of a truncated list in it */

struct sync_terms {
	int	lease_seconds;	/* after which another process may take over */
	int	settle_ms;	/* least time between two claims of an object that is marked meanwhile */
};

/*
 * *found: whether an object was due. OK also when Stripe failed: the failure is stored with the object, which is tried
 * again later. An error is the database's.
 */
enum err sync_one(struct db_service *me, mem_ctx *mem, struct stripe *s, struct sync_terms terms, bool *found)
    MUST_CHECK;

#endif
