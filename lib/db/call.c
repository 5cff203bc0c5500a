#include "call.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deadline.h"
#include "json.h"
#include "log.h"
#include "pool.h"
#include "sqlstate.h"
#include "wait.h"

enum { RUNS = 3, ARGS_MAX = 32, BYTEA = 17, BOOLEAN = 16, JSON = 114, JSONB = 3802, VOID = 2278 };

#define IDENTITY "select set_config('app.bearer', $1, true), set_config('app.candidate', $2, true)"
/* A pooler accepts no startup settings and may change servers after each transaction, so each call sets them. */
#define SET(name, value) ", pg_catalog.set_config('" name "', '" value "', true)"
#define IDENTITY_AND_SETTINGS "select pg_catalog.set_config('app.bearer', $1, true)" \
	", pg_catalog.set_config('app.candidate', $2, true)" \
	", pg_catalog.set_config('statement_timeout', $3, true)" POOL_SETTINGS(SET)

/* One round trip: identity, call, Sync. Everything up to the Sync is one transaction. */
struct exchange {
	struct conn	*conn;
	int64_t		deadline;
	bool		sent;		/* the Sync may have reached the server */
	unsigned	rows;		/* complete results: 1 the identity's, 2 the call's too */
	PGresult	*answer;	/* the last of them */
	PGresult	*fault;		/* the first error */
};

struct verdict {
	enum err	err;
	bool		again;
	bool		drop;
};

/* An argument list in libpq's form. */
struct params {
	int		n;
	Oid		types[ARGS_MAX];
	const char	*values[ARGS_MAX];
	int		lengths[ARGS_MAX];
	int		formats[ARGS_MAX];
	char		numbers[ARGS_MAX][24];	/* the digits of DB_INT */
};

static bool
params_fill(struct params *p, struct db_args args)
{
	if (args.n > ARGS_MAX)
		return false;
	p->n = (int)args.n;
	for (unsigned i = 0; i < args.n; i++) {
		const struct db_arg	*a = &args.args[i];

		p->types[i] = a->kind == DB_BYTES ? BYTEA : 0;
		p->values[i] = a->value;
		p->lengths[i] = (int)a->len;
		p->formats[i] = a->kind == DB_BYTES;
		if (a->kind == DB_BOOL)
			p->values[i] = a->number ? "t" : "f";
		if (a->kind != DB_INT)
			continue;
		snprintf(p->numbers[i], sizeof(p->numbers[i]), "%" PRId64, a->number);
		p->values[i] = p->numbers[i];
	}
	return true;
}

/* The number of the statement on this connection. Sends a new one to be prepared; -1 without room, or on failure. */
static int
statement_number(struct conn *c, const char *sql, const struct params *p)
{
	char	name[16];

	for (unsigned i = 0; i < c->sent; i++) {
		if (c->statements[i] == sql)
			return (int)i;
	}
	if (c->sent == POOL_STATEMENTS)
		return -1;
	snprintf(name, sizeof(name), "s%u", c->sent);
	if (!PQsendPrepare(c->pg, name, sql, p->n, p->types))
		return -1;
	c->statements[c->sent] = sql;
	return (int)c->sent++;
}

static bool
statement_send(struct conn *c, bool prepared, const char *sql, struct db_args args)
{
	struct params	p;
	char		name[16];
	int		number;

	if (!params_fill(&p, args))
		return false;
	number = prepared ? statement_number(c, sql, &p) : -1;
	if (number < 0)
		return PQsendQueryParams(c->pg, sql, p.n, p.types, p.values, p.lengths, p.formats, 0);
	snprintf(name, sizeof(name), "s%d", number);
	return PQsendQueryPrepared(c->pg, name, p.n, p.values, p.lengths, p.formats, 0);
}

static bool
identity_send(const struct db *db, struct conn *c, const struct db_who *who)
{
	struct db_arg	bearer = TEXT(who->bearer);
	struct db_arg	candidate = TEXT(who->candidate && who->candidate->stored ? who->candidate->stored : "");

	if (db->options.prepared)
		return statement_send(c, true, IDENTITY, ARGS(bearer, candidate));
	return statement_send(c, false, IDENTITY_AND_SETTINGS, ARGS(bearer, candidate, TEXT(db->statement_timeout)));
}

/* False: the Sync was not sent whole, so nothing can have been committed. */
static bool
exchange_send(struct exchange *x, const struct db *db, const struct db_who *who, const char *sql, struct db_args args)
{
	struct conn	*c = x->conn;

	return PQenterPipelineMode(c->pg) && identity_send(db, c, who) &&
	    statement_send(c, db->options.prepared, sql, args) && PQpipelineSync(c->pg);
}

/*
 * The next result, NULL between statements. A failure is ERR_UNAVAILABLE while the Sync is certainly unsent,
 * ERR_UNCERTAIN after that. Results that came before the connection broke are read first: an error among them decides.
 */
static enum err
result_next(struct exchange *x, PGresult **out)
{
	PGconn	*pg = x->conn->pg;

	while (PQisBusy(pg)) {
		bool	broken = PQstatus(pg) == CONNECTION_BAD;
		int	left = x->sent ? 0 : PQflush(pg);

		if (left < 0)
			return broken ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
		x->sent = left == 0;
		if (!wait_ready(pg, left ? POLLIN | POLLOUT : POLLIN, x->deadline))
			return x->sent ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
		if (PQconsumeInput(pg))
			continue;
		x->sent = true;		/* PQconsumeInput() writes too, so the Sync may be out */
		if (PQisBusy(pg))
			return ERR_UNCERTAIN;
	}
	*out = PQgetResult(pg);
	return OK;
}

static void
result_release(void *r)
{
	PQclear(r);
}

/* OK once the Sync's result has come: the transaction is decided, and nothing is left to read. */
static enum err
exchange_read(struct exchange *x, mem_ctx *mem)
{
	PGresult	*r;

	for (int nulls = 0; nulls < 2;) {
		TRY(result_next(x, &r));
		nulls = r ? 0 : nulls + 1;
		if (r == NULL)
			continue;
		mem_hang(mem, r, result_release);
		switch (PQresultStatus(r)) {
		case PGRES_PIPELINE_SYNC:
			return OK;
		case PGRES_COMMAND_OK:
			x->conn->prepared++;
			break;
		case PGRES_TUPLES_OK:
			x->answer = r;
			x->rows++;
			break;
		case PGRES_PIPELINE_ABORTED:
			break;
		default:
			x->fault = x->fault ? x->fault : r;
		}
	}
	return ERR_UNCERTAIN;
}

static const char *
fault_field(const PGresult *fault, int field)
{
	const char	*s = PQresultErrorField(fault, field);

	return s ? s : "";
}

/*
 * An ERROR always rolls the transaction back. A FATAL in place of the call's result came before the commit; a FATAL
 * after that result may have come after the commit. No SQLSTATE: the reply was lost.
 */
static struct verdict
fault_judge(const struct exchange *x)
{
	const char		*code = fault_field(x->fault, PG_DIAG_SQLSTATE);
	const char		*severity = fault_field(x->fault, PG_DIAG_SEVERITY_NONLOCALIZED);
	const struct sqlstate	*s = sqlstate_find(code);

	if (*code == '\0' || strcmp(severity, "PANIC") == 0 || (x->rows == 2 && strcmp(severity, "ERROR") != 0))
		return (struct verdict){ ERR_UNCERTAIN, false, true };
	return (struct verdict){ s->err, s->again, s->drop };
}

/* Leaves out the server's message and detail, which may hold user input: the SQL and the SQLSTATE suffice. */
static void
fault_log(const struct exchange *x, struct verdict v, const char *sql)
{
	const char	*code = x->fault ? fault_field(x->fault, PG_DIAG_SQLSTATE) : "";

	if (sqlstate_is_answer(code))
		return;
	log_line(v.err == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "db_call", LOG_TEXT("error", err_info(v.err)->name),
	    LOG_TEXT("sqlstate", code), LOG_TEXT("sql", sql),
	    LOG_TEXT("constraint", x->fault ? fault_field(x->fault, PG_DIAG_CONSTRAINT_NAME) : ""));
}

/* Only once the call is committed. */
static void
candidate_note(struct db_candidate *candidate, const char *issued)
{
	if (*issued == '\0')
		return;
	candidate->issued = true;
	candidate->max_age = strtol(issued, NULL, 10);
}

static struct verdict
exchange_run(struct exchange *x, mem_ctx *mem, const struct db *db, const struct db_who *who, const char *sql,
    struct db_args args)
{
	struct verdict	v = { ERR_UNAVAILABLE, true, true };

	*x->conn->issued = '\0';
	x->conn->spent = 0;
	if (exchange_send(x, db, who, sql, args)) {
		v.err = exchange_read(x, mem);
		v.again = v.err == ERR_UNAVAILABLE;
		v.drop = v.err != OK;
	}
	if (x->fault) {
		bool	unread = v.drop;

		v = fault_judge(x);
		v.drop |= unread;
	}
	if (v.err != OK)
		fault_log(x, v, sql);
	else if (who->candidate)
		candidate_note(who->candidate, x->conn->issued);
	if (x->conn->spent > 0 && who->wait)
		*who->wait = x->conn->spent;
	x->conn->sent = x->conn->prepared;
	return v;
}

/* Every function answers one row of one column. */
static enum err
answer_read(PGresult *r, mem_ctx *mem, struct json_object **out)
{
	*out = NULL;
	if (PQntuples(r) != 1 || PQnfields(r) != 1)
		return ERR_INTERNAL;
	if (PQgetisnull(r, 0, 0) || PQftype(r, 0) == VOID)
		return OK;
	switch (PQftype(r, 0)) {
	case BOOLEAN:
		*out = json_hang(mem, json_object_new_boolean(*PQgetvalue(r, 0, 0) == 't'));
		return OK;
	case JSON:
	case JSONB:
		return json_parse(mem, PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0), out) == OK ? OK : ERR_INTERNAL;
	default:
		return ERR_INTERNAL;
	}
}

/* Keeps two transactions that collided from colliding again at once. */
static void
jitter_sleep(int run)
{
	struct timespec	t = { 0, 1000000L * (5 + (long)arc4random_uniform(20u * (unsigned)run)) };

	nanosleep(&t, NULL);
}

enum err
db_call(struct db *db, mem_ctx *mem, const struct db_who *who, struct json_object **out, const char *sql,
    struct db_args args)
{
	int64_t			deadline = deadline_after(db->options.timeout_ms);
	struct verdict		v = { ERR_INTERNAL, true, false };
	PGresult		*answer = NULL;
	struct json_object	*unread;

	for (int run = 1; run <= RUNS && v.again; run++) {
		struct exchange	x = { .deadline = deadline };

		if (run > 1)
			jitter_sleep(run);
		TRY(pool_take(db, deadline, &x.conn));
		v = exchange_run(&x, mem, db, who, sql, args);
		pool_give(db, x.conn, !v.drop);
		v.again = v.again && deadline_left(deadline) > 0;
		answer = x.answer;
	}
	TRY(v.err);
	if (answer_read(answer, mem, out != NULL ? out : &unread) == OK)
		return OK;
	log_line(LOG_ERROR, "db_answer", LOG_TEXT("sql", sql));
	return ERR_INTERNAL;
}
