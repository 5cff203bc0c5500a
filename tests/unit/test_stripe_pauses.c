/* stripe: for how long calls are refused or delayed, by a clock that the test sets forward. */
#include <sys/syscall.h>

#include "upstream.h"

static _Atomic int64_t	ahead;	/* ms */

/* In the place of libc's. */
int
clock_gettime(clockid_t id, struct timespec *t)
{
	if (syscall(SYS_clock_gettime, id, t) != 0)
		return -1;
	if (id == CLOCK_MONOTONIC)
		t->tv_sec += ahead / 1000;
	return 0;
}

#define FAILED ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}")
#define LATER(seconds) "HTTP/1.1 429 Slow\r\nConnection: close\r\nStripe-Should-Retry: false\r\nRetry-After: " seconds \
	"\r\n\r\n{}"

static void
test_f96_an_open_breaker_lets_one_call_through_after_ten_seconds(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FAILED, FAILED, FAILED, FAILED, FAILED, FAILED, FINE, FINE);
	assert_false(stripe_health(w.stripe).refused || stripe_health(w.stripe).answered != 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(stripe_health(w.stripe).refused && stripe_health(w.stripe).answered == 0);
	ahead += 9000;
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(w.server.times, 5);
	ahead += 2000;
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(w.server.times, 6);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(w.server.times, 6);
	ahead += 11000;
	assert_true(stripe_is_up(w.stripe) && stripe_health(w.stripe).refused);
	assert_int_equal(ask(&w), OK);
	assert_true(stripe_is_up(w.stripe) && !stripe_health(w.stripe).refused && stripe_health(w.stripe).answered != 0);
	assert_int_equal(ask(&w), OK);
	end(&w, 8);
}

static void
test_f102_an_unknown_key_is_tried_again_after_ten_seconds(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("401 No", "{}"), ANSWER("401 No", "{}"), FAILED, FINE, FINE);
	assert_int_equal(ask(&w), ERR_KEY_REFUSED);
	ahead += 9000;
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(w.server.times, 1);
	ahead += 2000;
	assert_int_equal(ask(&w), ERR_KEY_REFUSED);
	ahead += 11000;
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_false(stripe_knows_key(w.stripe) || stripe_health(w.stripe).answered != 0);
	ahead += 11000;
	assert_int_equal(ask(&w), OK);
	assert_true(stripe_knows_key(w.stripe) && stripe_is_up(w.stripe));
	assert_int_equal(json_object_array_length(stripe_refused(w.stripe, w.mem)), 0);
	assert_int_equal(ask(&w), OK);
	end(&w, 5);
}

static void
test_f102_a_missing_right_is_tried_again_after_ten_seconds(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("403 No", "{}"), FINE, FINE);
	assert_int_equal(ask(&w), ERR_KEY_REFUSED);
	ahead += 9000;
	assert_int_equal(ask(&w), ERR_KEY_REFUSED);
	assert_int_equal(w.server.times, 1);
	ahead += 2000;
	assert_int_equal(ask(&w), OK);
	assert_int_equal(json_object_array_length(stripe_refused(w.stripe, w.mem)), 0);
	assert_int_equal(ask(&w), OK);
	end(&w, 3);
}

/* For how many seconds all calls pause after this answer: more than, and less than. */
static void
check_pause(const char *answer, int least_s, int less_than_s)
{
	struct world	w;

	BEGIN(&w, answer);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	ahead += least_s * 1000;
	assert_int_equal(stripe_is_up(w.stripe), less_than_s == 0);
	ahead += (less_than_s - least_s) * 1000;
	assert_true(stripe_is_up(w.stripe));
	end(&w, 1);
}

static void
test_f100_all_calls_pause_as_asked_and_for_a_minute_at_most(void **state)
{
	(void)state;
	check_pause(LATER("2"), 1, 2);
	check_pause(LATER("59"), 58, 59);
	check_pause(LATER("61"), 59, 60);
	check_pause(LATER("3600"), 59, 60);
	check_pause(LATER("9999999999"), 59, 60);
}

static void
test_f100_a_retry_after_that_is_no_number_of_seconds_is_a_short_pause(void **state)
{
	(void)state;
	check_pause(LATER("soon"), 0, 1);
	check_pause(LATER("-60"), 0, 1);
	check_pause(LATER("60.5"), 0, 1);
	check_pause(LATER("Fri, 31 Dec 2100 23:59:59 GMT"), 0, 1);
	check_pause(LATER(""), 0, 1);
}

static void
test_f100_only_a_429_pauses_the_others(void **state)
{
	(void)state;
	check_pause("HTTP/1.1 503 Busy\r\nConnection: close\r\nStripe-Should-Retry: false\r\n"
	    "Retry-After: 60\r\n\r\n{}", 0, 0);
}

/* With time for many attempts, six seconds are not waited for, although Stripe says that it is worth it. */
static void
test_f100_a_retry_after_over_five_seconds_ends_the_call(void **state)
{
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, "HTTP/1.1 503 Busy\r\nConnection: close\r\nStripe-Should-Retry: true\r\nRetry-After: 6\r\n\r\n{}", FINE);
	w.stripe = stripe_open(w.mem, &(struct stripe_options){ .api_url = w.api_url, .key = "sk_test_1", .version = "v",
	    .portal_configuration = "", .timeout_ms = 20000 });
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 5000);
	end(&w, 1);
}

static void
test_f98_stripe_says_whether_to_retry(void **state)
{
	(void)state;
	check(ANSWER("409 Conflict\r\nStripe-Should-Retry: false", "{}"), ERR_UNAVAILABLE, 1);
	check(ANSWER("429 Slow\r\nStripe-Should-Retry: FALSE", "{}"), ERR_UNAVAILABLE, 1);
	check(ANSWER("200 OK\r\nStripe-Should-Retry: false", "<html>"), ERR_UNAVAILABLE, 1);
	check(ANSWER("402 Pay\r\nStripe-Should-Retry: True", "{}"), ERR_INTERNAL, 3);
	check(ANSWER("404 Gone\r\nStripe-Should-Retry: true", "{}"), ERR_NOT_FOUND, 3);
	check(ANSWER("500 Oops\r\nStripe-Should-Retry: maybe", "{}"), ERR_UNAVAILABLE, 3);
}

static void
test_f98_only_a_failure_of_a_post_is_stored_under_a_key(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true", "{}");
	struct world		w;

	(void)state;
	BEGIN(&w, kept, kept, kept);
	assert_int_equal(stripe_call(w.stripe, w.mem, "GET", "/v1/things", NULL, NULL, &w.doc), ERR_UNAVAILABLE);
	end(&w, 3);
	check(ANSWER("402 Pay\r\nIdempotent-Replayed: true", "{}"), ERR_INTERNAL, 1);
	check(ANSWER("500 Oops\r\nIdempotent-Replayed: false", "{}"), ERR_UNAVAILABLE, 3);
	check(ANSWER("499 Oops\r\nIdempotent-Replayed: true", "{}"), ERR_INTERNAL, 1);
}

static void
test_f96_answers_that_decide_leave_the_breaker_closed(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("400 Bad", "{}"), ANSWER("402 Pay", "{}"), ANSWER("404 Gone", "{}"), ANSWER("400 Bad", "{}"),
	    ANSWER("429 Slow\r\nStripe-Should-Retry: false", "{}"), ANSWER("409 No\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("409 No\r\nStripe-Should-Retry: false", "{}"), FINE);
	for (int i = 0; i < 7; i++)
		(void)!ask(&w);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), OK);
	end(&w, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f96_an_open_breaker_lets_one_call_through_after_ten_seconds),
		cmocka_unit_test(test_f102_an_unknown_key_is_tried_again_after_ten_seconds),
		cmocka_unit_test(test_f102_a_missing_right_is_tried_again_after_ten_seconds),
		cmocka_unit_test(test_f100_all_calls_pause_as_asked_and_for_a_minute_at_most),
		cmocka_unit_test(test_f100_a_retry_after_that_is_no_number_of_seconds_is_a_short_pause),
		cmocka_unit_test(test_f100_only_a_429_pauses_the_others),
		cmocka_unit_test(test_f100_a_retry_after_over_five_seconds_ends_the_call),
		cmocka_unit_test(test_f98_stripe_says_whether_to_retry),
		cmocka_unit_test(test_f98_only_a_failure_of_a_post_is_stored_under_a_key),
		cmocka_unit_test(test_f96_answers_that_decide_leave_the_breaker_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
