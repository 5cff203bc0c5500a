/* pool: its size, waits, behaviour in an outage, and separation of identities. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call.h"
#include "clock.h"
#include "cluster.h"
#include "json.h"
#include "log.h"
#include "pool.h"

enum { THREADS = 8, ROUNDS = 300 };

static const char setup_sql[] =
    "create function t.put_slowly(k text) returns jsonb language plpgsql as $$ begin"
    "  perform pg_sleep(0.002); return t.put(k); end $$;";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

static struct db *
pool_open(const char *conninfo, int size, int wait_ms)
{
	return db_open(NULL, &(struct db_options){ .conninfo = conninfo, .role = "tollgate_test", .pool = size,
	    .wait_ms = wait_ms, .timeout_ms = 2000, .prepared = true });
}

static long
backends(void)
{
	return atol(cluster_ask(&cluster, "select count(*) from pg_stat_activity where usename = 'tollgate_test'"));
}

/* A server's process ends a moment after its client is gone. */
static bool
backends_become(long n)
{
	for (int i = 0; i < 200 && backends() != n; i++)
		usleep(10000);
	return backends() == n;
}

struct worker {
	struct db	*db;
	int		number;
	atomic_bool	*stop;
	unsigned	calls;
	unsigned	count[ERR_COUNT];
	unsigned	wrong;
	pthread_t	thread;
};

static void
workers_start(struct worker *w, struct db *db, void *(*work)(void *), atomic_bool *stop)
{
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .db = db, .number = i, .stop = stop };
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
}

/* The sum of all, in w[0]. */
static void
workers_join(struct worker *w)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		for (int e = 0; i > 0 && e < ERR_COUNT; e++)
			w[0].count[e] += w[i].count[e];
		w[0].wrong += i > 0 ? w[i].wrong : 0;
	}
}

static void *
ask_who(void *arg)
{
	struct worker	*w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		mem_ctx			*mem = mem_new();
		char			*bearer = mem_printf(mem, "%064x", w->number * ROUNDS + i);
		struct json_object	*doc;
		enum err		e;

		if (i % 3)
			e = db_user(db_as_user(mem, w->db, bearer), &doc, "t.who()", NO_ARGS);
		else
			e = db_visitor(db_as_visitor(mem, w->db), &doc, "t.who()", NO_ARGS);
		w->count[e]++;
		w->wrong += e == OK && strcmp(json_text(doc, "/bearer"), i % 3 ? bearer : "") != 0;
		talloc_free(mem);
	}
	return NULL;
}

static void
identities_never_cross(struct db *db)
{
	struct worker	w[THREADS];

	workers_start(w, db, ask_who, NULL);
	workers_join(w);
	assert_int_equal(w[0].count[OK], THREADS * ROUNDS);
	assert_int_equal(w[0].wrong, 0);
	assert_int_equal(backends(), 4);
	talloc_free(db);
	assert_true(backends_become(0));
}

static void
test_identities_never_cross(void **state)
{
	(void)state;
	identities_never_cross(pool_open(cluster.conninfo, 4, 2000));
}

static void
test_f92_nor_without_prepared_statements(void **state)
{
	(void)state;
	identities_never_cross(db_open(NULL, &(struct db_options){ .conninfo = cluster.conninfo, .role = "tollgate_test",
	    .pool = 4, .wait_ms = 2000, .timeout_ms = 2000, .prepared = false }));
}

static int64_t
backend(struct db *db)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	int64_t			pid;

	assert_int_equal(db_visitor(db_as_visitor(mem, db), &doc, "t.who()", NO_ARGS), OK);
	pid = json_int(doc, "/pid", 0);
	talloc_free(mem);
	return pid;
}

/* What a connection was used for, and whether the next call may get it. */
static void
test_f90_a_connection_that_is_not_idle_does_not_go_back(void **state)
{
	static const struct {
		const char	*sql;
		bool		pipelined, sound, kept;
	} table[] = {
		{ "select 1", false, true, true }, { "select 1", false, false, false }, { "begin", false, true, false },
		{ "begin; select no_such_column", false, true, false }, { "select 1", true, true, false },
	};
	struct db	*db = pool_open(cluster.conninfo, 1, 1000);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int64_t		pid = backend(db);
		struct conn	*c;

		assert_int_equal(pool_take(db, clock_ms() + 1000, &c), OK);
		if (table[i].pipelined)
			assert_true(PQenterPipelineMode(c->pg) &&
			    PQsendQueryParams(c->pg, table[i].sql, 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(c->pg));
		else
			PQclear(PQexec(c->pg, table[i].sql));
		pool_give(db, c, table[i].sound);
		assert_int_equal(backend(db) == pid, table[i].kept);
	}
	talloc_free(db);
}

/* Each connection knows its own statements: what one has prepared is sent anew to another, also in its place. */
static void
test_statements_are_prepared_on_each_connection(void **state)
{
	mem_ctx			*mem = mem_new();
	struct db		*db = pool_open(cluster.conninfo, 2, 1000);
	struct json_object	*doc;
	struct conn		*busy;

	(void)state;
	for (int i = 0; i < 4; i++) {
		int64_t	pid = backend(db);

		assert_int_equal(db_visitor(db_as_visitor(mem, db), &doc, "t.put($1)", ARGS(TEXT("prepared"))), OK);
		assert_int_equal(json_int(doc, "", 0), i + 1);
		assert_int_equal(pool_take(db, clock_ms() + 1000, &busy), OK);
		assert_int_not_equal(backend(db), pid);
		pool_give(db, busy, i % 2 == 0);
	}
	talloc_free(db);
	talloc_free(mem);
}

static void
test_opening_connects_to_nothing_and_freeing_leaves_nothing(void **state)
{
	struct db	*db = pool_open(cluster.conninfo, 2, 100);

	(void)state;
	assert_true(backends_become(0));
	assert_int_equal(db_ping(db), OK);
	assert_int_equal(backends(), 1);
	talloc_free(db);
	assert_true(backends_become(0));
}

static void
test_c52_role_and_settings_are_ours_whatever_conninfo_and_role_say(void **state)
{
	char			conninfo[200];
	struct db		*db;
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	snprintf(conninfo, sizeof(conninfo), "%s options='-c search_path=evil' application_name=x", cluster.conninfo);
	db = pool_open(conninfo, 1, 100);
	assert_int_equal(db_visitor(db_as_visitor(mem, db), &doc, "t.who()", NO_ARGS), OK);
	assert_string_equal(json_text(doc, "/role"), "tollgate_test");
	assert_string_equal(json_text(doc, "/path"), "pg_catalog,pg_temp");
	assert_string_equal(json_text(doc, "/name"), "tollgate_test");
	talloc_free(mem);
	talloc_free(db);
}

/* As a standby that was the primary: it answers, but can write nothing down. */
static void
test_f85_a_server_that_is_read_only_serves_no_call(void **state)
{
	struct db	*db = pool_open(cluster.conninfo, 1, 100);

	(void)state;
	cluster_ask(&cluster, "alter role tollgate_test set default_transaction_read_only = on");
	assert_int_equal(db_ping(db), ERR_UNAVAILABLE);
	cluster_ask(&cluster, "alter role tollgate_test reset default_transaction_read_only");
	db->connect_at = 0;
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
}

static void *
sleep_long(void *arg)
{
	struct worker		*w = arg;
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	w->count[db_visitor(db_as_visitor(mem, w->db), &doc, "t.sleep(1)", NO_ARGS)]++;
	talloc_free(mem);
	return NULL;
}

static void
test_f95_an_exhausted_pool_is_unavailable_after_the_wait(void **state)
{
	struct db	*db = pool_open(cluster.conninfo, 1, 250);
	struct worker	w = { .db = db };
	int64_t		began;

	(void)state;
	pthread_create(&w.thread, NULL, sleep_long, &w);
	usleep(200000);
	began = clock_ms();
	assert_int_equal(db_ping(db), ERR_UNAVAILABLE);
	assert_in_range(clock_ms() - began, 240, 400);
	pthread_join(w.thread, NULL);
	assert_int_equal(w.count[OK], 1);
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
}

static void *
ping_on(void *arg)
{
	struct worker	*w = arg;

	while (!*w->stop) {
		w->count[db_ping(w->db)]++;
		usleep(2000);
	}
	return NULL;
}

static void
test_f89_an_outage_makes_no_storm_of_connections(void **state)
{
	struct worker	w[THREADS];
	atomic_bool	stop = false;
	struct proxy	proxy;
	char		conninfo[128];
	struct db	*db;

	(void)state;
	proxy_start(&proxy, &cluster);
	proxy.mode = PROXY_CUT;
	snprintf(conninfo, sizeof(conninfo), "host=%s dbname=postgres", proxy.dir);
	db = pool_open(conninfo, 8, 100);
	workers_start(w, db, ping_on, &stop);
	sleep(2);
	assert_in_range(proxy.accepted, 3, 8 + 10);
	proxy.mode = PROXY_PASS;
	sleep(4);
	stop = true;
	workers_join(w);
	assert_true(w[0].count[ERR_UNAVAILABLE] > 500);
	assert_true(w[0].count[OK] > 100);
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
	proxy_stop(&proxy);
}

static void
test_f83_without_a_database_a_call_fails_at_once_and_later_works(void **state)
{
	struct db	*db = pool_open(cluster.conninfo, 2, 1000);
	int64_t		began;

	(void)state;
	cluster_stop(&cluster, SIGINT);
	began = clock_ms();
	for (int i = 0; i < 50; i++)
		assert_int_equal(db_ping(db), ERR_UNAVAILABLE);
	assert_true(clock_ms() - began < 500);
	cluster_start(&cluster, NULL);
	for (int i = 0; i < 60 && db_ping(db) != OK; i++)
		usleep(100000);
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
}

/* Every call has its own key, so that the table shows afterwards whether it took effect. */
struct outcome {
	char		key[24];
	enum err	err;
};

struct recorder {
	struct worker	worker;		/* first: threads are given this */
	struct outcome	*outcomes;
	size_t		n;
};

enum { OUTCOMES = 100000 };

static void *
put_on(void *arg)
{
	struct recorder	*r = arg;

	while (!*r->worker.stop && r->n < OUTCOMES) {
		mem_ctx			*mem = mem_new();
		struct outcome		*o = &r->outcomes[r->n++];
		struct json_object	*doc;

		snprintf(o->key, sizeof(o->key), "%d.%zu", r->worker.number, r->n);
		o->err = db_visitor(db_as_visitor(mem, r->worker.db), &doc, "t.put_slowly($1)", ARGS(TEXT(o->key)));
		if (o->err == ERR_UNAVAILABLE)
			usleep(3000);
		talloc_free(mem);
	}
	return NULL;
}

static void
recorder_judge(const struct recorder *r, unsigned *count, unsigned *wrong)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct outcome	*o = &r->outcomes[i];
		char			sql[128];
		int			n;

		snprintf(sql, sizeof(sql), "select n from t.rows where key = '%s'", o->key);
		n = atoi(cluster_ask(&cluster, sql));
		count[o->err]++;
		*wrong += (o->err == OK && n != 1) || (o->err == ERR_UNAVAILABLE && n != 0) || n > 1;
	}
}

/* disturb() disturbs the server for a while; then each call must have had the outcome that it reported. */
static void
calls_mean_what_they_say(void (*disturb)(void))
{
	struct recorder	r[THREADS];
	struct db	*db = pool_open(cluster.conninfo, 4, 250);
	atomic_bool	stop = false;
	unsigned	count[ERR_COUNT] = { 0 }, wrong = 0;

	cluster_ask(&cluster, "truncate t.rows");
	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct recorder){ { .db = db, .number = i, .stop = &stop }, calloc(OUTCOMES, sizeof(struct outcome)),
		    0 };
		pthread_create(&r[i].worker.thread, NULL, put_on, &r[i]);
	}
	usleep(200000);
	disturb();
	usleep(300000);
	stop = true;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(r[i].worker.thread, NULL);
		recorder_judge(&r[i], count, &wrong);
		free(r[i].outcomes);
	}
	print_message("# %u done, %u not done, %u uncertain\n", count[OK], count[ERR_UNAVAILABLE], count[ERR_UNCERTAIN]);
	assert_int_equal(wrong, 0);
	assert_int_equal(count[OK] + count[ERR_UNAVAILABLE] + count[ERR_UNCERTAIN], r[0].n + r[1].n + r[2].n + r[3].n +
	    r[4].n + r[5].n + r[6].n + r[7].n);
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
}

static void
restart_with(int sig)
{
	cluster_stop(&cluster, sig);
	cluster_start(&cluster, NULL);
	sleep(2);
}

static void
restart(void)
{
	restart_with(SIGINT);
}

static void
crash(void)
{
	restart_with(SIGQUIT);
}

static void
kill_backends(void)
{
	for (int i = 0; i < 40; i++) {
		cluster_ask(&cluster,
		    "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'tollgate_test'");
		usleep(20000);
	}
}

static void
test_f84_calls_during_a_restart_end_as_reported(void **state)
{
	(void)state;
	calls_mean_what_they_say(restart);
}

static void
test_f88_calls_during_a_crash_end_as_reported(void **state)
{
	(void)state;
	calls_mean_what_they_say(crash);
}

static void
test_f84_calls_on_killed_backends_end_as_reported(void **state)
{
	(void)state;
	calls_mean_what_they_say(kill_backends);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_identities_never_cross),
		cmocka_unit_test(test_f92_nor_without_prepared_statements),
		cmocka_unit_test(test_f90_a_connection_that_is_not_idle_does_not_go_back),
		cmocka_unit_test(test_statements_are_prepared_on_each_connection),
		cmocka_unit_test(test_opening_connects_to_nothing_and_freeing_leaves_nothing),
		cmocka_unit_test(test_c52_role_and_settings_are_ours_whatever_conninfo_and_role_say),
		cmocka_unit_test(test_f85_a_server_that_is_read_only_serves_no_call),
		cmocka_unit_test(test_f95_an_exhausted_pool_is_unavailable_after_the_wait),
		cmocka_unit_test(test_f89_an_outage_makes_no_storm_of_connections),
		cmocka_unit_test(test_f83_without_a_database_a_call_fails_at_once_and_later_works),
		cmocka_unit_test(test_f84_calls_during_a_restart_end_as_reported),
		cmocka_unit_test(test_f88_calls_during_a_crash_end_as_reported),
		cmocka_unit_test(test_f84_calls_on_killed_backends_end_as_reported),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
