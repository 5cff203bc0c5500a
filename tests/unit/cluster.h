/* cluster: a private PostgreSQL for a test program, and a proxy in front of it that can lose data. */
#ifndef TOLLGATE_TEST_CLUSTER_H
#define TOLLGATE_TEST_CLUSTER_H

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

struct cluster {
	char	dir[64];
	char	conninfo[128];
	pid_t	pid;
	PGconn	*admin;
};

static void
cluster_die(const char *what, const char *why)
{
	fprintf(stderr, "cluster: %s: %s\n", what, why);
	exit(1);
}

/* One text from the superuser's own connection, made anew when the server was restarted; "" for null. */
static const char *
cluster_ask(struct cluster *c, const char *sql)
{
	static char	text[256];
	PGresult	*r;

	if (c->admin == NULL || PQstatus(c->admin) != CONNECTION_OK) {
		PQfinish(c->admin);
		c->admin = PQconnectdb(c->conninfo);
	}
	r = PQexec(c->admin, sql);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		cluster_die(sql, PQerrorMessage(c->admin));
	snprintf(text, sizeof(text), "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	return text;
}

/* option: "NAME=VALUE" for the server, or NULL. Waits until it answers. */
static void
cluster_start(struct cluster *c, const char *option)
{
	c->pid = fork();
	if (c->pid == 0) {
		execl("tests/db/postgres", "postgres", c->dir, option ? "-c" : NULL, option, NULL);
		_exit(127);
	}
	for (int tries = 0; tries < 600; tries++) {
		if (PQping(c->conninfo) == PQPING_OK)
			return;
		if (waitpid(c->pid, NULL, WNOHANG) == c->pid)
			break;
		usleep(50000);
	}
	cluster_die(c->dir, "no server (run from the top of the source, look at the log there)");
}

/* SIGINT: fast shutdown; SIGQUIT: as if it crashed. */
static void
cluster_stop(struct cluster *c, int sig)
{
	kill(c->pid, sig);
	waitpid(c->pid, NULL, 0);
	PQfinish(c->admin);
	c->admin = NULL;
}

static void
cluster_make(struct cluster *c)
{
	*c = (struct cluster){ .dir = "/tmp/tollgate-db.XXXXXX" };
	if (mkdtemp(c->dir) == NULL)
		cluster_die("mkdtemp", strerror(errno));
	snprintf(c->conninfo, sizeof(c->conninfo), "host=%s user=postgres dbname=postgres", c->dir);
	cluster_start(c, NULL);
}

static void
cluster_remove(struct cluster *c)
{
	char	command[128];

	cluster_stop(c, SIGINT);
	snprintf(command, sizeof(command), "rm -rf %s", c->dir);
	if (system(command) != 0)
		cluster_die(command, "failed");
}

/* Functions that several test programs call. */
#define CLUSTER_SQL \
	"create role tollgate_test login; alter role tollgate_test set search_path = public;" \
	"create schema t; grant usage on schema t to tollgate_test;" \
	"create table t.rows (key text primary key, n int not null default 1);" \
	"grant select, insert, update on t.rows to tollgate_test;" \
	"create function t.who() returns jsonb language sql as $$ select jsonb_build_object(" \
	"  'bearer', current_setting('app.bearer', true), 'pid', pg_backend_pid(), 'role', session_user::text," \
	"  'path', current_setting('search_path'), 'name', current_setting('application_name')) $$;" \
	"create function t.put(k text) returns jsonb language sql as $$ insert into t.rows values (k)" \
	"  on conflict (key) do update set n = t.rows.n + 1 returning to_jsonb(n) $$;" \
	"create function t.sleep(s float8) returns void language sql as 'select pg_sleep(s)';"

static struct cluster	cluster;

static int
cluster_setup(const char *more)
{
	mem_init();
	cluster_make(&cluster);
	cluster_ask(&cluster, CLUSTER_SQL);
	cluster_ask(&cluster, more);
	return 0;
}

static int
cluster_teardown(void **state)
{
	(void)state;
	cluster_remove(&cluster);
	return 0;
}

enum proxy_mode {
	PROXY_PASS,
	PROXY_LOSE_REPLY,	/* the request goes through; when its answer comes, both sides are cut */
	PROXY_SWALLOW,		/* the answer is taken and never given; nothing is cut */
	PROXY_DEAF,		/* nothing more is read from the client */
	PROXY_CUT		/* cut now, and every new connection at once */
};

struct proxy {
	char		dir[80];	/* give this as host= */
	const char	*lose_sql;	/* while `lose` is positive: the replies to requests with this text are lost */
	atomic_int	lose;		/* replies still to be lost; both sides are cut at each */
	const char	*say;		/* bytes that the client gets in place of such a reply, or NULL */
	size_t		say_len;
	struct sockaddr_un server;
	int		listen_fd;
	atomic_int	mode;
	atomic_int	accepted;
	atomic_int	pumps;		/* at work */
	atomic_bool	stop;
	pthread_t	thread;
};

struct proxy_pair {
	struct proxy	*proxy;
	int		client, server;
};

/* *doomed: the request that is being copied is one whose reply will be lost. */
static void
proxy_copy(struct proxy *p, int from, int to, bool *cut, bool *doomed)
{
	char	bytes[65536];
	ssize_t	n = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (doomed != NULL && n > 0 && p->lose > 0 && memmem(bytes, (size_t)n, p->lose_sql, strlen(p->lose_sql)) != NULL)
		*doomed = true;
	if (n == 0 || (n < 0 && errno != EAGAIN) || (n > 0 && to >= 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) != n))
		*cut = true;
}

static void
proxy_lose(struct proxy_pair *p)
{
	p->proxy->lose--;
	if (p->proxy->say != NULL)
		(void)!send(p->client, p->proxy->say, p->proxy->say_len, MSG_NOSIGNAL);
}

static void *
proxy_pump(void *arg)
{
	struct proxy_pair	*p = arg;
	bool			cut = false, doomed = false;

	while (!cut && !p->proxy->stop && p->proxy->mode != PROXY_CUT) {
		struct pollfd	fds[] = { { p->proxy->mode == PROXY_DEAF ? -1 : p->client, POLLIN, 0 },
		    { p->server, POLLIN, 0 } };
		int		mode;

		poll(fds, 2, 5);
		mode = p->proxy->mode;
		if (fds[1].revents && mode == PROXY_LOSE_REPLY)
			break;
		if (fds[1].revents && doomed) {
			proxy_lose(p);
			break;
		}
		if (fds[0].revents)
			proxy_copy(p->proxy, p->client, p->server, &cut, &doomed);
		if (fds[1].revents)
			proxy_copy(p->proxy, p->server, mode == PROXY_SWALLOW ? -1 : p->client, &cut, NULL);
	}
	close(p->client);
	close(p->server);
	p->proxy->pumps--;
	free(p);
	return NULL;
}

static void *
proxy_accept(void *arg)
{
	struct proxy	*p = arg;

	while (!p->stop) {
		struct proxy_pair	*pair;
		struct pollfd		fd = { p->listen_fd, POLLIN, 0 };
		pthread_t		thread;
		int			client = poll(&fd, 1, 5) > 0 ? accept(p->listen_fd, NULL, NULL) : -1;

		if (client < 0)
			continue;
		p->accepted++;
		p->pumps++;
		pair = malloc(sizeof(*pair));
		*pair = (struct proxy_pair){ p, client, socket(AF_UNIX, SOCK_STREAM, 0) };
		if (connect(pair->server, (struct sockaddr *)&p->server, sizeof(p->server)) != 0)
			shutdown(client, SHUT_RDWR);
		pthread_create(&thread, NULL, proxy_pump, pair);
		pthread_detach(thread);
	}
	return NULL;
}

__attribute__((unused)) static void
proxy_start(struct proxy *p, const struct cluster *c)
{
	struct sockaddr_un	here = { .sun_family = AF_UNIX };

	*p = (struct proxy){ .server.sun_family = AF_UNIX, .listen_fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	snprintf(p->dir, sizeof(p->dir), "/tmp/tollgate-proxy.XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		cluster_die("mkdtemp", strerror(errno));
	snprintf(p->server.sun_path, sizeof(p->server.sun_path), "%s/.s.PGSQL.5432", c->dir);
	snprintf(here.sun_path, sizeof(here.sun_path), "%s/.s.PGSQL.5432", p->dir);
	if (bind(p->listen_fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(p->listen_fd, 64) != 0)
		cluster_die(here.sun_path, strerror(errno));
	pthread_create(&p->thread, NULL, proxy_accept, p);
}

/* In place of each reply that is lost: an ErrorResponse of the protocol, on mem. */
__attribute__((unused)) static void
proxy_say(struct proxy *p, mem_ctx *mem, const char *severity, const char *code)
{
	const char	*fields[] = { "S", severity, "V", severity, "C", code, "M", "last words" };
	struct buf	b = { .ctx = mem };

	buf_put(&b, "E\0\0\0", 5);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		buf_put(&b, fields[i], i % 2 ? strlen(fields[i]) + 1 : 1);
	buf_put(&b, "", 1);
	b.data[4] = (char)(b.len - 1);
	p->say_len = b.len;
	p->say = b.data;
}

__attribute__((unused)) static void
proxy_stop(struct proxy *p)
{
	char	path[112];

	p->stop = true;
	pthread_join(p->thread, NULL);
	while (p->pumps > 0)
		usleep(1000);
	close(p->listen_fd);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", p->dir);
	unlink(path);
	rmdir(p->dir);
}

#endif
