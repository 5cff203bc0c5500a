/*
 * key: checks that our key is of the Stripe account the database belongs to, and reports calls that Stripe refuses and
 * how Stripe is.
 */
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "jobs.h"
#include "log.h"
#include "stamp.h"

enum {
	TURN_MS = 20,			/* between two checks of a task that waits for the Stripe account */
	ANSWERED_MS = 10 * 1000		/* the time of Stripe's last answer is told when it is later by so much */
};

bool
account_await(struct jobs *j, enum account least)
{
	while (atomic_load(&j->account) < (int)least) {
		if (!thread_pool_pause(j->threads, TURN_MS))
			return false;
	}
	return true;
}

/*
 * Objects of another Stripe account must not be written into this database, so its key ends the process. The account is
 * stored when the database has none yet.
 */
static enum err
account_ask(struct jobs *j, mem_ctx *mem)
{
	const char	*account, *why;
	enum err	e;

	if (!stripe_is_up(j->stripe))
		return OK;
	TRY(db_ping(j->db));
	if (stamp_ask(j->stripe, mem, &account) != OK) {
		if (atomic_load(&j->account) == ACCOUNT_UNASKED)
			atomic_store(&j->account, ACCOUNT_UNKNOWN);
		return OK;
	}
	e = stamp_match(db_as_service(mem, j->db), mem, account, true, &why);
	if (e == OK)
		atomic_store(&j->account, ACCOUNT_OURS);
	if (e != ERR_CONFLICT)
		return e;
	log_line(LOG_ERROR, "stripe_account", LOG_TEXT("reason", why));
	atomic_store(&j->code, EX_CONFIG);
	kill(getpid(), SIGTERM);
	return OK;
}

/*
 * Raises the alert at every run while Stripe refuses a call, because the operator may have cleared it; clears it once
 * when nothing is refused any more.
 */
static enum err
refusals_tell(struct jobs *j, mem_ctx *mem)
{
	struct json_object	*refused = stripe_refused(j->stripe, mem);
	bool			well = json_object_array_length(refused) == 0;

	if (well && (j->key_is_well || atomic_load(&j->account) != ACCOUNT_OURS))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), NULL, "service.watch_key($1::jsonb)",
	    ARGS(TEXT(service_jsonb(refused)))));
	j->key_is_well = well;
	return OK;
}

/* For /status. */
static enum err
health_tell(struct jobs *j, mem_ctx *mem)
{
	struct stripe_health	h = stripe_health(j->stripe);
	struct db_arg		ago = h.answered != 0 ? INT(clock_ms() - h.answered) : SQL_NULL;

	if (j->health_is_told && h.refused == j->health.refused && h.answered - j->health.answered < ANSWERED_MS)
		return OK;
	TRY(db_service(db_as_service(mem, j->db), NULL, "service.note_stripe($1::boolean, $2::bigint)",
	    ARGS(BOOL(h.refused), ago)));
	j->health = h;
	j->health_is_told = true;
	return OK;
}

/* A key that Stripe refuses is tried until Stripe accepts it; then all tasks go on. */
enum err
key_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)found;
	if (atomic_load(&j->account) != ACCOUNT_OURS || !stripe_knows_key(j->stripe))
		TRY(account_ask(j, mem));
	TRY(refusals_tell(j, mem));
	return health_tell(j, mem);
}
