/* distrust: which failing deliveries raise an alert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "distrust.h"
#include "mem.h"

enum { SECRET = 3, CLOCK = 1, STEP = DISTRUST_OVER_MS / 4 };

/* How many of n failures, a quarter of the time apart, raise the alert. */
static unsigned
raised(struct distrust *d, unsigned n, int64_t from, const char *address)
{
	unsigned	times = 0;

	for (unsigned i = 0; i < n; i++)
		times += distrust_note(d, SECRET, address, from + (int64_t)i * STEP);
	return times;
}

static void
test_f69_deliveries_that_keep_failing_raise_one_alert(void **state)
{
	struct distrust	d = DISTRUST_NEW;

	(void)state;
	assert_int_equal(raised(&d, 4, 1000, "192.0.2.1"), 0);
	assert_true(distrust_note(&d, SECRET, "192.0.2.77", 1000 + DISTRUST_OVER_MS));
	assert_int_equal(raised(&d, 20, 1001 + DISTRUST_OVER_MS, "192.0.2.1"), 0);
	assert_true(distrust_note(&d, SECRET, "192.0.2.1", 1000 + DISTRUST_OVER_MS + DISTRUST_AGAIN_MS));
}

static void
test_s08_a_burst_raises_none(void **state)
{
	struct distrust	d = DISTRUST_NEW;

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_false(distrust_note(&d, SECRET, "192.0.2.1", 1000 + i));
}

static void
test_s08_several_networks_and_causes_are_not_added_up(void **state)
{
	struct distrust	d = DISTRUST_NEW;
	mem_ctx		*mem = mem_new();

	(void)state;
	for (int i = 0; i < 12; i++) {
		assert_false(distrust_note(&d, SECRET, mem_printf(mem, "192.0.%d.1", i), 1000 + i * STEP));
		assert_false(distrust_note(&d, SECRET, mem_printf(mem, "2001:db8:%d:1::7", i), 1000 + i * STEP));
	}
	for (int i = 0; i < 8; i++)
		assert_false(distrust_note(&d, i % 2 ? SECRET : CLOCK, "198.51.100.1", 900000 + i * STEP));
	talloc_free(mem);
}

static void
test_f69_what_could_not_be_stored_is_said_again(void **state)
{
	struct distrust	d = DISTRUST_NEW;

	(void)state;
	assert_int_equal(raised(&d, 5, 1000, "192.0.2.1"), 1);
	assert_false(distrust_note(&d, SECRET, "192.0.2.1", 1000 + 5 * STEP));
	distrust_again(&d);
	assert_true(distrust_note(&d, SECRET, "192.0.2.1", 1000 + 6 * STEP));
	assert_true(distrust_end(&d));
	distrust_again(&d);
	assert_true(distrust_end(&d));
	assert_false(distrust_end(&d));
}

static void
test_f69_one_network_however_its_addresses_are_written(void **state)
{
	static const char *const	written[][5] = {
		{ "2001:db8::1", "2001:db8:0:0:ffff::1", "2001:0db8::2:0:0:1", "2001:DB8:0:0::7", "2001:db8::" },
		{ "192.0.2.1", "::ffff:192.0.2.77", "192.0.2.3", "::ffff:c000:204", "192.0.2.5" },
		{ "unix:", "fe80::1%eth0", "", "unix:", "192.0.2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		struct distrust	d = DISTRUST_NEW;

		for (int n = 0; n < 5; n++)
			assert_int_equal(distrust_note(&d, SECRET, written[i][n], 1000 + n * STEP), n == 4);
	}
}

static void
test_f69_while_some_verify_none_is_raised(void **state)
{
	struct distrust	d = DISTRUST_NEW;

	(void)state;
	assert_true(distrust_end(&d));
	assert_false(distrust_end(&d));
	for (int i = 0; i < 9; i++) {
		assert_int_equal(raised(&d, 4, 1000 + i * 10 * STEP, "2001:db8:1:2::1"), 0);
		assert_false(distrust_end(&d));
	}
	assert_int_equal(raised(&d, 5, 1, "2001:db8:1:2::1"), 1);
	assert_true(distrust_end(&d));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f69_deliveries_that_keep_failing_raise_one_alert),
		cmocka_unit_test(test_s08_a_burst_raises_none),
		cmocka_unit_test(test_s08_several_networks_and_causes_are_not_added_up),
		cmocka_unit_test(test_f69_what_could_not_be_stored_is_said_again),
		cmocka_unit_test(test_f69_one_network_however_its_addresses_are_written),
		cmocka_unit_test(test_f69_while_some_verify_none_is_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
