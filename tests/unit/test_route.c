/* route: which row a path finds, and what its parameters are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mem.h"
#include "route.h"
#include "unit.h"

static enum err
handler(struct visit *v)
{
	(void)v;
	return OK;
}

#define ROW(m, p) { .method = (m), .path = (p), .kind = &kind_public, .public = handler }

static const struct route first[] = {
	ROW("GET", "/"),
	ROW("GET", "/chat/:id(word)"),
	ROW("GET", "/chat/new"),
	ROW("GET", "/api/chat/:id(uuid)/stream"),
	ROW("DELETE", "/api/chat/:id(uuid)"),
	ROW("GET", "/page/:n(number)/:name(word)"),
	ROW("GET", "/bad/:id(colour)"),
	ROW("GET", "/bad/:id"),
	{ 0 }
};
static const struct route second[] = { ROW("POST", "/chat/new"), ROW("PATCH", "/chat/:id(word)"), { 0 } };
static const struct route *const tables[] = { first, second, NULL };

#define UUID "0b7c6f5e-1d2a-4c3b-9e8f-AbCdEf012345"

/* The row's path, or "" when none is found. */
static const char *
found(const char *path, const char *method)
{
	struct route_params	params;
	const struct route	*r = route_find(tables, path, method, &params);

	return r == NULL ? "" : r->path;
}

static void
test_a_row_is_found_by_path_and_method_in_any_table(void **state)
{
	(void)state;
	assert_string_equal(found("/", "GET"), "/");
	assert_string_equal(found("/", "POST"), "");
	assert_string_equal(found("/chat/new", "POST"), "/chat/new");
	assert_string_equal(found("/chat/new", NULL), "/chat/new");
	assert_string_equal(found("/chat", "GET"), "");
	assert_string_equal(found("/chat/", "GET"), "");
	assert_string_equal(found("/chat/new/", "GET"), "");
	assert_string_equal(found("//", "GET"), "");
}

static void
test_the_row_with_the_fewest_parameters_goes_first(void **state)
{
	(void)state;
	assert_string_equal(found("/chat/new", "GET"), "/chat/new");
	assert_string_equal(found("/chat/old", "GET"), "/chat/:id(word)");
	assert_string_equal(found("/chat/new", "PATCH"), "/chat/:id(word)");
}

static void
test_any_segment_may_be_a_parameter(void **state)
{
	struct route_params	p;
	const struct route	*r = route_find(tables, "/page/17/a_B-9", "GET", &p);

	(void)state;
	assert_non_null(r);
	assert_int_equal(p.n, 2);
	assert_memory_equal(p.list[0].name, "n", p.list[0].name_len);
	assert_memory_equal(p.list[0].value, "17", p.list[0].value_len);
	assert_int_equal(p.list[1].value_len, 5);
	assert_memory_equal(p.list[1].value, "a_B-9", 5);
	assert_string_equal(found("/api/chat/" UUID "/stream", "GET"), "/api/chat/:id(uuid)/stream");
	assert_string_equal(found("/api/chat/" UUID, "DELETE"), "/api/chat/:id(uuid)");
}

static void
test_a_parameter_of_another_kind_is_no_match(void **state)
{
	static const char *const	paths[] = {
		"/api/chat/x/stream", "/api/chat//stream", "/api/chat/" UUID "0/stream",
		"/api/chat/0b7c6f5e-1d2a-4c3b-9e8f_abcdef012345/stream",
		"/api/chat/0b7c6f5e1d2a4c3b9e8fabcdef0123456789/stream",
		"/api/chat/gb7c6f5e-1d2a-4c3b-9e8f-abcdef012345/stream", "/page//a", "/page/-1/a", "/page/1.5/a",
		"/page/1234567890123456789/a", "/page/1/", "/page/1/a b", "/page/1/\xc3\xa9", "/page/1/a/b",
		"/chat/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/chat/a.b", "/chat/:id(word)",
		"/bad/red", "/bad/:id",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(paths); i++)
		if (*found(paths[i], NULL) != '\0')
			fail_msg("%s finds %s", paths[i], found(paths[i], NULL));
}

static void
test_allow_names_the_methods_of_a_path(void **state)
{
	mem_ctx		*mem = mem_new();
	struct buf	b = { .ctx = mem };

	(void)state;
	route_allow(tables, "/chat/new", &b);
	assert_string_equal(b.data, "GET, HEAD, POST, PATCH");
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_a_row_is_found_by_path_and_method_in_any_table),
		cmocka_unit_test(test_the_row_with_the_fewest_parameters_goes_first),
		cmocka_unit_test(test_any_segment_may_be_a_parameter),
		cmocka_unit_test(test_a_parameter_of_another_kind_is_no_match),
		cmocka_unit_test(test_allow_names_the_methods_of_a_path),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
