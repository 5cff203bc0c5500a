/*
 * jobs: fetches marked objects, finds what webhooks missed, tells Stripe's meters what was used and compares their
 * sums, ends holds that nobody settled, and applies retention. Any number of processes may run side by side.
 */
#include <sysexits.h>
#include <unistd.h>

#include "jobs.h"
#include "log.h"
#include "report.h"
#include "sandbox.h"
#include "worker.h"

enum {
	CONNECTIONS	= 39,		/* opened on first need: most threads of the two settings, and one for each other task */
	RETENTION_MS	= 3600 * 1000,
	TRANSACTIONS_MS	= 10 * 1000,
	COMPARE_MS	= 10 * 1000,
	MODELS_MS	= 10 * 1000,
	EXPIRE_MS	= 2 * 1000,	/* a hold that nobody settled may stay so much longer */
	GAP_LOOK_MS	= 10 * 1000,	/* at most, between two checks whether a list is due */
	LISTEN_MS	= 5 * 1000,	/* before listening is tried again */
	KEY_MS		= 1000,
	END_MS		= 2200
};

/* Calls to Stripe are cut at once. Unfinished work is taken up again when its lease ends. */
static void
jobs_run(mem_ctx *ctx, struct jobs *j)
{
	int	look_ms = j->config->jobs.gap_seconds * 500;

	j->threads = thread_pool_new(ctx);
	thread_pool_add(j->threads, 1, key_task, j, KEY_MS);
	thread_pool_add(j->threads, (unsigned)j->config->jobs.threads, sync_task, j, j->config->jobs.poll_ms);
	thread_pool_add(j->threads, 1, reconcile_task, j, look_ms < GAP_LOOK_MS ? look_ms : GAP_LOOK_MS);
	thread_pool_add(j->threads, 1, retention_task, j, RETENTION_MS);
	thread_pool_add(j->threads, 1, transactions_task, j, TRANSACTIONS_MS);
	thread_pool_add(j->threads, 1, models_task, j, MODELS_MS);
	thread_pool_add(j->threads, 1, expire_task, j, EXPIRE_MS);
	thread_pool_add(j->threads, (unsigned)j->config->jobs.metering_threads, metering_task, j,
	    j->config->jobs.poll_ms);
	thread_pool_add(j->threads, 1, compare_task, j, COMPARE_MS);
	if (j->config->database.prepared)	/* a pooler in transaction mode, for which it is off, cannot listen */
		thread_pool_add(j->threads, 1, listen_task, j, LISTEN_MS);
	log_line(LOG_INFO, "started", LOG_INT("threads", j->config->jobs.threads));
	thread_pool_run(j->threads);
	stripe_stop(j->stripe);
	if (!thread_pool_has_ended(j->threads, END_MS))
		_exit(atomic_load(&j->code));
}

int
main(int argc, char **argv)
{
	static const struct resource *const	resources[] = { &resource_database, NULL };
	static const struct worker		me = {
		.name = "jobs",
		.about = "Fetches marked objects from Stripe and stores them. Runs until SIGTERM.",
		.resources = resources, .needs = NEED_STRIPE | NEED_JOBS | NEED_USAGE, .pool = CONNECTIONS,
	};
	struct worker_options	o;
	struct app		app;
	struct jobs		j;
	mem_ctx			*ctx;
	int			code;

	if (!worker_begin(&me, argc, argv, &ctx, &o, &app, &code))
		return code;
	j = (struct jobs){ .config = app.config, .db = app.db,
	    .stripe = resource_open_stripe(ctx, app.config, app.db, report_of(ctx, app.db)) };
	if (sandbox_enter(ctx, &app) != OK)
		return EX_OSERR;
	jobs_run(ctx, &j);
	return atomic_load(&j.code);
}
