/* sync: fetches the objects that events have marked, and reconciles what events have missed. */
#include "hint.h"
#include "jobs.h"
#include "reconcile.h"
#include "sync.h"

/* While Stripe is considered down no object is claimed, so that an outage does not use up an object's tries. */
enum err
sync_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;
	int		longest_ms = SYNC_CALLS * (2 * j->config->stripe.timeout_ms + STRIPE_SLACK_MS);

	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	return sync_one(db_as_service(mem, j->db), mem, j->stripe,
	    (struct sync_terms){ longest_ms / 1000 + LEASE_SLACK, j->config->jobs.settle_ms }, found);
}

static void
hinted(void *arg)
{
	struct jobs	*j = arg;

	thread_pool_wake(j->threads, sync_task);
}

/* Without hints the tasks still run at their intervals, so the only error is a database that cannot be reached. */
enum err
listen_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)mem;
	*found = hint_listen(j->db, HINT_OBJECTS, thread_pool_stop_fd(j->threads), hinted, j) == OK;
	return db_ping(j->db);
}

enum err
reconcile_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct reconcile	r = { .db = j->db, .stripe = j->stripe };

	(void)mem;
	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	return reconcile_due(&r, j->config->jobs.gap_seconds, j->config->jobs.reconcile_hour, found);
}
