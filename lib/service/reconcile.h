/*
 * reconcile: finds what webhooks have missed. Stripe's events are listed into the inbox, as if they had been delivered;
 * subscriptions are compared with ours field by field, and what differs is marked dirty, so that sync.h repairs it. Each
 * list is a pass with a cursor in the database: one process at a time, and another goes on where one has died.
 */
#ifndef TOLLGATE_RECONCILE_H
#define TOLLGATE_RECONCILE_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

struct reconcile {
	struct db	*db;
	struct stripe	*stripe;
	bool		dry_run;	/* say what would be found; write nothing, not even the cursor */
	void		*arg;		/* of both calls, either of which may be NULL */

	/* After each page: the pass ("events", "undelivered", "subscriptions", ...), objects seen in it, id of the last. */
	void	(*progress)(void *arg, const char *pass, long done, const char *at);

	/*
	 * For each event that was missed and each subscription that differs:
	 * {"kind": "event", "id", "type"} or
	 * {"kind": "subscription", "id", "tenant": uuid or null, "fields": {"status": [ours, Stripe's], ...}}
	 */
	void	(*found)(void *arg, struct json_object *difference);
};

struct reconcile_result {
	long	events;		/* seen */
	long	missed;		/* of them, unknown to the inbox until now */
	long	compared;	/* subscriptions */
	long	drifted;	/* of them, not as Stripe has them */
	long	listed;		/* other objects, looked through because events do not reach back far enough */
};

/*
 * All passes, now, or the rest of those that were interrupted. ERR_CONFLICT: another process is at one of them.
 * ERR_UNAVAILABLE: Stripe or the database; asked again, it goes on where it was.
 */
enum err reconcile_now(const struct reconcile *r, struct reconcile_result *out) MUST_CHECK;

/*
 * The passes that are due: events each gap_seconds, undelivered ones each hour (or as seldom), subscriptions each day at
 * the hour (UTC).
 * *found: one was. For jobs. An error is the database's; one of Stripe's is logged, and the pass goes on later.
 */
enum err reconcile_due(const struct reconcile *r, int gap_seconds, int hour, bool *found) MUST_CHECK;

#endif
