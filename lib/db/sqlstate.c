#include "sqlstate.h"

#include <stddef.h>
#include <string.h>

static const struct sqlstate states[] = {
	{ "TG400", ERR_BAD_REQUEST, false, false },
	{ "TG401", ERR_AUTH, false, false },
	{ "TG40C", ERR_CONFIRM, false, false },		/* auth.require_fresh */
	{ "TG40F", ERR_FACTOR, false, false },		/* auth.require_operator */
	{ "TG403", ERR_FORBIDDEN, false, false },
	{ "TG404", ERR_NOT_FOUND, false, false },
	{ "TG409", ERR_CONFLICT, false, false },
	{ "TG422", ERR_INVALID, false, false },
	{ "TG429", ERR_LIMIT, false, false },
	{ "TG503", ERR_UNAVAILABLE, false, false },	/* the key of the seeds; logged, since the operator must act */
	{ "08", ERR_UNCERTAIN, false, true },		/* a pooler lost its server */
	{ "0A000", ERR_INTERNAL, true, true },		/* "cached plan must not change result type" */
	{ "22021", ERR_INVALID, false, false },		/* invalid UTF-8, or a NUL */
	{ "22P02", ERR_INVALID, false, false },		/* text that is invalid for its type */
	{ "22P05", ERR_INVALID, false, false },		/* \u0000 in a jsonb */
	{ "23505", ERR_CONFLICT, false, false },
	{ "25006", ERR_UNAVAILABLE, true, true },	/* a primary that became a standby */
	{ "25P03", ERR_UNAVAILABLE, true, true },	/* idle in transaction */
	{ "26000", ERR_INTERNAL, true, true },		/* a prepared statement the server does not know */
	{ "40001", ERR_UNAVAILABLE, true, false },
	{ "40P01", ERR_UNAVAILABLE, true, false },
	{ "42501", ERR_FORBIDDEN, false, false },
	{ "53", ERR_UNAVAILABLE, false, false },	/* out of connections, disk or memory */
	{ "55P03", ERR_UNAVAILABLE, false, false },	/* lock_timeout */
	{ "57014", ERR_UNAVAILABLE, false, false },	/* statement_timeout */
	{ "57P", ERR_UNAVAILABLE, true, true },		/* shutting down, starting up, terminated */
};

static const struct sqlstate unknown = { "", ERR_INTERNAL, false, false };

const struct sqlstate *
sqlstate_find(const char *code)
{
	const struct sqlstate	*best = &unknown;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t	n = strlen(states[i].prefix);

		if (strncmp(code, states[i].prefix, n) == 0 && n > strlen(best->prefix))
			best = &states[i];
	}
	return best;
}

bool
sqlstate_is_answer(const char *code)
{
	const struct sqlstate	*s = sqlstate_find(code);

	return strncmp(code, "TG", 2) == 0 && s != &unknown && s->err != ERR_UNAVAILABLE;
}
