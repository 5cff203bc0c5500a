/* batch: events that come together are stored together, and each is answered for itself. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "batch.h"
#include "cluster.h"

enum { COPIES = 40 };

/* Stand-ins for the real ones: slow enough for a queue to form, refusing what is called poison. */
static const char setup_sql[] =
    "create schema service; grant usage on schema service to tollgate_test;"
    "create table t.events (id text primary key, raw bytea);"
    "create sequence t.commits; grant usage, select on t.commits to tollgate_test;"
    "create function service.receive_event(id text, text, text, bigint, boolean, raw bytea, text, int, text, text)"
    "  returns jsonb language plpgsql security definer as $$ begin"
    "  if $1 like '%poison%' then raise exception using errcode = '22021'; end if;"
    "  perform nextval('t.commits'); insert into t.events values ($1, $6) on conflict do nothing;"
    "  return jsonb_build_object('duplicate', not found); end $$;"
    "create function service.receive_events(about jsonb, blob bytea) returns jsonb language plpgsql security definer as $$"
    "  declare fresh jsonb; begin"
    "  if about::text like '%poison%' then raise exception using errcode = '22021'; end if;"
    "  perform nextval('t.commits'), pg_sleep(0.02);"
    "  with n as (insert into t.events select a.id, substring(blob from a.at for a.size)"
    "    from jsonb_to_recordset(about) as a(id text, at int, size int) on conflict do nothing returning id)"
    "  select coalesce(jsonb_agg(id), '[]') into fresh from n; return fresh; end $$;";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

struct sender {
	struct batch	*batch;
	struct db	*db;
	pthread_t	thread;
	char		id[32];
	enum err	err;
	bool		duplicate;
};

static void *
send_one(void *arg)
{
	struct sender			*s = arg;
	mem_ctx				*mem = mem_new();
	const struct inbox_event	e = { .id = s->id, .type = "x.y" };
	const struct inbox_receipt	r = { .body = s->id, .n = strlen(s->id), .signature = "t=1" };

	s->err = batch_receive(s->batch, s->db, mem, &e, &r, &s->duplicate);
	talloc_free(mem);
	return NULL;
}

/* All at once, each from a thread of its own: NAME0, NAME1, ...; the first one may be called otherwise. */
static void
send_all(mem_ctx *mem, const char *conninfo, struct sender *senders, const char *name, const char *first)
{
	struct batch	*batch = talloc(mem, struct batch);
	struct db	*db = db_open(mem, &(struct db_options){ .conninfo = conninfo, .role = "tollgate_test",
			    .pool = 2, .wait_ms = 500, .timeout_ms = 4000, .prepared = true });

	*batch = (struct batch)BATCH_NEW;
	for (int i = 0; i < COPIES; i++) {
		senders[i] = (struct sender){ .batch = batch, .db = db, .err = ERR_INTERNAL };
		snprintf(senders[i].id, sizeof(senders[i].id), "%s%d", name, i);
	}
	if (first != NULL)
		snprintf(senders[0].id, sizeof(senders[0].id), "%s", first);
	for (int i = 0; i < COPIES; i++)
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_one, &senders[i]), 0);
	for (int i = 0; i < COPIES; i++)
		pthread_join(senders[i].thread, NULL);
}

static void
test_f72_those_that_come_together_share_a_commit(void **state)
{
	mem_ctx		*mem = mem_new();
	struct sender	senders[COPIES];

	(void)state;
	cluster_ask(&cluster, "select setval('t.commits', 1)");
	send_all(mem, cluster.conninfo, senders, "evt_many", NULL);
	for (int i = 0; i < COPIES; i++) {
		assert_int_equal(senders[i].err, OK);
		assert_false(senders[i].duplicate);
	}
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_many%'"
	    " and id = convert_from(raw, 'UTF8')"), "40");
	assert_true(atoi(cluster_ask(&cluster, "select last_value from t.commits")) < COPIES);
	talloc_free(mem);
}

static void
test_f71_those_that_are_known_are_told_so(void **state)
{
	mem_ctx		*mem = mem_new();
	struct sender	senders[COPIES];

	(void)state;
	send_all(mem, cluster.conninfo, senders, "evt_twice", NULL);
	send_all(mem, cluster.conninfo, senders, "evt_twice", "evt_new");
	for (int i = 0; i < COPIES; i++) {
		assert_int_equal(senders[i].err, OK);
		assert_int_equal(senders[i].duplicate, i > 0);
	}
	talloc_free(mem);
}

static void
test_f77_a_poisonous_event_fails_alone(void **state)
{
	mem_ctx		*mem = mem_new();
	struct sender	senders[COPIES];

	(void)state;
	send_all(mem, cluster.conninfo, senders, "evt_good", "evt_poison");
	assert_int_equal(senders[0].err, ERR_INVALID);
	for (int i = 1; i < COPIES; i++)
		assert_int_equal(senders[i].err, OK);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_good%'"), "39");
	talloc_free(mem);
}

static void
test_f75_without_a_database_nobody_is_told_yes(void **state)
{
	mem_ctx		*mem = mem_new();
	struct sender	senders[COPIES];
	struct proxy	proxy;

	(void)state;
	proxy_start(&proxy, &cluster);
	proxy.mode = PROXY_CUT;
	send_all(mem, mem_printf(mem, "host=%s dbname=postgres", proxy.dir), senders, "evt_lost", NULL);
	proxy_stop(&proxy);
	for (int i = 0; i < COPIES; i++)
		assert_int_equal(senders[i].err, ERR_UNAVAILABLE);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.events where id like 'evt_lost%'"), "0");
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f72_those_that_come_together_share_a_commit),
		cmocka_unit_test(test_f71_those_that_are_known_are_told_so),
		cmocka_unit_test(test_f77_a_poisonous_event_fails_alone),
		cmocka_unit_test(test_f75_without_a_database_nobody_is_told_yes),
	};

	mem_init();
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
