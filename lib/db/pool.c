#include "pool.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admission.h"
#include "connect.h"
#include "deadline.h"
#include "log.h"

#define ISSUED "TG001"		/* of an INFO: the call has issued the candidate */
#define ENDED "TG002"		/* of an INFO: it has ended a session, whose id and reason it names (audit.note_session) */
#define SPENT "TG003"		/* of an INFO: a limit is used up, for so many seconds (auth.allow) */

enum { BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000 };

static void
conn_close(struct conn *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
	c->sent = c->prepared = 0;
}

static int
db_close(struct db *db)
{
	for (int i = 0; i < db->options.pool; i++)
		conn_close(&db->conns[i]);
	pthread_cond_destroy(&db->given);
	pthread_mutex_destroy(&db->lock);
	return 0;
}

#define OPTION(name, value) "-c " name "=" value " "

/*
 * In the startup packet these settings override ALTER ROLE ... SET. A pooler in transaction mode does not accept them:
 * then each call sets them (call.c).
 */
static char *
startup_settings(mem_ctx *ctx, const char *statement_timeout)
{
	return mem_printf(ctx, POOL_SETTINGS(OPTION) "-c default_transaction_isolation=read\\ committed "
	    "-c statement_timeout=%s", statement_timeout);
}

struct db *
db_open(mem_ctx *ctx, const struct db_options *options)
{
	struct db		*db = talloc_zero(ctx, struct db);
	pthread_condattr_t	clock;

	db->options = *options;
	db->options.conninfo = mem_printf(db, "%s", options->conninfo);
	db->options.role = mem_printf(db, "%s", options->role);
	if (options->environment)
		db->options.environment = mem_printf(db, "%s", options->environment);
	db->statement_timeout = mem_printf(db, "%d", options->timeout_ms - options->timeout_ms / 10);
	db->settings = options->prepared ? startup_settings(db, db->statement_timeout) : NULL;
	db->conns = talloc_zero_array(db, struct conn, options->pool);
	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&db->given, &clock);
	pthread_condattr_destroy(&clock);
	talloc_set_destructor(db, db_close);
	return db;
}

/* A rollback that follows leaves a line too many. */
static void
ended_note(const char *words)
{
	char		session[40], reason[20];
	const char	*which = session, *why = reason;

	if (sscanf(words, "%39s %19s", session, reason) == 2)
		log_line(LOG_INFO, "session_ended", LOG_TEXT("session", which), LOG_TEXT("reason", why));
}

/*
 * Our functions' messages hold no user data. The server sends nothing below a warning (client_min_messages), but for an
 * INFO, which a function raises for us: it costs nothing where it is not raised, and no statement more.
 */
static void
notice_take(void *arg, const PGresult *notice)
{
	struct conn	*c = arg;
	const char	*code = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char	*words = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

	if (code != NULL && words != NULL && strcmp(code, ISSUED) == 0) {
		snprintf(c->issued, sizeof(c->issued), "%s", words);
		return;
	}
	if (code != NULL && words != NULL && strcmp(code, SPENT) == 0) {
		c->spent = strtol(words, NULL, 10);
		return;
	}
	if (code != NULL && words != NULL && strcmp(code, ENDED) == 0) {
		ended_note(words);
		return;
	}
	log_line(LOG_WARN, "db_notice", LOG_TEXT("sqlstate", code), LOG_TEXT("message", words));
}

static PGconn *
server_connect(const struct db *db, struct conn *c, int64_t deadline)
{
	static const struct connect_setting	defaults[] = { { "tcp_user_timeout", "5000" }, { "keepalives_idle", "5" },
		{ "keepalives_interval", "2" }, { "keepalives_count", "3" }, { "target_session_attrs", "read-write" }, { 0 } };
	const struct connect_setting		ours[] = { { "user", db->options.role },
		{ "application_name", db->options.role }, { "client_encoding", "UTF8" }, { "options", db->settings }, { 0 } };
	const struct connect_options		options = { defaults, db->options.conninfo, ours };
	mem_ctx					*mem = mem_new();
	const char				*why;
	PGconn					*pg = connect_any(mem, &options, deadline, &why);

	if (pg && PQsetnonblocking(pg, 1) != 0) {
		why = mem_printf(mem, "%s", PQerrorMessage(pg));
		PQfinish(pg);
		pg = NULL;
	}
	if (pg)
		PQsetNoticeReceiver(pg, notice_take, c);
	else
		log_line(LOG_ERROR, "db_connect", LOG_TEXT("reason", why));
	talloc_free(mem);
	return pg;
}

/* In an outage one thread at a time tries to connect, at growing intervals; the calls of the others fail at once. */
static void
gate_update(struct db *db, bool connected)
{
	if (connected) {
		db->backoff_ms = 0;
		db->connect_at = 0;
		return;
	}
	db->backoff_ms = db->backoff_ms ? db->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (db->backoff_ms > BACKOFF_LAST_MS)
		db->backoff_ms = BACKOFF_LAST_MS;
	db->connect_at = deadline_after(db->backoff_ms / 2 + (int)arc4random_uniform((unsigned)db->backoff_ms / 2 + 1));
}

/* Logs why the database does not admit us when the reason is new, not at each connection. */
static void
refusal_note(struct db *db, enum err e, const char *why)
{
	bool	news;

	pthread_mutex_lock(&db->lock);
	news = e != OK && strcmp(db->why, why) != 0;
	db->refusal = e;
	snprintf(db->why, sizeof(db->why), "%s", why);
	pthread_mutex_unlock(&db->lock);
	if (news)
		log_line(LOG_ERROR, "db_refused", LOG_TEXT("reason", why));
}

static bool
conn_is_admitted(struct db *db, struct conn *c, int64_t deadline)
{
	char		why[sizeof(db->why)] = "";
	int64_t		until = deadline_earlier(deadline_after(CONNECT_MS), deadline);
	enum err	e = OK;

	if (db->options.environment)
		e = admission_ask(c->pg, db->options.environment, until, why, sizeof(why));
	refusal_note(db, e, why);
	return e == OK;
}

static enum err
conn_open(struct db *db, struct conn *c, int64_t deadline)
{
	c->pg = server_connect(db, c, deadline);
	if (c->pg == NULL)
		refusal_note(db, OK, "");
	else if (!conn_is_admitted(db, c, deadline))
		conn_close(c);
	pthread_mutex_lock(&db->lock);
	gate_update(db, c->pg != NULL);
	pthread_mutex_unlock(&db->lock);
	return c->pg ? OK : ERR_UNAVAILABLE;
}

/* A free connection, a connected one first. NULL: all are busy, or the back-off forbids to connect now. */
static struct conn *
conn_pick(struct db *db, bool *any_busy)
{
	struct conn	*cold = NULL;

	*any_busy = false;
	for (int i = 0; i < db->options.pool; i++) {
		struct conn	*c = &db->conns[i];

		*any_busy |= c->busy;
		if (!c->busy && c->pg)
			return c;
		if (!c->busy)
			cold = c;
	}
	if (cold == NULL || deadline_left(db->connect_at) > 0)
		return NULL;
	if (db->backoff_ms)
		db->connect_at = deadline_after(db->options.timeout_ms + db->backoff_ms);
	return cold;
}

static struct conn *
conn_wait(struct db *db, int64_t until)
{
	struct timespec	t = { until / 1000, until % 1000 * 1000000 };
	struct conn	*c;
	bool		any_busy;
	int		late = 0;

	pthread_mutex_lock(&db->lock);
	while ((c = conn_pick(db, &any_busy)) == NULL && any_busy && late == 0)
		late = pthread_cond_timedwait(&db->given, &db->lock, &t);
	if (c)
		c->busy = true;
	pthread_mutex_unlock(&db->lock);
	return c;
}

/* On an idle connection the server sends nothing, unless it is about to close it. */
static bool
conn_is_alive(const struct conn *c)
{
	struct pollfd	p = { PQsocket(c->pg), POLLIN, 0 };

	return poll(&p, 1, 0) == 0;
}

enum err
pool_take(struct db *db, int64_t deadline, struct conn **out)
{
	int64_t		until = deadline_after(db->options.wait_ms);
	struct conn	*c = conn_wait(db, deadline_earlier(until, deadline));

	if (c == NULL) {
		log_line(LOG_WARN, "db_pool", LOG_INT("size", db->options.pool));
		return ERR_UNAVAILABLE;
	}
	if (c->pg && !conn_is_alive(c))
		conn_close(c);
	if (c->pg == NULL && conn_open(db, c, deadline) != OK) {
		pool_give(db, c, false);
		return ERR_UNAVAILABLE;
	}
	*out = c;
	return OK;
}

void
pool_give(struct db *db, struct conn *c, bool sound)
{
	if (c->pg && !(sound && PQexitPipelineMode(c->pg) && PQtransactionStatus(c->pg) == PQTRANS_IDLE))
		conn_close(c);
	pthread_mutex_lock(&db->lock);
	c->busy = false;
	pthread_cond_signal(&db->given);
	pthread_mutex_unlock(&db->lock);
}

enum err
db_admit(struct db *db, mem_ctx *mem, const char **why)
{
	struct conn	*c;
	enum err	e = pool_take(db, deadline_after(db->options.timeout_ms), &c);

	*why = NULL;
	if (e == OK) {
		pool_give(db, c, true);
		return OK;
	}
	pthread_mutex_lock(&db->lock);
	if (db->refusal == ERR_FORBIDDEN || db->refusal == ERR_CONFLICT) {
		e = db->refusal;
		*why = mem_printf(mem, "%s", db->why);
	}
	pthread_mutex_unlock(&db->lock);
	return e;
}
