/* hint: few are sent, many are heard as one, and a failure of one fails nothing else. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <sys/eventfd.h>

#include "cluster.h"
#include "hint.h"
#include "log.h"
#include "unit.h"

/* A stand-in that counts. */
static const char setup_sql[] =
    "create schema service; grant usage on schema service to tollgate_test;"
    "create sequence t.hints; grant usage on t.hints to tollgate_test;"
    "create function service.hint() returns void language plpgsql as $$ begin"
    "  perform nextval('t.hints'); notify tollgate_dirty; end $$;";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

static struct db *
open_db(mem_ctx *mem, const char *conninfo)
{
	return db_open(mem, &(struct db_options){ .conninfo = conninfo, .role = "tollgate_test", .pool = 2, .wait_ms = 500,
	    .timeout_ms = 2000, .prepared = true });
}

/* How many of these got to the database, sent one after another at once. */
static int
sent(struct hint *h, struct db *db, int number)
{
	cluster_ask(&cluster, "select setval('t.hints', 1, false)");
	for (int i = 0; i < number; i++) {
		hint_want(h);
		hint_send(h, db);
	}
	return atoi(cluster_ask(&cluster, "select case when is_called then last_value else 0 end from t.hints"));
}

static void
test_f79_hints_are_some_time_apart(void **state)
{
	struct hint	h = { 0 };
	struct db	*db = open_db(*state, cluster.conninfo);

	assert_in_range(sent(&h, db, 1), 1, 1);
	assert_in_range(sent(&h, db, 1000), 0, 5);
	usleep(30000);
	assert_in_range(sent(&h, db, 1), 1, 1);
}

static void
test_f79_after_a_failure_there_is_silence_for_a_second(void **state)
{
	struct hint	h = { 0 };
	struct db	*db = open_db(*state, cluster.conninfo);

	cluster_ask(&cluster, "revoke usage on schema service from tollgate_test");
	assert_int_equal(sent(&h, db, 1), 0);
	cluster_ask(&cluster, "grant usage on schema service to tollgate_test");
	usleep(500000);
	assert_int_equal(sent(&h, db, 1), 0);
	usleep(600000);
	assert_int_equal(sent(&h, db, 1), 1);
}

struct listener {
	struct db	*db;
	pthread_t	thread;
	int		stop_fd;
	atomic_int	told;
	enum err	err;
};

static void
hear(void *arg)
{
	struct listener	*l = arg;

	l->told++;
}

static void *
listen_on(void *arg)
{
	struct listener	*l = arg;

	l->err = hint_listen(l->db, HINT_OBJECTS, l->stop_fd, hear, l);
	return NULL;
}

/* True once it has been told that often. */
static bool
told_becomes(struct listener *l, int n)
{
	for (int i = 0; i < 200 && l->told < n; i++)
		usleep(10000);
	return l->told >= n;
}

static void
listener_start(struct listener *l, mem_ctx *mem, const char *conninfo)
{
	*l = (struct listener){ .db = open_db(mem, conninfo), .stop_fd = eventfd(0, 0), .err = ERR_INTERNAL };
	assert_int_equal(pthread_create(&l->thread, NULL, listen_on, l), 0);
}

static void
listener_end(struct listener *l, enum err err)
{
	pthread_join(l->thread, NULL);
	close(l->stop_fd);
	assert_int_equal(l->err, err);
}

static void
test_f79_it_is_told_when_it_listens_at_each_hint_and_ends_when_told(void **state)
{
	struct hint	h = { 0 };
	struct listener	l;

	listener_start(&l, *state, cluster.conninfo);
	assert_true(told_becomes(&l, 1));
	assert_int_equal(sent(&h, open_db(*state, cluster.conninfo), 1), 1);
	assert_true(told_becomes(&l, 2));
	usleep(50000);
	assert_int_equal(l.told, 2);
	eventfd_write(l.stop_fd, 1);
	listener_end(&l, OK);
	assert_int_equal(db_ping(l.db), OK);
}

/* Another call on it would hear what is none of its own. */
static void
test_f90_the_connection_that_listened_serves_no_call(void **state)
{
	struct json_object	*doc;
	struct listener		l;

	listener_start(&l, *state, cluster.conninfo);
	assert_true(told_becomes(&l, 1));
	eventfd_write(l.stop_fd, 1);
	listener_end(&l, OK);
	assert_int_equal(db_visitor(db_as_visitor(*state, l.db), &doc, "not exists (select pg_listening_channels())",
	    NO_ARGS), OK);
	assert_true(json_object_get_boolean(doc));
}

/* Hints that come while it is away count as one. */
static void
test_f79_many_hints_at_once_are_one(void **state)
{
	struct listener	l;

	listener_start(&l, *state, cluster.conninfo);
	assert_true(told_becomes(&l, 1));
	cluster_ask(&cluster,
	    "do $$ begin for i in 1..1000 loop execute format('notify tollgate_dirty, %L', i); end loop; end $$");
	assert_true(told_becomes(&l, 2));
	usleep(200000);
	assert_in_range(l.told, 2, 100);
	eventfd_write(l.stop_fd, 1);
	listener_end(&l, OK);
}

static void
test_f79_it_ends_when_the_connection_is_lost(void **state)
{
	struct listener	l;

	listener_start(&l, *state, cluster.conninfo);
	assert_true(told_becomes(&l, 1));
	cluster_ask(&cluster, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'");
	listener_end(&l, OK);
}

static void
test_f79_without_a_database_it_says_so(void **state)
{
	struct proxy	proxy;
	struct listener	l;

	proxy_start(&proxy, &cluster);
	proxy.mode = PROXY_CUT;
	listener_start(&l, *state, mem_printf(*state, "host=%s dbname=postgres", proxy.dir));
	listener_end(&l, ERR_UNAVAILABLE);
	assert_int_equal(l.told, 0);
	proxy_stop(&proxy);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f79_hints_are_some_time_apart),
		TEST(test_f79_after_a_failure_there_is_silence_for_a_second),
		TEST(test_f79_it_is_told_when_it_listens_at_each_hint_and_ends_when_told),
		TEST(test_f90_the_connection_that_listened_serves_no_call),
		TEST(test_f79_many_hints_at_once_are_one),
		TEST(test_f79_it_ends_when_the_connection_is_lost),
		TEST(test_f79_without_a_database_it_says_so),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
