/* cookie: one cookie by name out of whatever Cookie headers came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ask.h"

static const char *
sid(void **state, const char *header, bool *ambiguous)
{
	struct http_req	q;

	ask(&q, *state, "HTTP_COOKIE", header, NULL);
	return http_cookie(&q, "__Host-sid", ambiguous);
}

static void
test_f03_a_semicolon_separates_with_any_space(void **state)
{
	static const char *const	headers[] = {
		"__Host-sid=x", "a=b; __Host-sid=x", "a=b;__Host-sid=x", "a=b, c; __Host-sid=x; c=d", "__Host-sid=x;",
		";;__Host-sid=x;;", "\t__Host-sid=x \t; a", "a; b=; =c; __Host-sid=x", "__Host-sidx=y; __Host-sid=x",
		"__host-sid=y; __Host-sid=x", "a=__Host-sid=y; __Host-sid=x"
	};
	bool				ambiguous;
	const char			*value;

	for (size_t i = 0; i < LENGTH(headers); i++) {
		value = sid(state, headers[i], &ambiguous);
		if (value == NULL || strcmp(value, "x") != 0 || ambiguous)
			fail_msg("\"%s\" gave \"%s\"", headers[i], value ? value : "(null)");
	}
}

static void
test_f35_absent(void **state)
{
	static const char *const	headers[] = { "", ";", "a=b", "__Host-sid", "x__Host-sid=y", "__Host-si=y",
	    "a=\"__Host-sid=y\"" };
	bool				ambiguous;

	for (size_t i = 0; i < LENGTH(headers); i++) {
		if (sid(state, headers[i], &ambiguous) != NULL)
			fail_msg("found in \"%s\"", headers[i]);
		assert_false(ambiguous);
	}
}

static void
test_f35_the_value_is_kept_as_it_is(void **state)
{
	assert_string_equal(sid(state, "__Host-sid=a=b==", NULL), "a=b==");
	assert_string_equal(sid(state, "__Host-sid=\"x\"", NULL), "\"x\"");
	assert_string_equal(sid(state, "__Host-sid= x", NULL), " x");
	assert_string_equal(sid(state, "__Host-sid=", NULL), "");
}

static void
test_f03_f35_two_of_a_name_are_none(void **state)
{
	static const char *const	headers[] = {
		"__Host-sid=x; __Host-sid=x", "__Host-sid=x;__Host-sid=y", "__Host-sid=x; a=b; __Host-sid="
	};
	bool				ambiguous;

	for (size_t i = 0; i < LENGTH(headers); i++) {
		assert_null(sid(state, headers[i], &ambiguous));
		assert_true(ambiguous);
	}
}

static void
test_f03_two_headers_are_read_as_one(void **state)
{
	struct http_req	q;
	bool		ambiguous;

	ask(&q, *state, "HTTP_COOKIE", "a=b", "HTTP_COOKIE", "__Host-sid=x", NULL);
	assert_string_equal(http_cookie(&q, "__Host-sid", &ambiguous), "x");
	ask(&q, *state, "HTTP_COOKIE", "__Host-sid=x", "HTTP_COOKIE", "__Host-sid=y", NULL);
	assert_null(http_cookie(&q, "__Host-sid", &ambiguous));
	assert_true(ambiguous);
}

/* A sibling domain may set any name but ours, and any value that a browser takes. */
static void
test_s20_cookies_of_others_never_matter(void **state)
{
	static const char *const	values[] = {
		"a,__Host-sid=y", "a, __Host-sid=y", ",,,,", "__Host-sid=y", "\"", "\xff\xfe", "\xc3\xa9", "\\",
		"%3B__Host-sid=y",
	};
	struct buf			b = { .ctx = *state };
	bool				ambiguous;

	for (size_t i = 0; i < LENGTH(values); i++) {
		assert_string_equal(sid(state, mem_printf(*state, "pref=%s; __Host-sid=x", values[i]), &ambiguous), "x");
		assert_false(ambiguous);
		assert_string_equal(sid(state, mem_printf(*state, "__Host-sid=x; pref=%s", values[i]), &ambiguous), "x");
		assert_null(sid(state, mem_printf(*state, "pref=%s", values[i]), &ambiguous));
		assert_false(ambiguous);
	}
	for (int i = 0; i < 2000; i++)
		buf_printf(&b, "c%d=1; ", i);
	buf_puts(&b, "__Host-sid=x");
	assert_string_equal(sid(state, b.data, &ambiguous), "x");
	assert_false(ambiguous);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f03_a_semicolon_separates_with_any_space), TEST(test_f35_absent),
		TEST(test_f35_the_value_is_kept_as_it_is),
		TEST(test_f03_f35_two_of_a_name_are_none), TEST(test_f03_two_headers_are_read_as_one),
		TEST(test_s20_cookies_of_others_never_matter),
	};

	mem_init();
	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
