/* intake: events that come together are stored together, and each gets its own answer. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "intake.h"
#include "cluster.h"

enum { COPIES = 100 };

/* A stand-in for the real function; it refuses events named poison. */
static const char setup_sql[] =
    "create schema service; grant usage on schema service to tollgate_test;"
    "create table t.events (id text primary key, raw bytea);"
    "create sequence t.commits; grant usage, select on t.commits to tollgate_test;"
    "create function service.receive_events(about jsonb, blob bytea) returns jsonb"
    "  language plpgsql security definer as $$"
    "  declare fresh jsonb; begin"
    "  if about::text like '%poison%' then raise exception using errcode = '22021'; end if;"
    "  perform nextval('t.commits');"
    "  with n as (insert into t.events select a.id, substring(blob from a.at for a.size)"
    "    from jsonb_to_recordset(about) as a(id text, at int, size int) on conflict do nothing returning id)"
    "  select coalesce(jsonb_agg(id), '[]') into fresh from n; return fresh; end $$;";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

/* NAME0, NAME1, ...; the first one may be called otherwise. */
static struct intake *
store_all(mem_ctx *mem, const char *conninfo, const char *name, const char *first)
{
	struct intake	*all = talloc_zero_array(mem, struct intake, COPIES);
	struct db	*db = db_open(mem, &(struct db_options){ .conninfo = conninfo, .role = "tollgate_test",
			    .pool = 2, .wait_ms = 500, .timeout_ms = 4000, .prepared = true });

	for (int i = 0; i < COPIES; i++) {
		const char	*id = i == 0 && first != NULL ? first : mem_printf(mem, "%s%d", name, i);

		all[i].event = (struct inbox_event){ .id = id, .type = "x.y" };
		all[i].receipt = (struct receipt){ .body = id, .n = strlen(id), .signature = "t=1" };
	}
	intake_store(db, all, COPIES);
	return all;
}

static void
test_f72_those_that_come_together_share_a_commit(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;

	(void)state;
	cluster_ask(&cluster, "select setval('t.commits', 1)");
	all = store_all(mem, cluster.conninfo, "evt_many", NULL);
	for (int i = 0; i < COPIES; i++) {
		assert_int_equal(all[i].err, OK);
		assert_false(all[i].duplicate);
	}
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_many%'"
	    " and id = convert_from(raw, 'UTF8')"), "100");
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.commits"), "3");
	talloc_free(mem);
}

static void
test_f71_those_that_are_known_are_told_so(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;

	(void)state;
	store_all(mem, cluster.conninfo, "evt_twice", NULL);
	all = store_all(mem, cluster.conninfo, "evt_twice", "evt_new");
	for (int i = 0; i < COPIES; i++) {
		assert_int_equal(all[i].err, OK);
		assert_int_equal(all[i].duplicate, i > 0);
	}
	talloc_free(mem);
}

static void
test_f77_a_poisonous_event_fails_alone(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;

	(void)state;
	all = store_all(mem, cluster.conninfo, "evt_good", "evt_poison");
	assert_int_equal(all[0].err, ERR_INVALID);
	for (int i = 1; i < COPIES; i++)
		assert_int_equal(all[i].err, OK);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_good%'"), "99");
	talloc_free(mem);
}

static void
test_f75_without_a_database_nothing_is_acknowledged(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;
	struct proxy	proxy;

	(void)state;
	proxy_start(&proxy, &cluster);
	proxy.mode = PROXY_CUT;
	all = store_all(mem, mem_printf(mem, "host=%s dbname=postgres", proxy.dir), "evt_lost", NULL);
	proxy_stop(&proxy);
	for (int i = 0; i < COPIES; i++)
		assert_int_equal(all[i].err, ERR_UNAVAILABLE);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_lost%'"), "0");
	talloc_free(mem);
}

/* As store_all, while so many replies are lost. */
static struct intake *
store_losing(mem_ctx *mem, int lost, const char *name, const char *first)
{
	struct intake	*all;
	struct proxy	proxy;

	cluster_ask(&cluster, "select setval('t.commits', 1, false)");
	proxy_start(&proxy, &cluster);
	proxy.lose_sql = "service.receive_events";
	proxy.lose = lost;
	all = store_all(mem, mem_printf(mem, "host=%s dbname=postgres", proxy.dir), name, first);
	assert_int_equal(proxy.lose, 0);
	proxy_stop(&proxy);
	return all;
}

/* Three for each of the two statements. */
static void
test_f76_while_every_reply_is_lost_nothing_is_acknowledged(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;

	(void)state;
	all = store_losing(mem, 6, "evt_unsure", NULL);
	for (int i = 0; i < COPIES; i++)
		assert_int_equal(all[i].err, ERR_UNCERTAIN);
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.commits"), "6");
	talloc_free(mem);
}

/* The second statement loses no reply, so that what it finds is certain. */
static void
test_f76_f71_after_a_lost_reply_the_repeat_acknowledges_and_calls_nothing_a_duplicate(void **state)
{
	mem_ctx		*mem = mem_new();
	struct intake	*all;

	(void)state;
	all = store_losing(mem, 2, "evt_repeat", NULL);
	for (int i = 0; i < COPIES; i++) {
		assert_int_equal(all[i].err, OK);
		assert_false(all[i].duplicate);
	}
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.commits"), "4");
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_repeat%'"), "100");
	all = store_losing(mem, 1, "evt_repeat", "evt_rep_new");
	for (int i = 0; i < COPIES; i++)
		assert_int_equal(all[i].duplicate, i >= INTAKE_EVENTS);
	talloc_free(mem);
}

/* A statement takes 4 MiB: four of these, or one that is larger. */
static void
test_f08_large_events_share_a_statement_of_four_mebibytes_at_most(void **state)
{
	enum { LARGE = 1 << 20, N = 10 };
	mem_ctx		*mem = mem_new();
	struct db	*db = db_open(mem, &(struct db_options){ .conninfo = cluster.conninfo, .role = "tollgate_test",
			    .pool = 1, .wait_ms = 500, .timeout_ms = 20000, .prepared = true });
	struct intake	*all = talloc_zero_array(mem, struct intake, N);
	char		*body = talloc_zero_size(mem, 5 * LARGE);

	(void)state;
	for (int i = 0; i < N; i++) {
		all[i].event = (struct inbox_event){ .id = mem_printf(mem, "evt_large%d", i), .type = "x.y" };
		all[i].receipt = (struct receipt){ .body = body, .n = i == N - 1 ? 5 * LARGE : LARGE, .signature = "t=1" };
	}
	cluster_ask(&cluster, "select setval('t.commits', 1, false)");
	intake_store(db, all, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(all[i].err, OK);
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.commits"), "4");
	assert_string_equal(cluster_ask(&cluster, "select max(octet_length(raw)) from t.events"), "5242880");
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f72_those_that_come_together_share_a_commit),
		cmocka_unit_test(test_f71_those_that_are_known_are_told_so),
		cmocka_unit_test(test_f77_a_poisonous_event_fails_alone),
		cmocka_unit_test(test_f75_without_a_database_nothing_is_acknowledged),
		cmocka_unit_test(test_f76_while_every_reply_is_lost_nothing_is_acknowledged),
		cmocka_unit_test(test_f76_f71_after_a_lost_reply_the_repeat_acknowledges_and_calls_nothing_a_duplicate),
		cmocka_unit_test(test_f08_large_events_share_a_statement_of_four_mebibytes_at_most),
	};

	mem_init();
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
