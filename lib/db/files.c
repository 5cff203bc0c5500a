#include "db.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 32 };

/* Options of conninfo that name a file, and environment variables that do. */
static const char *const	options[] = { "passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", NULL };
static const char *const	variables[] = { "PGPASSFILE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL",
				    "PGSERVICEFILE", "PGSYSCONFDIR", NULL };

static void
file_add(mem_ctx *mem, const char **list, const char *name)
{
	unsigned	n = 0;

	while (list[n] != NULL)
		n++;
	if (name != NULL && *name != '\0' && n + 1 < FILES)
		list[n] = mem_printf(mem, "%s", name);
}

static bool
names_file(const char *keyword)
{
	for (const char *const *o = options; *o != NULL; o++) {
		if (strcmp(*o, keyword) == 0)
			return true;
	}
	return false;
}

/* Those that these options name; ends the options. */
static void
options_add(mem_ctx *mem, const char **list, PQconninfoOption *given)
{
	for (const PQconninfoOption *o = given; o != NULL && o->keyword != NULL; o++) {
		if (names_file(o->keyword))
			file_add(mem, list, o->val);
	}
	PQconninfoFree(given);
}

const char *const *
db_files(mem_ctx *mem, const char *conninfo)
{
	const char		**list = talloc_zero_array(mem, const char *, FILES);
	const struct passwd	*me = getpwuid(getuid());
	const char		*home = getenv("HOME") != NULL ? getenv("HOME") : me != NULL ? me->pw_dir : NULL;

	options_add(mem, list, PQconninfoParse(conninfo, NULL));
	options_add(mem, list, PQconndefaults());	/* also what a service file says */
	for (const char *const *v = variables; *v != NULL; v++)
		file_add(mem, list, getenv(*v));
	if (home != NULL) {
		file_add(mem, list, mem_printf(mem, "%s/.pgpass", home));
		file_add(mem, list, mem_printf(mem, "%s/.pg_service.conf", home));
		file_add(mem, list, mem_printf(mem, "%s/.postgresql", home));
	}
	return list;
}
