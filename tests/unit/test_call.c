/* call: the answers of a call, and its error when it fails. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call.h"
#include "clock.h"
#include "cluster.h"
#include "json.h"
#include "pool.h"

#define ALICE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char setup_sql[] =
    "create sequence t.runs; grant usage, select on t.runs to tollgate_test;"
    "create function t.echo(j jsonb) returns jsonb language sql as 'select j';"
    "create function t.quote(s text) returns jsonb language sql as 'select to_jsonb(s)';"
    "create function t.hex(b bytea) returns jsonb language sql as $$ select to_jsonb(encode(b, 'hex')) $$;"
    "create function t.settings() returns jsonb language sql as $$"
    "  select to_jsonb(concat_ws(' ', current_setting('search_path'),"
    "  current_setting('client_min_messages'), current_setting('statement_timeout'), current_setting('lock_timeout'),"
    "  current_setting('idle_in_transaction_session_timeout'))) $$;"
    "create function t.issue(age text, fail boolean) returns jsonb language plpgsql as $$ begin"
    "  if current_setting('app.candidate', true) <> '' then raise info '%', age using errcode = 'TG001'; end if;"
    "  if fail then raise exception 'no' using errcode = 'TG404'; end if;"
    "  return to_jsonb(current_setting('app.candidate', true)); end $$;"
    "create function t.spend(seconds text, code text) returns jsonb language plpgsql as $$ begin"
    "  raise info '%', seconds using errcode = 'TG003';"
    "  if code <> '' then raise exception 'no' using errcode = code; end if; return '1'; end $$;"
    "create function t.nothing() returns void language sql as '';"
    "create function t.two() returns setof jsonb language sql as 'values (jsonb ''1''), (jsonb ''2'')';"
    "create function t.raise(code text) returns jsonb language plpgsql as $$ begin"
    "  raise exception using errcode = code, message = 'no such luck'; end $$;"
    "create function t.raise_until(code text, run int) returns jsonb language plpgsql as $$ begin"
    "  if nextval('t.runs') < run then raise exception using errcode = code, message = 'again'; end if;"
    "  return jsonb_build_object('run', currval('t.runs'), 'pid', pg_backend_pid()); end $$;"
    "create function t.die_until(run int) returns jsonb language plpgsql as $$ begin"
    "  if nextval('t.runs') < run then perform pg_terminate_backend(pg_backend_pid()); end if;"
    "  return jsonb_build_object('run', currval('t.runs')); end $$; alter function t.die_until security definer;"
    "create function t.refuse() returns trigger language plpgsql as $$ begin"
    "  raise exception using errcode = 'TG409', message = 'late'; end $$;"
    "create table t.late (n int); grant insert on t.late to tollgate_test;"
    "create constraint trigger late after insert on t.late deferrable initially deferred"
    "  for each row execute function t.refuse();"
    "create function t.put_late() returns void language sql as 'insert into t.late values (1)';"
    "create function t.fall() returns trigger language plpgsql security definer as $$ begin"
    "  perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return null; end $$;"
    "create table t.last (n int); grant insert on t.last to tollgate_test;"
    "create constraint trigger fall after insert on t.last deferrable initially deferred"
    "  for each row execute function t.fall();"
    "create function t.put_last() returns void language sql as 'insert into t.last select nextval(''t.runs'')';";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

static struct db_options
options(const char *conninfo)
{
	return (struct db_options){ .conninfo = conninfo, .role = "tollgate_test", .pool = 1, .wait_ms = 1000,
	    .timeout_ms = 2000, .prepared = true };
}

/* What one test works with: its memory, a pool of one connection, and a visitor. */
struct stage {
	mem_ctx			*mem;
	struct db		*db;
	struct db_visitor	*visitor;
	struct json_object	*doc;
	struct proxy		proxy;
};

static void
stage_open(struct stage *s, const struct db_options *o)
{
	s->mem = mem_new();
	s->db = db_open(s->mem, o);
	s->visitor = db_as_visitor(s->mem, s->db);
	s->doc = NULL;
}

static int
stage_setup(void **state)
{
	struct stage		*s = calloc(1, sizeof(*s));
	struct db_options	o = options(cluster.conninfo);

	stage_open(s, &o);
	cluster_ask(&cluster, "select setval('t.runs', 1, false)");
	*state = s;
	return 0;
}

static int
proxy_setup(void **state)
{
	struct stage		*s = calloc(1, sizeof(*s));
	char			conninfo[160];
	struct db_options	o = options(conninfo);

	proxy_start(&s->proxy, &cluster);
	snprintf(conninfo, sizeof(conninfo), "host=%s dbname=postgres", s->proxy.dir);
	o.timeout_ms = 10000;
	stage_open(s, &o);
	cluster_ask(&cluster, "truncate t.rows");
	*state = s;
	return 0;
}

static int
stage_teardown(void **state)
{
	struct stage	*s = *state;

	talloc_free(s->mem);
	if (*s->proxy.dir)
		proxy_stop(&s->proxy);
	free(s);
	return 0;
}

static int64_t
backend(struct stage *s)
{
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.who()", NO_ARGS), OK);
	return json_int(s->doc, "/pid", 0);
}

static void
test_answers_are_jsonb_boolean_or_nothing(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.echo($1)", ARGS(TEXT("{\"a\": [1, \"x\"]}"))), OK);
	assert_string_equal(json_text(s->doc, "/a/1"), "x");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "1 = 1", NO_ARGS), OK);
	assert_true(json_true(s->doc, ""));
	assert_int_equal(db_visitor(s->visitor, &s->doc, "1 = 2", NO_ARGS), OK);
	assert_non_null(s->doc);
	assert_false(json_true(s->doc, ""));
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.nothing()", NO_ARGS), OK);
	assert_null(s->doc);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.echo($1)", ARGS(SQL_NULL)), OK);
	assert_null(s->doc);
}

static void
test_any_other_answer_is_our_own_mistake(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.two()", NO_ARGS), ERR_INTERNAL);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "now()", NO_ARGS), ERR_INTERNAL);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "1 = 1, 2 = 2", NO_ARGS), ERR_INTERNAL);
}

static void
test_bytes_and_nulls_are_arguments(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.hex($1)", ARGS(BYTES("\0\xff'", 3))), OK);
	assert_string_equal(json_text(s->doc, ""), "00ff27");
}

static void
test_numbers_and_booleans_are_arguments(void **state)
{
	static const int64_t	numbers[] = { 0, -1, 2147483648, INT64_MIN, INT64_MAX };
	struct stage		*s = *state;
	int			n = 7;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		assert_int_equal(db_visitor(s->visitor, &s->doc, "t.quote($1)", ARGS(INT(numbers[i]))), OK);
		assert_string_equal(json_text(s->doc, ""), mem_printf(s->mem, "%lld", (long long)numbers[i]));
	}
	assert_int_equal(db_visitor(s->visitor, &s->doc, "$1::int + $2::bigint = 9", ARGS(INT(n), INT(2))), OK);
	assert_true(json_true(s->doc, ""));
	assert_int_equal(db_visitor(s->visitor, &s->doc, "$1::boolean and not $2::boolean", ARGS(BOOL(n > 0), BOOL(n < 0))),
	    OK);
	assert_true(json_true(s->doc, ""));
}

static void
test_an_answer_need_not_be_read(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, NULL, "t.nothing()", NO_ARGS), OK);
	assert_int_equal(db_visitor(s->visitor, NULL, "t.echo($1)", ARGS(TEXT("{}"))), OK);
	assert_int_equal(db_visitor(s->visitor, NULL, "t.two()", NO_ARGS), ERR_INTERNAL);
	assert_int_equal(db_visitor(s->visitor, NULL, "t.raise('TG404')", NO_ARGS), ERR_NOT_FOUND);
}

static void
test_f94_metacharacters_are_only_text(void **state)
{
	struct stage	*s = *state;
	const char	*text = "'); drop table t.rows; -- $1 \\ \" \xe2\x82\xac";

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.quote($1)", ARGS(TEXT(text))), OK);
	assert_string_equal(json_text(s->doc, ""), text);
}

static void
test_an_argument_of_a_megabyte_passes(void **state)
{
	struct stage	*s = *state;
	size_t		n = 1 << 20;
	char		*text = talloc_size(s->mem, n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.quote($1)", ARGS(TEXT(text))), OK);
	assert_int_equal(json_object_get_string_len(s->doc), n);
}

static void
test_raised_codes_become_errors(void **state)
{
	static const struct {
		const char	*code;
		enum err	err;
	} table[] = {
		{ "TG400", ERR_BAD_REQUEST }, { "TG401", ERR_AUTH }, { "TG403", ERR_FORBIDDEN }, { "TG404", ERR_NOT_FOUND },
		{ "TG409", ERR_CONFLICT }, { "TG422", ERR_INVALID }, { "TG429", ERR_LIMIT }, { "53100", ERR_UNAVAILABLE },
		{ "55P03", ERR_UNAVAILABLE }, { "P0001", ERR_INTERNAL },
	};
	struct stage	*s = *state;
	int64_t		pid = backend(s);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(db_visitor(s->visitor, &s->doc, "t.raise($1)", ARGS(TEXT(table[i].code))), table[i].err);
	assert_int_equal(backend(s), pid);
}

static void
test_an_error_at_commit_is_the_calls_error(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put_late()", NO_ARGS), ERR_CONFLICT);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.late"), "0");
}

static void
test_f90_no_setting_stays_on_the_connection(void **state)
{
	struct stage	*s = *state;
	struct conn	*c;
	PGresult	*r;

	assert_int_equal(db_user(db_as_user(s->mem, s->db, ALICE), &s->doc, "t.who()", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, "/bearer"), ALICE);
	assert_int_equal(pool_take(s->db, clock_ms() + 1000, &c), OK);
	assert_int_equal(PQtransactionStatus(c->pg), PQTRANS_IDLE);
	r = PQexec(c->pg, "select current_setting('app.bearer', true)");
	assert_string_equal(PQgetvalue(r, 0, 0), "");
	PQclear(r);
	pool_give(s->db, c, true);
}

/* Behind a pooler the connection may serve any program next. */
static void
test_f90_f92_without_prepared_statements_no_setting_stays_either(void **state)
{
	static const char *const	names[] = { "app.bearer", "app.candidate", "statement_timeout", "lock_timeout",
		"idle_in_transaction_session_timeout", "client_min_messages" };
	static const char *const	values[] = { "", "", "0", "0", "0", "notice" };
	struct stage			*s = *state;
	struct db_options		o = options(cluster.conninfo);
	struct conn			*c;
	PGresult			*r;

	talloc_free(s->mem);
	o.prepared = false;
	stage_open(s, &o);
	assert_int_equal(db_user(db_as_user(s->mem, s->db, ALICE), &s->doc, "t.who()", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, "/bearer"), ALICE);
	assert_int_equal(pool_take(s->db, clock_ms() + 1000, &c), OK);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		r = PQexec(c->pg, mem_printf(s->mem, "select current_setting('%s', true)", names[i]));
		assert_string_equal(PQgetvalue(r, 0, 0), values[i]);
		PQclear(r);
	}
	pool_give(s->db, c, true);
}

static void
test_s08_a_refusal_by_a_limit_says_when_to_come_back(void **state)
{
	struct stage	*s = *state;
	struct db_user	*me = db_as_user(s->mem, s->db, ALICE);
	long		wait = 7;

	db_visitor_wait(s->visitor, &wait);
	assert_int_equal(db_visitor(s->visitor, NULL, "t.nothing()", NO_ARGS), OK);
	assert_int_equal(wait, 7);
	assert_int_equal(db_visitor(s->visitor, NULL, "t.spend('720', 'TG429')", NO_ARGS), ERR_LIMIT);
	assert_int_equal(wait, 720);
	assert_int_equal(db_user(me, NULL, "t.spend('30', '')", NO_ARGS), OK);
	assert_int_equal(wait, 720);
	db_user_wait(me, &wait);
	assert_int_equal(db_user(me, NULL, "t.spend('30', '')", NO_ARGS), OK);
	assert_int_equal(wait, 30);
}

static void
candidates_check(struct stage *s)
{
	struct db_candidate	c = { .stored = "abc" };
	struct db_user		*me = db_as_user(s->mem, s->db, ALICE);

	assert_int_equal(db_user(me, &s->doc, "t.issue('-1', false)", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, ""), "");
	db_offer(me, &c);
	assert_int_equal(db_user(me, NULL, "t.issue('77', true)", NO_ARGS), ERR_NOT_FOUND);
	assert_false(c.issued);
	assert_int_equal(db_user(me, &s->doc, "t.issue('2592000', false)", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, ""), "abc");
	assert_true(c.issued && c.max_age == 2592000);
	assert_int_equal(db_user(me, NULL, "t.issue('-1', false)", NO_ARGS), OK);
	assert_true(c.issued && c.max_age == -1);
	c = (struct db_candidate){ .stored = "abc" };
	assert_int_equal(db_user(me, NULL, "t.who()", NO_ARGS), OK);
	assert_false(c.issued);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.issue('1', false)", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, ""), "");
}

static void
test_f41_a_candidate_counts_once_its_call_is_committed(void **state)
{
	struct stage		*s = *state;
	struct db_options	o = options(cluster.conninfo);

	candidates_check(s);
	talloc_free(s->mem);
	o.prepared = false;
	stage_open(s, &o);
	candidates_check(s);
}

static void
test_f91_a_bearer_left_in_the_session_reaches_no_other_call(void **state)
{
	struct stage	*s = *state;
	int64_t		pid = backend(s);

	assert_int_equal(db_visitor(s->visitor, &s->doc, "set_config('app.bearer', $1, false) is null", ARGS(TEXT(ALICE))),
	    OK);
	assert_int_equal(backend(s), pid);
	assert_string_equal(json_text(s->doc, "/bearer"), "");
}

static void
test_f87_a_serialization_failure_is_run_again(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.raise_until($1, 3)", ARGS(TEXT("40001"))), OK);
	assert_int_equal(json_int(s->doc, "/run", 0), 3);
}

static void
test_f87_after_three_runs_it_is_enough(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.raise_until($1, 99)", ARGS(TEXT("40P01"))), ERR_UNAVAILABLE);
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.runs"), "3");
}

static void
test_other_errors_are_not_run_again(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.raise_until($1, 99)", ARGS(TEXT("23514"))), ERR_INTERNAL);
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.runs"), "1");
}

static void
test_f85_a_read_only_server_costs_the_connection(void **state)
{
	struct stage	*s = *state;
	int64_t		pid = backend(s);

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.raise_until($1, 2)", ARGS(TEXT("25006"))), OK);
	assert_int_not_equal(json_int(s->doc, "/pid", 0), pid);
}

static void
test_f89_a_statement_over_time_is_unavailable_and_undone(void **state)
{
	struct stage	*s = *state;
	int64_t		pid = backend(s), began = clock_ms();

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.sleep(30)", NO_ARGS), ERR_UNAVAILABLE);
	assert_in_range(clock_ms() - began, 1500, 2100);
	assert_int_equal(backend(s), pid);
}

static void
test_f84_a_backend_killed_while_idle_is_not_noticed(void **state)
{
	struct stage	*s = *state;
	int64_t		pid = backend(s);

	cluster_ask(&cluster,
	    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'tollgate_test'");
	assert_int_not_equal(backend(s), pid);
}

static void
test_f84_a_backend_killed_at_work_is_run_again(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.die_until(2)", NO_ARGS), OK);
	assert_int_equal(json_int(s->doc, "/run", 0), 2);
	cluster_ask(&cluster, "select setval('t.runs', 1, false)");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.die_until(99)", NO_ARGS), ERR_UNAVAILABLE);
}

static void
test_f92_without_prepared_statements_nothing_is_left_in_the_session(void **state)
{
	struct stage		*s = *state;
	struct db_options	o = options(cluster.conninfo);

	assert_int_equal(db_visitor(s->visitor, &s->doc, "to_jsonb(count(*)) from pg_prepared_statements", NO_ARGS), OK);
	assert_int_equal(json_int(s->doc, "", -1), 2);
	talloc_free(s->mem);
	o.prepared = false;
	stage_open(s, &o);
	backend(s);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "to_jsonb(count(*)) from pg_prepared_statements", NO_ARGS), OK);
	assert_int_equal(json_int(s->doc, "", -1), 0);
}

/* A pooler refuses these settings at connect, so each call sets them. */
static void
test_f92_without_prepared_statements_the_settings_of_a_call_are_ours_all_the_same(void **state)
{
	struct stage		*s = *state;
	struct db_options	o = options(cluster.conninfo);

	talloc_free(s->mem);
	o.prepared = false;
	stage_open(s, &o);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.settings()", NO_ARGS), OK);
	assert_string_equal(json_text(s->doc, ""), "pg_catalog,pg_temp warning 1800ms 1s 5s");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.sleep(5)", NO_ARGS), ERR_UNAVAILABLE);
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.settings()", NO_ARGS), OK);
}

static void
test_a_statement_that_failed_to_prepare_can_be_called_again(void **state)
{
	struct stage	*s = *state;
	int64_t		pid = backend(s);

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.soon()", NO_ARGS), ERR_INTERNAL);
	cluster_ask(&cluster, "create function t.soon() returns jsonb language sql as $$ select jsonb '7' $$");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.soon()", NO_ARGS), OK);
	assert_int_equal(json_int(s->doc, "", 0), 7);
	assert_int_equal(backend(s), pid);
}

static void
test_f93_a_function_made_anew_under_a_prepared_statement_still_answers(void **state)
{
	struct stage	*s = *state;

	cluster_ask(&cluster, "create function t.turn() returns jsonb language sql as $$ select jsonb '1' $$");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.turn()", NO_ARGS), OK);
	cluster_ask(&cluster,
	    "drop function t.turn(); create function t.turn() returns boolean language sql as 'select true'");
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.turn()", NO_ARGS), OK);
	assert_true(json_true(s->doc, ""));
}

static void
test_more_statements_than_the_table_holds(void **state)
{
	struct stage	*s = *state;

	for (int round = 0, n = POOL_STATEMENTS + 10; round < 2; round++) {
		for (int i = 0; i < n; i++) {
			assert_int_equal(db_call(s->db, s->mem, &db_nobody, &s->doc,
			    mem_printf(s->mem, "select to_jsonb(%d)", i), NO_ARGS), OK);
			assert_int_equal(json_int(s->doc, "", -1), i);
		}
	}
}

static void
test_f88_a_lost_reply_is_uncertain_and_not_repeated(void **state)
{
	struct stage	*s = *state;

	backend(s);
	s->proxy.mode = PROXY_LOSE_REPLY;
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT("lost"))), ERR_UNCERTAIN);
	assert_string_equal(cluster_ask(&cluster, "select n from t.rows where key = 'lost'"), "1");
	s->proxy.mode = PROXY_PASS;
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT("lost"))), OK);
	assert_int_equal(json_int(s->doc, "", 0), 2);
}

/* At the commit, which it may have come after: a trigger ends the server's process there. */
static void
test_f88_a_fatal_error_after_the_result_is_uncertain_and_not_repeated(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put_last()", NO_ARGS), ERR_UNCERTAIN);
	assert_string_equal(cluster_ask(&cluster, "select last_value from t.runs"), "1");
	assert_int_equal(db_ping(s->db), OK);
}

/* What the server says in place of its reply, and then the connection ends. */
static void
test_f88_what_the_server_says_last_decides_whether_the_call_is_uncertain(void **state)
{
	static const struct {
		const char	*severity, *code;
		enum err	err;
		const char	*runs;		/* of the call */
	} table[] = {
		{ "FATAL", "57P01", ERR_UNAVAILABLE, "3" }, { "PANIC", "XX000", ERR_UNCERTAIN, "1" },
		{ "PANIC", "57P01", ERR_UNCERTAIN, "1" }, { "FATAL", "08P01", ERR_UNCERTAIN, "1" },
		{ "ERROR", "08006", ERR_UNCERTAIN, "1" }, { "ERROR", "TG409", ERR_CONFLICT, "1" },
	};
	struct stage	*s = *state;

	s->proxy.lose_sql = "t.put(";
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		cluster_ask(&cluster, "truncate t.rows");
		proxy_say(&s->proxy, s->mem, table[i].severity, table[i].code);
		s->proxy.lose = 3;
		assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT("said"))), table[i].err);
		s->proxy.lose = 0;
		assert_string_equal(cluster_ask(&cluster, "select n from t.rows"), table[i].runs);
	}
}

static void
test_f86_silence_ends_at_the_deadline_as_uncertain(void **state)
{
	struct stage	*s = *state;
	int64_t		began;

	backend(s);
	s->db->options.timeout_ms = 700;
	s->proxy.mode = PROXY_SWALLOW;
	began = clock_ms();
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT("silent"))), ERR_UNCERTAIN);
	assert_in_range(clock_ms() - began, 690, 1000);
}

static void
test_f86_what_was_never_sent_whole_is_unavailable(void **state)
{
	struct stage	*s = *state;
	size_t		n = 8 << 20;
	char		*text = talloc_size(s->mem, n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	backend(s);
	s->db->options.timeout_ms = 700;
	s->proxy.mode = PROXY_DEAF;
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT(text))), ERR_UNAVAILABLE);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.rows"), "0");
}

static void
test_f84_a_connection_cut_while_idle_is_replaced(void **state)
{
	struct stage	*s = *state;

	backend(s);
	s->proxy.mode = PROXY_CUT;
	usleep(100000);
	s->proxy.mode = PROXY_PASS;
	assert_int_equal(db_visitor(s->visitor, &s->doc, "t.put($1)", ARGS(TEXT("cut"))), OK);
	assert_int_equal(s->proxy.accepted, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
#define PROXY_TEST(f) cmocka_unit_test_setup_teardown(f, proxy_setup, stage_teardown)

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_answers_are_jsonb_boolean_or_nothing),
		TEST(test_s08_a_refusal_by_a_limit_says_when_to_come_back),
		TEST(test_any_other_answer_is_our_own_mistake),
		TEST(test_bytes_and_nulls_are_arguments),
		TEST(test_numbers_and_booleans_are_arguments),
		TEST(test_an_answer_need_not_be_read),
		TEST(test_f94_metacharacters_are_only_text),
		TEST(test_an_argument_of_a_megabyte_passes),
		TEST(test_raised_codes_become_errors),
		TEST(test_an_error_at_commit_is_the_calls_error),
		TEST(test_f90_no_setting_stays_on_the_connection),
		TEST(test_f90_f92_without_prepared_statements_no_setting_stays_either),
		TEST(test_f41_a_candidate_counts_once_its_call_is_committed),
		TEST(test_f91_a_bearer_left_in_the_session_reaches_no_other_call),
		TEST(test_f87_a_serialization_failure_is_run_again),
		TEST(test_f87_after_three_runs_it_is_enough),
		TEST(test_other_errors_are_not_run_again),
		TEST(test_f85_a_read_only_server_costs_the_connection),
		TEST(test_f89_a_statement_over_time_is_unavailable_and_undone),
		TEST(test_f84_a_backend_killed_while_idle_is_not_noticed),
		TEST(test_f84_a_backend_killed_at_work_is_run_again),
		TEST(test_f92_without_prepared_statements_nothing_is_left_in_the_session),
		TEST(test_f92_without_prepared_statements_the_settings_of_a_call_are_ours_all_the_same),
		TEST(test_a_statement_that_failed_to_prepare_can_be_called_again),
		TEST(test_f93_a_function_made_anew_under_a_prepared_statement_still_answers),
		TEST(test_more_statements_than_the_table_holds),
		TEST(test_f88_a_fatal_error_after_the_result_is_uncertain_and_not_repeated),
		PROXY_TEST(test_f88_what_the_server_says_last_decides_whether_the_call_is_uncertain),
		PROXY_TEST(test_f88_a_lost_reply_is_uncertain_and_not_repeated),
		PROXY_TEST(test_f86_silence_ends_at_the_deadline_as_uncertain),
		PROXY_TEST(test_f86_what_was_never_sent_whole_is_unavailable),
		PROXY_TEST(test_f84_a_connection_cut_while_idle_is_replaced),
	};

	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
