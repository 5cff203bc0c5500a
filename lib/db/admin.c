#include "admin.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_ARGS = 4 };

struct admin {
	PGconn	*pg;
};

static int
admin_close(struct admin *a)
{
	PQfinish(a->pg);
	return 0;
}

static void
result_release(void *r)
{
	PQclear(r);
}

/* Without lock_timeout, because the first lock waits for another migrate to finish. */
enum err
admin_open(mem_ctx *ctx, const char *conninfo, struct admin **out)
{
	static const char	settings[] = "-c search_path=pg_catalog,pg_temp -c client_min_messages=warning "
				    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";
	const char *const	names[] = { "connect_timeout", "dbname", "application_name", "client_encoding", "options",
				    "target_session_attrs", NULL };
	const char *const	values[] = { "5", conninfo, "tollgate_migrate", "UTF8", settings, "read-write", NULL };
	struct admin		*a = talloc(ctx, struct admin);

	a->pg = PQconnectdbParams(names, values, 1);
	talloc_set_destructor(a, admin_close);
	*out = a;
	if (PQstatus(a->pg) == CONNECTION_OK)
		return OK;
	fprintf(stderr, "database: %s", PQerrorMessage(a->pg));
	return ERR_UNAVAILABLE;
}

/* position is PostgreSQL's: it counts characters, not bytes, from 1. */
static int
line_at(const char *sql, int position)
{
	int	line = 1;

	for (; *sql && position > 1; sql++) {
		if ((*sql & 0xc0) != 0x80)
			position--;
		line += *sql == '\n';
	}
	return line;
}

static void
field_tell(const PGresult *r, int field, const char *label)
{
	const char	*s = PQresultErrorField(r, field);

	if (s)
		fprintf(stderr, "    %s%s\n", label, s);
}

static bool
is_busy(const PGresult *r)
{
	const char	*state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "40P01") == 0);
}

/* The SQL is the administrator's own, so PostgreSQL's messages may be shown in full. */
static enum err
fault_tell(const struct admin *a, const PGresult *r, const char *name, const char *sql)
{
	const char	*position = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
	const char	*message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (is_busy(r))
		return ERR_LIMIT;
	fprintf(stderr, "%s:", name);
	if (position)
		fprintf(stderr, "%d:", line_at(sql, atoi(position)));
	fprintf(stderr, " %s\n", message ? message : PQerrorMessage(a->pg));
	field_tell(r, PG_DIAG_MESSAGE_DETAIL, "detail: ");
	field_tell(r, PG_DIAG_MESSAGE_HINT, "hint: ");
	field_tell(r, PG_DIAG_CONTEXT, "context: ");
	return PQstatus(a->pg) == CONNECTION_OK ? ERR_CONFLICT : ERR_UNAVAILABLE;
}

enum err
admin_script(struct admin *a, const char *name, const char *sql)
{
	PGresult	*r = PQexec(a->pg, sql);
	ExecStatusType	status = PQresultStatus(r);

	mem_hang(a, r, result_release);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
		return OK;
	return fault_tell(a, r, name, sql);
}

enum err
admin_commit(struct admin *a, const char *name)
{
	if (PQtransactionStatus(a->pg) == PQTRANS_INTRANS)
		return admin_script(a, name, "commit");
	fprintf(stderr, "%s: ends the transaction it runs in: remove its begin, commit or rollback\n", name);
	return ERR_CONFLICT;
}

enum err
admin_value(struct admin *a, mem_ctx *mem, const char **out, const char *sql, struct db_args args)
{
	const char	*values[VALUE_ARGS] = { NULL };
	PGresult	*r;

	for (unsigned i = 0; i < args.n && i < VALUE_ARGS; i++)
		values[i] = args.args[i].value;
	r = PQexecParams(a->pg, sql, (int)args.n, NULL, values, NULL, NULL, 0);
	mem_hang(mem, r, result_release);
	if (out != NULL)
		*out = NULL;
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		return fault_tell(a, r, "database", sql);
	if (out != NULL && PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
		*out = PQgetvalue(r, 0, 0);
	return OK;
}
