/*
 * reconcile: finds what webhooks missed. Events that Stripe lists and the inbox lacks are stored as if delivered.
 * Subscriptions are compared with ours field by field, and those that differ are marked dirty, so that sync.h repairs
 * them. Each list is a pass with a cursor in the database: one process at a time runs it, and after a crash another
 * resumes it.
 */
#ifndef TOLLGATE_RECONCILE_H
#define TOLLGATE_RECONCILE_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

struct reconcile {
	struct db	*db;
	struct stripe	*stripe;
	bool		dry_run;	/* reports what would be found; writes nothing, not even the cursor */
	void		*arg;		/* for both callbacks, either of which may be NULL */

	/* After each page: the pass ("events", "subscriptions", ...), objects seen in it so far, id of the last. */
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
	long	missed;		/* of these, unknown to the inbox until now */
	long	compared;	/* subscriptions */
	long	drifted;	/* of these, different from Stripe's */
	long	listed;		/* other objects, read because events do not reach back far enough */
};

/*
 * Runs all passes now, or the rest of interrupted ones. ERR_CONFLICT: another process runs one of them, or has failed
 * in one less than half a minute ago.
 * ERR_UNAVAILABLE: Stripe or the database; another call resumes.
 */
enum err reconcile_now(const struct reconcile *r, struct reconcile_result *out) MUST_CHECK;

/*
 * Runs the passes that are due: events each gap_seconds, undelivered ones each hour (or gap_seconds, if longer),
 * subscriptions each day at the hour (UTC). *found: one was due and succeeded. An error is the database's. A pass that
 * fails once begun is only logged, and resumed later.
 */
enum err reconcile_due(const struct reconcile *r, int gap_seconds, int hour, bool *found) MUST_CHECK;

#endif
