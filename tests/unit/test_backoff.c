/* backoff: what a provider asks for, and what is waited otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backoff.h"
#include "unit.h"

#define NOW "Mon, 30 Nov 2026 10:00:00 GMT"

static void
test_f128_what_a_provider_asks_for_is_understood(void **state)
{
	static const struct {
		const char	*ms, *after, *date;
		int		asked;
	} cases[] = {
		{ NULL, NULL, NULL, -1 }, { NULL, "1", NULL, 1000 }, { NULL, "0", NULL, 0 }, { NULL, "0.5", NULL, 500 },
		{ NULL, "3600", NOW, 3600000 }, { "20", "3600", NULL, 20 }, { "x", "2", NULL, 2000 }, { "", "2", NULL, 2000 },
		{ NULL, "Mon, 30 Nov 2026 10:00:02 GMT", NOW, 2000 }, { NULL, "Mon, 30 Nov 2026 09:59:00 GMT", NOW, 0 },
		{ NULL, "Mon, 30 Nov 2026 10:00:02 GMT", NULL, -1 }, { NULL, "Mon, 30 Nov 2026 10:00:02 GMT", "now", -1 },
		{ NULL, "-1", NULL, -1 }, { NULL, "1e300", NULL, -1 }, { NULL, "nan", NULL, -1 }, { NULL, "1 s", NULL, -1 },
		{ NULL, "Mon, 30 Nov 9999 10:00:00 GMT", NOW, -1 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(backoff_asked(cases[i].ms, cases[i].after, cases[i].date), cases[i].asked);
}

static void
test_f126_each_wait_is_twice_the_last_less_a_quarter_at_most(void **state)
{
	static const int	longest[] = { 500, 1000, 2000, 4000, 8000, 8000, 8000 };
	bool			shorter = false;

	(void)state;
	for (unsigned i = 0; i < 100 * LENGTH(longest); i++) {
		unsigned	n = i % (unsigned)LENGTH(longest);
		int		ms = backoff_ms(n);

		assert_in_range(ms, longest[n] * 3 / 4, longest[n]);
		shorter |= ms < longest[n];
	}
	assert_in_range(backoff_ms(1000), 6000, 8000);
	assert_true(shorter);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f128_what_a_provider_asks_for_is_understood),
		TEST(test_f126_each_wait_is_twice_the_last_less_a_quarter_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
