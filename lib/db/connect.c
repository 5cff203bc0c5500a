#include "connect.h"

#include <poll.h>
#include <string.h>

#include "deadline.h"
#include "wait.h"

enum { PARAMS = 96 };

struct params {
	const char	*names[PARAMS + 1];
	const char	*values[PARAMS + 1];
	unsigned	n;
};

/* A parsed conninfo. */
struct hosts {
	PQconninfoOption	*options;	/* NULL: conninfo is a database's name */
	const char		*database;
	const char		*host, *hostaddr, *port;	/* comma-separated lists, or NULL */
};

static void
params_put(struct params *p, const char *name, const char *value)
{
	if (value == NULL || p->n == PARAMS)
		return;
	p->names[p->n] = name;
	p->values[p->n++] = value;
}

static unsigned
list_length(const char *list)
{
	unsigned	n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* Item i, as libpq reads these lists: a single item holds for every host. */
static const char *
list_item(mem_ctx *mem, const char *list, unsigned i)
{
	if (list == NULL)
		return NULL;
	for (i = list_length(list) == 1 ? 0 : i; i > 0 && list != NULL; i--) {
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return list ? mem_copy(mem, list, strcspn(list, ",")) : NULL;
}

static void
options_release(void *options)
{
	PQconninfoFree(options);
}

/* *why: what is wrong with conninfo, or NULL. */
static struct hosts
hosts_read(mem_ctx *mem, const char *conninfo, const char **why)
{
	bool		is_url = strncmp(conninfo, "postgres", 8) == 0 && strstr(conninfo, "://") != NULL;
	struct hosts	h = { .database = conninfo };
	char		*fault = NULL;

	*why = NULL;
	if (!is_url && strchr(conninfo, '=') == NULL)
		return h;
	h.options = PQconninfoParse(conninfo, &fault);
	if (h.options == NULL) {
		*why = mem_printf(mem, "%s", fault ? fault : "out of memory");
		PQfreemem(fault);
		return h;
	}
	mem_hang(mem, h.options, options_release);
	for (const PQconninfoOption *o = h.options; o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "host") == 0)
			h.host = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			h.hostaddr = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			h.port = o->val;
	}
	return h;
}

/* Without a host in conninfo, 1: libpq's own choice. */
static unsigned
hosts_count(const struct hosts *h)
{
	const char	*list = h->hostaddr && *h->hostaddr ? h->hostaddr : h->host;

	return list ? list_length(list) : 1;
}

/* libpq takes the last of equal names. */
static struct params
host_params(mem_ctx *mem, const struct connect_options *o, const struct hosts *h, unsigned i)
{
	struct params	p = { .n = 0 };

	for (const struct connect_setting *s = o->defaults; s->name != NULL; s++)
		params_put(&p, s->name, s->value);
	if (h->options == NULL)
		params_put(&p, "dbname", h->database);
	for (const PQconninfoOption *c = h->options; c && c->keyword != NULL; c++) {
		if (c->val != h->host && c->val != h->hostaddr && c->val != h->port)
			params_put(&p, c->keyword, c->val);
	}
	params_put(&p, "host", list_item(mem, h->host, i));
	params_put(&p, "hostaddr", list_item(mem, h->hostaddr, i));
	params_put(&p, "port", list_item(mem, h->port, i));
	for (const struct connect_setting *s = o->ours; s->name != NULL; s++)
		params_put(&p, s->name, s->value);
	return p;
}

/* False: the host refused, or did not answer in time. */
static bool
host_await(PGconn *pg, int64_t deadline)
{
	PostgresPollingStatusType	s = PGRES_POLLING_WRITING;

	if (PQstatus(pg) == CONNECTION_BAD)
		return false;
	while (s == PGRES_POLLING_WRITING || s == PGRES_POLLING_READING) {
		if (!wait_ready(pg, s == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return false;
		s = PQconnectPoll(pg);
	}
	return s == PGRES_POLLING_OK;
}

static void
host_refused(struct buf *said, const PGconn *pg)
{
	if (PQstatus(pg) == CONNECTION_BAD)
		buf_puts(said, PQerrorMessage(pg));
	else
		buf_printf(said, "no answer in time from %s\n", PQhost(pg));
}

PGconn *
connect_any(mem_ctx *mem, const struct connect_options *o, int64_t deadline, const char **why)
{
	struct hosts	h = hosts_read(mem, o->conninfo, why);
	struct buf	said = { .ctx = mem };
	unsigned	n = hosts_count(&h);

	if (*why != NULL)
		return NULL;
	buf_puts(&said, "");
	for (unsigned i = 0; i < n; i++) {
		int		part = deadline_left(deadline) / (int)(n - i + 1);
		struct params	p = host_params(mem, o, &h, i);
		PGconn		*pg = PQconnectStartParams(p.names, p.values, 0);

		if (host_await(pg, deadline_after(part < CONNECT_MS ? part : CONNECT_MS)))
			return pg;
		host_refused(&said, pg);
		PQfinish(pg);
	}
	*why = said.data;
	return NULL;
}
