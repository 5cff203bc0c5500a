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

/* Whoever walks the list until there is no more would walk for ever. */
static void
test_f101_an_empty_page_is_the_last_whatever_it_says(void **state)
{
	struct world		w;
	struct json_object	*all;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"data\":[{\"id\":\"x_2\"}],\"has_more\":true}"),
	    ANSWER("200 OK", "{\"data\":[],\"has_more\":true}"));
	all = json_hang(w.mem, json_object_new_array());
	assert_int_equal(stripe_list_all(w.stripe, w.mem, "/v1/things", NULL, INT64_MAX, all), OK);
	assert_int_equal(json_object_array_length(all), 1);
	assert_string_equal(json_text(all, "/0/id"), "x_2");
	end(&w, 2);
}

static void
test_f101_a_page_is_asked_for_in_parts_down_to_one_object(void **state)
{
	static char		large[1200000];
	struct world		w;
	struct stripe_list	l = { .path = "/v1/things", .after = "x_9" };

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, ANSWER("200 OK", ""), strlen(ANSWER("200 OK", "")));
	BEGIN(&w, large, large, large);
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), ERR_UPSTREAM);
	assert_non_null(strstr(w.server.asked[0], "limit=100&starting_after=x_9 "));
	assert_non_null(strstr(w.server.asked[1], "limit=10&starting_after=x_9 "));
	assert_non_null(strstr(w.server.asked[2], "limit=1&starting_after=x_9 "));
	assert_string_equal(l.after, "x_9");
	end(&w, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f81_a_list_is_walked_page_by_page),
		cmocka_unit_test(test_f101_a_page_that_is_too_large_is_asked_for_in_parts),
		cmocka_unit_test(test_f101_what_is_no_list_is_refused),
		cmocka_unit_test(test_f101_an_empty_page_is_the_last_whatever_it_says),
		cmocka_unit_test(test_f101_a_page_is_asked_for_in_parts_down_to_one_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
