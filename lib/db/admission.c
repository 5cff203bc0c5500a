#include "admission.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "wait.h"

/* SQLSTATEs that the operator must act on; any other one is an outage. */
static const struct {
	const char	*code;
	enum err	err;
	const char	*why;		/* NULL: the database's message */
} refusals[] = {
	{ "TG403", ERR_FORBIDDEN, NULL },
	{ "TG503", ERR_CONFLICT, NULL },
	{ "3F000", ERR_CONFLICT, "the database has no Tollgate schema: run tollgate migrate" },
	{ "42883", ERR_CONFLICT, "the schema of the database is older than this program: run tollgate migrate" },
	{ "42501", ERR_CONFLICT, "the role of this program lacks its grants: run tollgate migrate" },
};

static enum err
refusal_read(PGconn *pg, const PGresult *r, char *why, size_t n)
{
	const char	*code = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char	*said = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	for (size_t i = 0; code && i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (strcmp(code, refusals[i].code) != 0)
			continue;
		snprintf(why, n, "%s", refusals[i].why ? refusals[i].why : said ? said : code);
		return refusals[i].err;
	}
	snprintf(why, n, "%s", said ? said :
	    PQstatus(pg) == CONNECTION_OK ? "the database did not answer in time" : PQerrorMessage(pg));
	return ERR_UNAVAILABLE;
}

static bool
result_await(PGconn *pg, int64_t deadline)
{
	while (PQisBusy(pg)) {
		if (PQflush(pg) < 0 || !wait_ready(pg, POLLIN, deadline) || !PQconsumeInput(pg))
			return false;
	}
	return true;
}

/* TOLLGATE_MIGRATION: the last migration in schema/migrations at build time. */
enum err
admission_ask(PGconn *pg, const char *environment, int64_t deadline, char *why, size_t n)
{
	const char *const	values[] = { environment, TOLLGATE_MIGRATION };
	bool			sent = PQsendQueryParams(pg, "select api.admit($1, $2)", 2, NULL, values, NULL, NULL, 0);
	PGresult		*r = sent && result_await(pg, deadline) ? PQgetResult(pg) : NULL;
	enum err		e = PQresultStatus(r) == PGRES_TUPLES_OK ? OK : refusal_read(pg, r, why, n);

	PQclear(r);
	if (e == OK && (!result_await(pg, deadline) || PQgetResult(pg) != NULL))
		e = refusal_read(pg, NULL, why, n);
	return e;
}
