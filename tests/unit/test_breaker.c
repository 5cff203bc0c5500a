#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "breaker.h"

static void
fail_times(struct breaker *b, int n, int64_t now)
{
	for (int i = 0; i < n; i++)
		breaker_note(b, false, now);
}

static void
test_f96_opens_at_the_fifth_failure_of_ten(void **state)
{
	struct breaker	b = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		breaker_note(&b, false, 1000);
		breaker_note(&b, true, 1000);
	}
	assert_true(breaker_allows(&b, 1000));
	breaker_note(&b, false, 1000);
	assert_false(breaker_allows(&b, 1000));
}

static void
test_f96_four_failures_of_any_ten_leave_it_closed(void **state)
{
	struct breaker	b = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		breaker_note(&b, i % 10 >= 4, 1000);
		assert_true(breaker_allows(&b, 1000));
	}
}

static void
test_f96_lets_one_probe_through_each_ten_seconds(void **state)
{
	struct breaker	b = { 0 };

	(void)state;
	fail_times(&b, 5, 1000);
	assert_false(breaker_allows(&b, 10999));
	assert_true(breaker_allows(&b, 11000));
	assert_false(breaker_allows(&b, 11000));
	breaker_note(&b, false, 12000);
	assert_false(breaker_allows(&b, 21999));
	assert_true(breaker_allows(&b, 22000));
}

static void
test_f102_tripped_it_is_open_at_once_until_a_probe_succeeds(void **state)
{
	struct breaker	b = { 0 };

	(void)state;
	breaker_trip(&b, 1000);
	assert_false(breaker_allows(&b, 10999));
	assert_true(breaker_allows(&b, 11000));
	breaker_trip(&b, 11500);
	assert_false(breaker_allows(&b, 21499));
	assert_true(breaker_allows(&b, 21500));
	breaker_note(&b, true, 21600);
	assert_true(breaker_allows(&b, 21600));
}

static void
test_f96_a_success_closes_it_and_forgets(void **state)
{
	struct breaker	b = { 0 };

	(void)state;
	fail_times(&b, 5, 1000);
	assert_true(breaker_allows(&b, 11000));
	breaker_note(&b, true, 11500);
	fail_times(&b, 4, 12000);
	assert_true(breaker_allows(&b, 12000));
	assert_false(breaker_is_open(&b, 12000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f96_opens_at_the_fifth_failure_of_ten),
		cmocka_unit_test(test_f96_four_failures_of_any_ten_leave_it_closed),
		cmocka_unit_test(test_f96_lets_one_probe_through_each_ten_seconds),
		cmocka_unit_test(test_f102_tripped_it_is_open_at_once_until_a_probe_succeeds),
		cmocka_unit_test(test_f96_a_success_closes_it_and_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
