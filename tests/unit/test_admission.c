/* admission: a connection serves nothing before the database has admitted it. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "cluster.h"
#include "log.h"
#include "pool.h"

/* t.gate: how to answer. t.asked: with which arguments it was asked. */
static const char setup_sql[] =
    "create schema api; grant usage on schema api to tollgate_test;"
    "create table t.gate (code text, sleep float8 not null); create table t.asked (environment text, migration text);";
static const char admit_sql[] =
    "create or replace function api.admit(e text, m text) returns void language plpgsql security definer as $$ begin"
    "  if exists (select from t.gate where code is not null) then"
    "    raise exception 'not you' using errcode = (select code from t.gate); end if;"
    "  perform pg_sleep(sleep) from t.gate; insert into t.asked values (e, m); end $$;"
    "truncate t.gate, t.asked; insert into t.gate values (null, 0)";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

static int
setup(void **state)
{
	cluster_ask(&cluster, admit_sql);
	*state = db_open(NULL, &(struct db_options){ .conninfo = cluster.conninfo, .role = "tollgate_test", .pool = 2,
	    .wait_ms = 100, .timeout_ms = 10000, .environment = "preview" });
	return 0;
}

static int
teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* Of ours, once those that are ending have ended. */
static long
backends(void)
{
	long	n = 1;

	for (int i = 0; i < 200 && n > 0; i++) {
		usleep(i > 0 ? 10000 : 0);
		n = atol(cluster_ask(&cluster, "select count(*) from pg_stat_activity where usename = 'tollgate_test'"));
	}
	return n;
}

/* How the database answers from now on, to new connections: the old ones are ended. */
static void
gate_set(const char *code)
{
	char	sql[80];

	snprintf(sql, sizeof(sql), "update t.gate set code = nullif('%s', '')", code);
	cluster_ask(&cluster, sql);
	cluster_ask(&cluster,
	    "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'tollgate_test'");
	assert_int_equal(backends(), 0);
}

static void
test_c92_a_connection_says_what_it_is_for_once(void **state)
{
	char	last[64] = "";
	FILE	*list = popen("ls schema/migrations | tail -n 1", "r");

	assert_non_null(fgets(last, sizeof(last), list));
	pclose(list);
	*strstr(last, ".sql") = '\0';
	for (int i = 0; i < 5; i++)
		assert_int_equal(db_ping(*state), OK);
	assert_string_equal(cluster_ask(&cluster, "select count(*) from t.asked"), "1");
	assert_string_equal(cluster_ask(&cluster, "select environment from t.asked"), "preview");
	assert_string_equal(cluster_ask(&cluster, "select migration from t.asked"), last);
}

/* How often "db_refused" is logged while the database is asked for a second. */
static int
refusals_logged(struct db *db)
{
	int	saved = dup(STDERR_FILENO), n = 0;
	FILE	*said = tmpfile();
	char	line[1024];

	dup2(fileno(said), STDERR_FILENO);
	for (int i = 0; i < 100; i++) {
		if (db_ping(db) != ERR_UNAVAILABLE)
			n = -1000;
		usleep(10000);
	}
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(said);
	while (fgets(line, sizeof(line), said))
		n += strstr(line, "\"db_refused\"") != NULL && strstr(line, "not you") != NULL;
	fclose(said);
	return n;
}

static void
test_c92_a_refused_connection_is_closed_and_told_once_an_outage(void **state)
{
	assert_int_equal(db_ping(*state), OK);
	gate_set("TG403");
	assert_int_equal(refusals_logged(*state), 1);
	assert_int_equal(backends(), 0);
	gate_set("");
	for (int i = 0; i < 60 && db_ping(*state) != OK; i++)
		usleep(100000);
	assert_int_equal(db_ping(*state), OK);
	gate_set("TG403");
	assert_int_equal(refusals_logged(*state), 1);
}

static void
test_c92_a_program_that_starts_is_told_the_reason(void **state)
{
	static const struct {
		const char	*code;
		enum err	err;
		const char	*why;
	} table[] = {
		{ "TG403", ERR_FORBIDDEN, "not you" }, { "TG503", ERR_CONFLICT, "not you" },
		{ "42501", ERR_CONFLICT, "the role of this program lacks its grants: run tollgate migrate" },
		{ "55P03", ERR_UNAVAILABLE, NULL }, { "53300", ERR_UNAVAILABLE, NULL },
	};
	mem_ctx		*mem = mem_new();
	const char	*why;

	assert_int_equal(db_admit(*state, mem, &why), OK);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		gate_set(table[i].code);
		((struct db *)*state)->connect_at = 0;
		assert_int_equal(db_admit(*state, mem, &why), table[i].err);
		assert_true(table[i].why ? why && strcmp(why, table[i].why) == 0 : why == NULL);
	}
	talloc_free(mem);
}

static void
test_f93_a_database_that_does_not_know_the_question_is_too_old(void **state)
{
	mem_ctx		*mem = mem_new();
	const char	*why;

	cluster_ask(&cluster, "drop function api.admit(text, text)");
	assert_int_equal(db_admit(*state, mem, &why), ERR_CONFLICT);
	assert_string_equal(why, "the schema of the database is older than this program: run tollgate migrate");
	assert_int_equal(db_ping(*state), ERR_UNAVAILABLE);
	talloc_free(mem);
}

static void
test_f86_a_database_that_does_not_answer_is_not_waited_for(void **state)
{
	mem_ctx		*mem = mem_new();
	int64_t		began = clock_ms();
	const char	*why;

	cluster_ask(&cluster, "update t.gate set sleep = 30");
	assert_int_equal(db_admit(*state, mem, &why), ERR_UNAVAILABLE);
	assert_null(why);
	assert_in_range(clock_ms() - began, 1500, 4000);
	talloc_free(mem);
}

/* A reason of before would send the operator to look at a database that is not the fault. */
static void
test_c92_an_old_refusal_is_not_the_reason_once_the_database_is_away(void **state)
{
	mem_ctx		*mem = mem_new();
	struct proxy	proxy;
	struct db	*db;
	const char	*why;

	(void)state;
	proxy_start(&proxy, &cluster);
	db = db_open(NULL, &(struct db_options){ .conninfo = mem_printf(mem, "host=%s dbname=postgres", proxy.dir),
	    .role = "tollgate_test", .pool = 1, .wait_ms = 100, .timeout_ms = 1000, .environment = "preview" });
	gate_set("TG403");
	assert_int_equal(db_admit(db, mem, &why), ERR_FORBIDDEN);
	proxy.mode = PROXY_CUT;
	db->connect_at = 0;
	assert_int_equal(db_admit(db, mem, &why), ERR_UNAVAILABLE);
	assert_null(why);
	talloc_free(db);
	proxy_stop(&proxy);
	talloc_free(mem);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_c92_a_connection_says_what_it_is_for_once),
		TEST(test_c92_a_refused_connection_is_closed_and_told_once_an_outage),
		TEST(test_c92_a_program_that_starts_is_told_the_reason),
		TEST(test_c92_an_old_refusal_is_not_the_reason_once_the_database_is_away),
		TEST(test_f93_a_database_that_does_not_know_the_question_is_too_old),
		TEST(test_f86_a_database_that_does_not_answer_is_not_waited_for),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
