#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bucket.h"

/* How many calls get through in these milliseconds, when they are asked for all the time. */
static int
taken(struct bucket *b, int64_t from, int64_t to)
{
	int	n = 0;

	for (int64_t now = from; now < to; now++) {
		while (bucket_take(b, now) == 0)
			n++;
	}
	return n;
}

static void
test_f100_a_second_of_calls_may_go_at_once_and_no_more(void **state)
{
	struct bucket	b = { .rate = 20 };

	(void)state;
	assert_int_equal(taken(&b, 5000, 5001), 20);
	assert_int_equal(bucket_take(&b, 5001), 49);
}

static void
test_f100_then_the_rate_holds_for_ever(void **state)
{
	struct bucket	b = { .rate = 20 };

	(void)state;
	taken(&b, 5000, 5001);
	assert_int_equal(taken(&b, 5001, 15001), 200);
}

static void
test_f100_the_wait_it_names_is_enough(void **state)
{
	struct bucket	b = { .rate = 7 };
	int64_t		now = 100;

	(void)state;
	for (int i = 0; i < 100; i++) {
		int64_t	wait = bucket_take(&b, now);

		if (wait > 0) {
			now += wait;
			assert_int_equal(bucket_take(&b, now), 0);
		}
	}
	assert_in_range(now, 100 + 93 * 1000 / 7, 100 + 94 * 1000 / 7 + 93);
}

static void
test_f100_without_a_rate_no_call_waits(void **state)
{
	struct bucket	b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(bucket_take(&b, 1000), 0);
}

static void
test_f100_a_pause_holds_every_call_and_ends_without_a_burst(void **state)
{
	struct bucket	b = { .rate = 10 };

	(void)state;
	bucket_pause(&b, 1000, 3000);
	assert_int_equal(bucket_take(&b, 1000), 3000);
	assert_int_equal(taken(&b, 1000, 4000), 0);
	assert_int_equal(taken(&b, 4000, 4001), 1);
	assert_int_equal(taken(&b, 4001, 5000), 9);
}

static void
test_f100_a_shorter_pause_does_not_end_a_longer_one(void **state)
{
	struct bucket	b = { 0 };

	(void)state;
	bucket_pause(&b, 1000, 3000);
	bucket_pause(&b, 1500, 100);
	assert_int_equal(bucket_take(&b, 2000), 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f100_a_second_of_calls_may_go_at_once_and_no_more),
		cmocka_unit_test(test_f100_then_the_rate_holds_for_ever),
		cmocka_unit_test(test_f100_the_wait_it_names_is_enough),
		cmocka_unit_test(test_f100_without_a_rate_no_call_waits),
		cmocka_unit_test(test_f100_a_pause_holds_every_call_and_ends_without_a_burst),
		cmocka_unit_test(test_f100_a_shorter_pause_does_not_end_a_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
