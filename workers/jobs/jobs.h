/* jobs: what the tasks of this program share. Each is a thread_pool_task over a struct jobs. */
#ifndef TOLLGATE_JOBS_H
#define TOLLGATE_JOBS_H

#include <stdatomic.h>

#include "app.h"
#include "db.h"
#include "service.h"
#include "stripe.h"
#include "thread_pool.h"

enum { LEASE_SLACK = 10 };	/* seconds of a lease beyond the longest call to Stripe */

/*
 * What is known of the Stripe account of our key. UNKNOWN: Stripe did not answer; retention goes on all the same. The
 * state only advances.
 */
enum account { ACCOUNT_UNASKED, ACCOUNT_UNKNOWN, ACCOUNT_OURS };

struct jobs {
	const struct config	*config;
	struct db		*db;
	struct stripe		*stripe;
	struct thread_pool	*threads;
	atomic_int		account;	/* of enum account */
	atomic_int		code;		/* exit status */
	bool			key_is_well;	/* the last report to the database: Stripe refuses nothing */
	bool			health_is_told;	/* the database was told how Stripe is: as below */
	struct stripe_health	health;
};

/* Waits until the state of the Stripe account is at least `least`. False: the process is to stop. */
bool account_await(struct jobs *j, enum account least);

thread_pool_task key_task, sync_task, listen_task, reconcile_task, retention_task, transactions_task, expire_task,
    metering_task, compare_task, models_task;

/*
 * What Stripe's summaries say a customer used of a meter, by its event_name, from until before end, in Unix seconds of
 * whole minutes. 0 where Stripe has no such meter. They lag behind by minutes.
 */
enum err summary_get(struct jobs *j, mem_ctx *mem, const char *meter, const char *customer, int64_t from, int64_t end,
    int64_t *units) MUST_CHECK;

#endif
