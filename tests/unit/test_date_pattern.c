/* date_pattern: a pattern that ICU would take and that shows no date is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "date_pattern.h"

static void
test_c90_a_pattern_of_dates_has_a_year_a_month_and_a_day(void **state)
{
	static const char *const	good[] = {
		"d MMMM y", "d. MMMM y", "yyyy-MM-dd", "EEEE, d 'de' MMMM 'de' y", "MMM d, y", "d 'o''clock' MMMM y",
		"y年M月d日",
	};
	static const struct {
		const char	*pattern, *why;
	} bad[] = {
		{ "", "must have a year" }, { "d MMMM", "must have a year" }, { "MMMM y", "must have a year" },
		{ "d y", "must have a year" }, { "'d MMMM y'", "must have a year" }, { "nonsense", "has n, which is no part" },
		{ "DD.MM.YYYY", "has DD, which is no part" }, { "d MMMM y HH:mm", "has HH, which" },
		{ "d MMMMMMMM y", "has MMMMMMMM, which" }, { "d MMMM 'of y", "has an apostrophe without another" },
	};
	mem_ctx	*mem = mem_new();

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(date_pattern_fault(mem, good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char	*why = date_pattern_fault(mem, bad[i].pattern);

		if (why == NULL || strncmp(why, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %s", bad[i].pattern, why ? why : "taken");
	}
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_c90_a_pattern_of_dates_has_a_year_a_month_and_a_day),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
