/* stripe: which calls are repeated and under which key, what counts as an outage, and the rate of calls. */
#include "upstream.h"

static void
test_c7_a_call_carries_key_version_and_exact_bytes(void **state)
{
	static const char *const parts[] = { "POST /v1/things HTTP/1.1\r\n", "\r\nAuthorization: Bearer sk_test_1\r\n",
		"\r\nStripe-Version: 2026-07-29.dahlia\r\n", "\r\nIdempotency-Key: key-1\r\n",
		"\r\nContent-Type: application/x-www-form-urlencoded\r\n", "\r\n\r\na=1&b=2" };
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	assert_int_equal(ask(&w), OK);
	assert_string_equal(json_text(w.doc, "/id"), "x_1");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_non_null(strstr(w.server.asked[0], parts[i]));
	end(&w, 1);
}

static void
test_c7_a_get_puts_its_parameters_into_the_query(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	assert_int_equal(stripe_call(w.stripe, w.mem, "GET", "/v1/things", "limit=3", NULL, &w.doc), OK);
	assert_non_null(strstr(w.server.asked[0], "GET /v1/things?limit=3 HTTP/1.1\r\n"));
	assert_null(strstr(w.server.asked[0], "Idempotency-Key"));
	end(&w, 1);
}

static void
test_f98_what_may_have_happened_is_asked_again_with_the_same_key_and_bytes(void **state)
{
	static const char *const first[] = {
		ANSWER("500 Oops", "{}"), ANSWER("502 Bad", "<html>"), ANSWER("503 Busy", ""), ANSWER("409 Conflict", "{}"),
		ANSWER("429 Slow", "{}"), ANSWER("400 Bad\r\nStripe-Should-Retry: true", "{}"), SILENCE, "HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":", ANSWER("200 OK", "{\"id\":"),
		ANSWER("200 OK", "<html>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
		struct world	w;

		BEGIN(&w, first[i], FINE);
		assert_int_equal(ask(&w), OK);
		assert_string_equal(w.server.asked[0], w.server.asked[1]);
		end(&w, 2);
	}
}

static void
test_f98_three_attempts_and_no_more(void **state)
{
	(void)state;
	check(ANSWER("500 Oops", "{}"), ERR_UNAVAILABLE, 3);
	check(ANSWER("409 Conflict", "{}"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", "[1]"), ERR_UPSTREAM, 3);
}

static void
test_f102_what_stripe_decided_is_not_asked_again(void **state)
{
	(void)state;
	check(ANSWER("400 Bad", "{\"error\":{\"type\":\"idempotency_error\"}}"), ERR_INTERNAL, 1);
	check(ANSWER("401 No", "{}"), ERR_KEY_REFUSED, 1);
	check(ANSWER("402 Pay", "{}"), ERR_INTERNAL, 1);
	check(ANSWER("403 No", "{}"), ERR_KEY_REFUSED, 1);
	check(ANSWER("404 Gone", "{}"), ERR_NOT_FOUND, 1);
	check(ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), ERR_UNAVAILABLE, 1);
}

static enum err
get(struct world *w, const char *path)
{
	return stripe_call(w->stripe, w->mem, "GET", path, NULL, NULL, &w->doc);
}

static void
test_f102_a_key_that_stripe_does_not_know_opens_the_breaker(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("401 No", "{}"), FINE);
	assert_true(stripe_knows_key(w.stripe));
	assert_int_equal(get(&w, "/v1/things"), ERR_KEY_REFUSED);
	assert_false(stripe_knows_key(w.stripe) || stripe_is_up(w.stripe));
	assert_int_equal(get(&w, "/v1/others"), ERR_UNAVAILABLE);
	assert_string_equal(json_text(stripe_refused(w.stripe, w.mem), "/0"), "every call");
	end(&w, 1);
}

static void
test_f102_a_key_that_lacks_one_right_does_all_the_rest(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("403 No", "{}"), FINE, FINE);
	assert_int_equal(get(&w, "/v1/things/1"), ERR_KEY_REFUSED);
	assert_int_equal(get(&w, "/v1/things/2"), ERR_KEY_REFUSED);
	assert_int_equal(get(&w, "/v1/others"), OK);
	assert_int_equal(ask(&w), OK);
	assert_true(stripe_knows_key(w.stripe) && stripe_is_up(w.stripe));
	assert_string_equal(json_text(stripe_refused(w.stripe, w.mem), "/0"), "GET /v1/things");
	end(&w, 3);
}

static void
test_f101_what_is_no_json_is_a_lost_answer(void **state)
{
	(void)state;
	check(ANSWER("200 OK", "<html>"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", "{\"id\":\"x_1\",\"obj"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", ""), ERR_UNAVAILABLE, 3);
	check(ANSWER("404 Gone", "<html>"), ERR_UNAVAILABLE, 3);
	check(ANSWER("401 No", "<html>"), ERR_UNAVAILABLE, 3);
}

static void
test_f77_json_that_we_do_not_take_is_an_answer(void **state)
{
	static char	deep[200] = "HTTP/1.1 200 OK\r\nConnection: close\r\nRetry-After: 0\r\n\r\n";

	(void)state;
	check(ANSWER("200 OK", "{\"id\":\"\\ud800\"}"), ERR_UPSTREAM, 3);
	check(ANSWER("200 OK", "{\"id\":1e999}"), ERR_UPSTREAM, 3);
	memset(deep + strlen(deep), '[', 40);
	memset(deep + strlen(deep), ']', 40);
	check(deep, ERR_UPSTREAM, 3);
}

static void
test_f101_a_cut_answer_is_asked_for_again_with_the_same_key(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"x_1\",\"obj"), FINE);
	assert_int_equal(ask(&w), OK);
	assert_string_equal(w.server.asked[0], w.server.asked[1]);
	end(&w, 2);
}

static void
test_f101_answers_that_are_no_json_open_the_breaker(void **state)
{
	static const char	strange[] = ANSWER("200 OK\r\nStripe-Should-Retry: false", "<html>");
	struct world		w;

	(void)state;
	BEGIN(&w, strange, strange, strange, strange, strange);
	for (int i = 0; i < 5; i++) {
		assert_true(stripe_is_up(w.stripe));
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	}
	assert_false(stripe_is_up(w.stripe));
	end(&w, 5);
}

static void
test_c92_the_account_is_that_of_the_key(void **state)
{
	static const struct {
		const char	*answer;
		enum err	err;
		const char	*id;
	} table[] = {
		{ ANSWER("200 OK", "{\"id\":\"acct_1\",\"object\":\"account\"}"), OK, "acct_1" },
		{ ANSWER("200 OK", "{\"id\":\"cus_1\"}"), ERR_UPSTREAM, NULL }, { ANSWER("200 OK", "{}"), ERR_UPSTREAM, NULL },
		{ ANSWER("403 No", "{\"error\":{}}"), ERR_FORBIDDEN, NULL }, { ANSWER("401 No", "{}"), ERR_KEY_REFUSED, NULL },
		{ ANSWER("403 No", "<html>"), ERR_UNAVAILABLE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct world	w;
		const char	*id;

		BEGIN(&w, table[i].answer, table[i].answer, table[i].answer);
		assert_int_equal(stripe_account(w.stripe, w.mem, &id), table[i].err);
		assert_non_null(strstr(w.server.asked[0], "GET /v1/account HTTP/1.1\r\n"));
		if (table[i].id)
			assert_string_equal(id, table[i].id);
		end(&w, table[i].err == ERR_UNAVAILABLE ? 3 : 1);
	}
}

static void
test_f98_a_failure_that_stripe_has_kept_is_final_for_its_key(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true\r\nStripe-Should-Retry: true", "{}");
	struct world		w;

	(void)state;
	check(kept, ERR_CONFLICT, 1);
	BEGIN(&w, ANSWER("500 Oops", "{}"), kept, FINE);
	assert_int_equal(ask(&w), ERR_CONFLICT);
	end(&w, 2);
	BEGIN(&w, ANSWER("200 OK\r\nIdempotent-Replayed: true", "{}"));
	assert_int_equal(ask(&w), OK);
	end(&w, 1);
}

static void
test_f100_a_long_retry_after_is_not_waited_for(void **state)
{
	static const char	slow[] = "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: 3600\r\n\r\n{}";
	int64_t			begun = now_ms();

	(void)state;
	check(slow, ERR_UNAVAILABLE, 1);
	assert_true(now_ms() - begun < 500);
}

#define SLOW "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: "

static void
test_f100_a_429_pauses_every_call(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SLOW "3600\r\n\r\n{}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_false(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 1);
}

static void
test_f100_a_short_pause_is_waited_for(void **state)
{
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, SLOW "1\r\nStripe-Should-Retry: false\r\n\r\n{}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 1000, 1400);
	end(&w, 2);
}

static void
test_f100_a_locked_object_pauses_no_other_call(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SLOW "3600\r\n\r\n{\"error\":{\"code\":\"lock_timeout\"}}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), OK);
	end(&w, 2);
}

static void
test_f100_calls_keep_to_the_rate(void **state)
{
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE, FINE, FINE, FINE);
	w.stripe = stripe_open(w.mem, &(struct stripe_options){ .api_url = w.api_url, .key = "sk_test_1", .version = "v",
	    .portal_configuration = "", .timeout_ms = 2000, .rate = 4 });
	begun = now_ms();
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 490, 900);
	end(&w, 6);
}

static void
test_f96_five_failures_of_ten_open_the_breaker(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), FINE);
	for (int i = 0; i < 5; i++) {
		assert_true(stripe_is_up(w.stripe));
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	}
	assert_false(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 5);
}

static void
test_f98_an_answer_that_stripe_repeats_is_no_failure_of_the_breaker(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true", "{}");
	struct world		w;

	(void)state;
	BEGIN(&w, kept, kept, kept, kept, kept, kept, FINE);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w), ERR_CONFLICT);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), OK);
	end(&w, 7);
}

static void *
stop_soon(void *stripe)
{
	usleep(100000);
	stripe_stop(stripe);
	return NULL;
}

static void
test_f78_stopping_ends_calls_and_pauses(void **state)
{
	struct world	w;
	pthread_t	stopper;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: 1\r\n\r\n{}", FINE);
	pthread_create(&stopper, NULL, stop_soon, w.stripe);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 900);
	pthread_join(stopper, NULL);
	end(&w, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c7_a_call_carries_key_version_and_exact_bytes),
		cmocka_unit_test(test_c7_a_get_puts_its_parameters_into_the_query),
		cmocka_unit_test(test_f98_what_may_have_happened_is_asked_again_with_the_same_key_and_bytes),
		cmocka_unit_test(test_f98_three_attempts_and_no_more),
		cmocka_unit_test(test_f102_what_stripe_decided_is_not_asked_again),
		cmocka_unit_test(test_f102_a_key_that_stripe_does_not_know_opens_the_breaker),
		cmocka_unit_test(test_f102_a_key_that_lacks_one_right_does_all_the_rest),
		cmocka_unit_test(test_f101_what_is_no_json_is_a_lost_answer),
		cmocka_unit_test(test_f77_json_that_we_do_not_take_is_an_answer),
		cmocka_unit_test(test_f101_a_cut_answer_is_asked_for_again_with_the_same_key),
		cmocka_unit_test(test_f101_answers_that_are_no_json_open_the_breaker),
		cmocka_unit_test(test_c92_the_account_is_that_of_the_key),
		cmocka_unit_test(test_f98_a_failure_that_stripe_has_kept_is_final_for_its_key),
		cmocka_unit_test(test_f100_a_long_retry_after_is_not_waited_for),
		cmocka_unit_test(test_f100_a_429_pauses_every_call),
		cmocka_unit_test(test_f100_a_short_pause_is_waited_for),
		cmocka_unit_test(test_f100_a_locked_object_pauses_no_other_call),
		cmocka_unit_test(test_f100_calls_keep_to_the_rate),
		cmocka_unit_test(test_f96_five_failures_of_ten_open_the_breaker),
		cmocka_unit_test(test_f98_an_answer_that_stripe_repeats_is_no_failure_of_the_breaker),
		cmocka_unit_test(test_f78_stopping_ends_calls_and_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
