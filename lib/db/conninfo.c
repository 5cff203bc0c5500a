#include "db.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* What conninfo says, and what the environment and a service file say where it says nothing. */
struct sources {
	PQconninfoOption	*said, *otherwise;
};

static void
options_release(void *options)
{
	PQconninfoFree(options);
}

/* NULL for an option that is not set; libpq takes an empty one as not set too. */
static const char *
option_get(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, keyword) == 0)
			return o->val != NULL && *o->val != '\0' ? o->val : NULL;
	}
	return NULL;
}

static const char *
source_get(const struct sources *s, const char *keyword)
{
	const char	*said = option_get(s->said, keyword);

	return said != NULL ? said : option_get(s->otherwise, keyword);
}

/* A conninfo without "=" is a database's name. False: libpq cannot read it. */
static bool
sources_read(struct sources *s, mem_ctx *mem, const char *conninfo)
{
	const char	*service;

	*s = (struct sources){ 0 };
	if (strchr(conninfo, '=') != NULL || strstr(conninfo, "://") != NULL) {
		s->said = PQconninfoParse(conninfo, NULL);
		if (s->said == NULL)
			return false;
		mem_hang(mem, s->said, options_release);
	}
	/* PQconndefaults() reads the service that the environment names; connecting would read this one. */
	service = option_get(s->said, "service");
	if (service != NULL)
		setenv("PGSERVICE", service, 1);
	s->otherwise = PQconndefaults();
	if (s->otherwise != NULL)
		mem_hang(mem, s->otherwise, options_release);
	return s->otherwise != NULL;
}

/* A directory, an abstract socket, or a loopback address. */
static bool
is_here(const char *host, size_t n)
{
	return n == 0 || *host == '/' || *host == '@' || (n == 9 && strncmp(host, "localhost", n) == 0) ||
	    (n == 3 && strncmp(host, "::1", n) == 0) ||
	    (n > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= n);
}

/* The first item of a list that is another machine, or NULL. *gap: an item is empty. */
static const char *
list_away(mem_ctx *mem, const char *list, bool *gap)
{
	size_t	n;

	*gap = list == NULL;
	for (const char *item = list; item != NULL; item = item[n] == ',' ? item + n + 1 : NULL) {
		n = strcspn(item, ",");
		*gap |= n == 0;
		if (!is_here(item, n))
			return mem_copy(mem, item, n);
	}
	return NULL;
}

/* The other machine that a connection may go to. An address decides before the host's name, item by item. */
static const char *
machine_away(mem_ctx *mem, const struct sources *s)
{
	static const char *const	names[] = { "hostaddr", "host" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bool		gap, none;
		const char	*away = list_away(mem, source_get(s, names[i]), &gap);

		if (away == NULL && gap)	/* for an empty item libpq takes what the environment says */
			away = list_away(mem, option_get(s->otherwise, names[i]), &none);
		if (away != NULL || !gap)
			return away;
	}
	return NULL;
}

static bool
verifies(const char *sslmode)
{
	return sslmode != NULL && (strcmp(sslmode, "verify-full") == 0 || strcmp(sslmode, "verify-ca") == 0);
}

const char *
db_conninfo_fault(mem_ctx *mem, const char *conninfo, bool shared)
{
	struct sources	s;
	const char	*away, *mode;

	/* libpq's own message is not shown: it quotes conninfo. */
	if (!sources_read(&s, mem, conninfo))
		return "cannot be read: it must be a list of KEYWORD=VALUE, or postgresql://HOST/DATABASE";
	if (shared && (option_get(s.said, "password") != NULL || option_get(s.said, "sslpassword") != NULL))
		return "holds a password, and others may read this file: make it mode 0600, or set passfile instead";
	away = machine_away(mem, &s);
	mode = source_get(&s, "sslmode");
	if (away == NULL || verifies(mode))
		return NULL;
	return mem_printf(mem, "leads to another machine (%s), so sslmode must be verify-full or verify-ca: it is \"%s\", "
	    "which does not make sure whose machine that is", away, mode != NULL ? mode : "");
}
