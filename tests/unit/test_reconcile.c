/* reconcile: a page is written down once, although replies of the database are lost, and its pass holds a lease. */
#include "upstream.h"

#include "cluster.h"
#include "log.h"
#include "reconcile.h"

/* Stand-ins: one pass is due; t.steps has its pages as they were written down, t.left its end before the last. */
static const char setup_sql[] =
    "create schema service; grant usage on schema service to tollgate_test;"
    "create table t.due (name text, busy boolean, held_for int);"
    "create table t.steps (step text, entries jsonb, prev text, after text, more boolean, lease int);"
    "create table t.taken (name text, every int, at int, lease int);"
    "create table t.left (name text, wait int, anew boolean);"
    "create function service.take_cursor(n text, every int, o int, lease int) returns jsonb language sql"
    "  security definer as $$ insert into t.taken values (n, every, o, lease);"
    "  select case when busy then '{\"busy\": true}' else jsonb_build_object("
    "  'claim', gen_random_uuid(), 'from', '1', 'now', now(), 'lease', lease) end from t.due where name = n $$;"
    "create function t.step(s text, p jsonb, prev text, a text, m boolean, l int) returns jsonb language plpgsql as $$"
    "  begin if (select count(*) >= (select held_for from t.due) from t.steps) then"
    "    raise exception 'not held' using errcode = 'TG409'; end if;"
    "  insert into t.steps values (s, p, prev, a, m, l);"
    "  return jsonb_build_object('now', now(), 'found', '[]'::jsonb); end $$;"
    "do $do$ begin for i in 1..3 loop execute format("
    "  'create function service.%1$s(n text, c uuid, p jsonb, listed timestamptz, prev text, a text, m boolean, l int)"
    "  returns jsonb language sql security definer as $f$ select t.step(%1$L, p, prev, a, m, l) $f$',"
    "  (array['adopt_events', 'compare_subscriptions', 'mark_objects'])[i]); end loop; end $do$;"
    "create function service.leave_cursor(n text, c uuid, w int, anew boolean) returns jsonb language sql"
    "  security definer as 'insert into t.left values (n, w, anew) returning null::jsonb';";

#define PAGE(id, more) ANSWER("200 OK", "{\"data\":[{\"id\":\"" id "\"}],\"has_more\":" more "}")
#define GONE ANSWER("404 Not Found", "{\"error\":{\"code\":\"resource_missing\"}}")
#define STEPS "select coalesce(string_agg(concat_ws(' ', after, prev, more, lease), '; '), '') from t.steps"
#define LEFT "select concat_ws(' ', name, wait, anew) from t.left"

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

/* Which pass is due, how many replies to its writes are lost, and after how many writes its cursor is gone. */
static void
play(struct world *w, const char *pass, int lose, int held_for, enum err err)
{
	struct reconcile_result	result;
	struct proxy		proxy;
	struct db		*db;

	cluster_ask(&cluster, mem_printf(w->mem,
	    "truncate t.due, t.steps, t.left, t.taken; insert into t.due values ('%s', %s, %d)", pass,
	    held_for < 0 ? "true" : "false", held_for));
	proxy_start(&proxy, &cluster);
	proxy.lose_sql = "$3::jsonb";
	proxy.lose = lose;
	db = db_open(w->mem, &(struct db_options){ .conninfo = mem_printf(w->mem, "host=%s dbname=postgres", proxy.dir),
	    .role = "tollgate_test", .pool = 1, .wait_ms = 500, .timeout_ms = 2000, .prepared = true });
	assert_int_equal(reconcile_now(&(struct reconcile){ .db = db, .stripe = w->stripe }, &result), err);
	assert_int_equal(proxy.lose, 0);
	talloc_free(db);
	proxy_stop(&proxy);
}

static void
test_f78_each_page_is_written_with_its_cursor_and_a_new_lease(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, PAGE("x_2", "true"), PAGE("x_1", "false"));
	play(&w, "invoices", 0, 9, OK);
	assert_string_equal(cluster_ask(&cluster, STEPS), "x_2 t 60; x_1 x_2 f 60");
	assert_string_equal(cluster_ask(&cluster, "select step || entries from t.steps where not more"),
	    "mark_objects[{\"id\": \"x_1\", \"kind\": \"invoice\"}]");
	assert_string_equal(cluster_ask(&cluster, LEFT), "");
	assert_non_null(strstr(w.server.asked[0], "GET /v1/invoices?created[gte]=1&limit=100 "));
	end(&w, 2);
}

#define TAKEN "select string_agg(concat_ws(' ', name, every, at, lease), '; ' order by every desc, at, name)" \
	" from t.taken"

/* Which pass is due is for the database to say, by these intervals. */
static void
test_f81_each_pass_has_its_interval_and_the_operator_waits_for_none(void **state)
{
	struct world		w;
	struct db		*db;
	bool			found = false;

	(void)state;
	BEGIN(&w, FINE);
	play(&w, "none", 0, 9, OK);
	assert_string_equal(cluster_ask(&cluster, TAKEN), "events 0 0 60; subscriptions 0 0 60; undelivered 0 0 60; "
	    "checkouts -1 0 60; disputes -1 0 60; invoices -1 0 60; refunds -1 0 60");
	db = db_open(w.mem, &(struct db_options){ .conninfo = cluster.conninfo, .role = "tollgate_test", .pool = 1,
	    .wait_ms = 500, .timeout_ms = 2000, .prepared = true });
	cluster_ask(&cluster, "truncate t.taken");
	assert_int_equal(reconcile_due(&(struct reconcile){ .db = db, .stripe = w.stripe }, 300, 3, &found), OK);
	assert_false(found);
	assert_string_equal(cluster_ask(&cluster, TAKEN), "subscriptions 86400 10800 60; undelivered 3600 0 60; "
	    "events 300 0 60; checkouts -1 0 60; disputes -1 0 60; invoices -1 0 60; refunds -1 0 60");
	end(&w, 0);
}

static void
test_f88_a_lost_reply_to_a_page_is_asked_for_again(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, PAGE("x_2", "true"), PAGE("x_1", "false"));
	play(&w, "subscriptions", 2, 9, OK);
	assert_string_equal(cluster_ask(&cluster, STEPS), "x_2 t 60; x_2 t 60; x_2 t 60; x_1 x_2 f 60");
	assert_string_equal(cluster_ask(&cluster, LEFT), "");
	end(&w, 2);
}

static void
test_f88_three_lost_replies_leave_the_pass_to_be_resumed(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, PAGE("x_2", "true"), PAGE("x_1", "false"));
	play(&w, "events", 3, 9, ERR_UNCERTAIN);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.steps"), "3");
	assert_string_equal(cluster_ask(&cluster, LEFT), "events 30 f");
	end(&w, 1);
}

/* A pass that was asked for once has no cursor any more when its last page is written. */
static void
test_f88_a_cursor_that_is_gone_after_a_lost_reply_to_the_last_page_is_no_failure(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, PAGE("x_1", "false"));
	play(&w, "checkouts", 1, 1, OK);
	assert_string_equal(cluster_ask(&cluster, STEPS), "x_1 f 60");
	assert_string_equal(cluster_ask(&cluster, LEFT), "");
	end(&w, 1);
}

static void
test_f78_a_cursor_that_another_process_has_taken_is_a_conflict(void **state)
{
	static const struct {
		const char	*page;
		int		lose, held_for;
	} table[] = { { PAGE("x_1", "false"), 0, 0 }, { PAGE("x_1", "true"), 1, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct world	w;

		BEGIN(&w, table[i].page);
		play(&w, "checkouts", table[i].lose, table[i].held_for, ERR_CONFLICT);
		end(&w, 1);
	}
}

static void
test_f78_a_pass_that_another_process_runs_is_left_alone(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	play(&w, "subscriptions", 0, -1, ERR_CONFLICT);
	assert_string_equal(cluster_ask(&cluster, LEFT), "");
	end(&w, 0);
}

static void
test_f81_a_pass_whose_place_stripe_does_not_know_any_more_begins_anew(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, PAGE("x_2", "true"), GONE);
	play(&w, "invoices", 0, 9, ERR_NOT_FOUND);
	assert_string_equal(cluster_ask(&cluster, LEFT), "invoices 30 t");
	end(&w, 2);
	BEGIN(&w, GONE);
	play(&w, "invoices", 0, 9, ERR_NOT_FOUND);
	assert_string_equal(cluster_ask(&cluster, LEFT), "invoices 30 f");
	end(&w, 1);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f78_each_page_is_written_with_its_cursor_and_a_new_lease),
		cmocka_unit_test(test_f81_each_pass_has_its_interval_and_the_operator_waits_for_none),
		cmocka_unit_test(test_f88_a_lost_reply_to_a_page_is_asked_for_again),
		cmocka_unit_test(test_f88_three_lost_replies_leave_the_pass_to_be_resumed),
		cmocka_unit_test(test_f88_a_cursor_that_is_gone_after_a_lost_reply_to_the_last_page_is_no_failure),
		cmocka_unit_test(test_f78_a_cursor_that_another_process_has_taken_is_a_conflict),
		cmocka_unit_test(test_f78_a_pass_that_another_process_runs_is_left_alone),
		cmocka_unit_test(test_f81_a_pass_whose_place_stripe_does_not_know_any_more_begins_anew),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
