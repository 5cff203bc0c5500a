#include "listen.h"

#include <poll.h>

#include "deadline.h"
#include "pool.h"

/* Takes all results and notifications that have come. False: the connection is lost, or LISTEN failed. */
static bool
news_take(PGconn *pg, bool *any)
{
	bool		sound = PQconsumeInput(pg);
	PGresult	*r;
	PGnotify	*n;

	for (*any = false; !PQisBusy(pg) && (r = PQgetResult(pg)) != NULL; PQclear(r)) {
		sound = sound && PQresultStatus(r) == PGRES_COMMAND_OK;
		*any = true;
	}
	for (; (n = PQnotifies(pg)) != NULL; PQfreemem(n))
		*any = true;
	return sound;
}

static void
news_await(PGconn *pg, int stop_fd, void (*told)(void *), void *arg)
{
	struct pollfd	p[] = { { PQsocket(pg), POLLIN, 0 }, { stop_fd, POLLIN, 0 } };
	bool		any;

	while (poll(p, 2, -1) > 0 && p[1].revents == 0 && news_take(pg, &any)) {
		if (any)
			told(arg);
	}
}

enum err
db_listen_on(struct db *db, const char *sql, int stop_fd, void (*told)(void *), void *arg)
{
	struct conn	*c;
	bool		sent;

	TRY(pool_take(db, deadline_after(db->options.timeout_ms), &c));
	sent = PQsendQuery(c->pg, sql) && PQflush(c->pg) == 0;
	if (sent)
		news_await(c->pg, stop_fd, told, arg);
	pool_give(db, c, false);
	return sent ? OK : ERR_UNAVAILABLE;
}
