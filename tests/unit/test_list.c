/* list: lists, page by page. */
#include "upstream.h"

static void
test_f81_a_list_is_walked_page_by_page(void **state)
{
	struct world		w;
	struct stripe_list	l = { .path = "/v1/things", .form = "status=all" };

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"data\":[{\"id\":\"x_3\"},{\"id\":\"x_2\"}],\"has_more\":true}"),
	    ANSWER("200 OK", "{\"data\":[{\"id\":\"x_1\"}],\"has_more\":false}"));
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_true(l.more);
	assert_string_equal(l.after, "x_2");
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_false(l.more);
	assert_int_equal(json_object_array_length(l.data), 1);
	assert_non_null(strstr(w.server.asked[0], "GET /v1/things?status=all&limit=100 HTTP"));
	assert_non_null(strstr(w.server.asked[1], "GET /v1/things?status=all&limit=100&starting_after=x_2 HTTP"));
	end(&w, 2);
}

static void
test_f101_a_page_that_is_too_large_is_asked_for_in_parts(void **state)
{
	static char		large[1200000];
	struct world		w;
	struct stripe_list	l = { .path = "/v1/things" };

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, ANSWER("200 OK", ""), strlen(ANSWER("200 OK", "")));
	BEGIN(&w, large, ANSWER("200 OK", "{\"data\":[],\"has_more\":false}"));
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_non_null(strstr(w.server.asked[1], "limit=10 "));
	end(&w, 2);
}

static void
test_f101_what_is_no_list_is_refused(void **state)
{
	static const char *const answers[] = { ANSWER("200 OK", "{\"data\":{}}"), ANSWER("200 OK", "{\"has_more\":true}"),
		ANSWER("200 OK", "{\"data\":[{\"no\":\"id\"}]}"),
		ANSWER("200 OK", "{\"data\":[{\"no\":\"id\"},{\"id\":\"x_1\"}]}") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct world		w;
		struct stripe_list	l = { .path = "/v1/things" };

		BEGIN(&w, answers[i]);
		assert_int_equal(stripe_list(w.stripe, w.mem, &l), ERR_UPSTREAM);
		end(&w, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f81_a_list_is_walked_page_by_page),
		cmocka_unit_test(test_f101_a_page_that_is_too_large_is_asked_for_in_parts),
		cmocka_unit_test(test_f101_what_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
