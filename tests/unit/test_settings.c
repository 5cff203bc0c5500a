/* settings: what a role has altered of itself does not reach a call. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "call.h"
#include "cluster.h"
#include "json.h"

/* What a role may set for itself, and what a call must see instead. */
static const struct {
	const char	*name, *altered, *pinned;
} settings[] = {
	{ "search_path", "public", "pg_catalog,pg_temp" }, { "synchronous_commit", "off", "on" },
	{ "row_security", "off", "on" },
	{ "default_transaction_deferrable", "on", "off" }, { "timezone", "'Asia/Tokyo'", "UTC" },
	{ "datestyle", "'German'", "ISO, MDY" }, { "intervalstyle", "iso_8601", "postgres" },
	{ "bytea_output", "escape", "hex" }, { "extra_float_digits", "-15", "1" },
	{ "standard_conforming_strings", "off", "on" }, { "transform_null_equals", "on", "off" },
	{ "array_nulls", "off", "on" }, { "lock_timeout", "0", "1s" },
	{ "idle_in_transaction_session_timeout", "0", "5s" }, { "statement_timeout", "0", "1800ms" },
	{ "client_min_messages", "debug5", "warning" },
};

enum { SETTINGS = sizeof(settings) / sizeof(*settings) };

static const char setup_sql[] =
    "create function t.show(name text) returns jsonb language sql as 'select to_jsonb(current_setting(name))';";

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

static void
settings_check(bool prepared)
{
	mem_ctx			*mem = mem_new();
	struct db		*db;
	struct json_object	*doc;

	for (size_t i = 0; i < SETTINGS; i++)
		cluster_ask(&cluster, mem_printf(mem, "alter role tollgate_test set %s = %s", settings[i].name,
		    settings[i].altered));
	db = db_open(mem, &(struct db_options){ .conninfo = cluster.conninfo, .role = "tollgate_test", .pool = 1,
	    .wait_ms = 1000, .timeout_ms = 2000, .prepared = prepared });
	for (size_t i = 0; i < SETTINGS; i++) {
		const char	*name = settings[i].name;

		assert_int_equal(db_visitor(db_as_visitor(mem, db), &doc, "t.show($1)", ARGS(TEXT(name))), OK);
		if (strcmp(json_text(doc, ""), settings[i].pinned) != 0)
			fail_msg("%s is %s", name, json_text(doc, ""));
	}
	talloc_free(mem);
	cluster_ask(&cluster, "alter role tollgate_test reset all");
}

static void
test_s05_a_call_is_bound_by_no_setting_of_its_role(void **state)
{
	(void)state;
	settings_check(true);
}

/* Behind a pooler each call sets them. */
static void
test_s05_nor_behind_a_pooler(void **state)
{
	(void)state;
	settings_check(false);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_s05_a_call_is_bound_by_no_setting_of_its_role),
		cmocka_unit_test(test_s05_nor_behind_a_pooler),
	};

	mem_init();
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
