/* refusal: the kinds of call that a key may not make, and when they are tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "refusal.h"

static void
test_f102_a_refused_kind_is_left_alone_and_the_others_go_on(void **state)
{
	struct refusals	r = { 0 };

	(void)state;
	assert_true(refusal_note(&r, "GET", "/v1/charges/ch_1", 403, 1000));
	assert_string_equal(r.list[0].what, "GET /v1/charges");
	assert_false(refusal_allows(&r, "GET", "/v1/charges/ch_2", 1000));
	assert_false(refusal_allows(&r, "GET", "/v1/charges", 10999));
	assert_true(refusal_allows(&r, "POST", "/v1/charges", 1000));
	assert_true(refusal_allows(&r, "GET", "/v1/charges_of_another_kind", 1000));
}

static void
test_f102_one_probe_is_let_through_each_ten_seconds(void **state)
{
	struct refusals	r = { 0 };

	(void)state;
	refusal_note(&r, "GET", "/v1/charges/ch_1", 403, 1000);
	assert_true(refusal_allows(&r, "GET", "/v1/charges/ch_1", 11000));
	assert_false(refusal_allows(&r, "GET", "/v1/charges/ch_1", 11000));
	assert_false(refusal_note(&r, "GET", "/v1/charges/ch_1", 403, 11500));
	assert_false(refusal_allows(&r, "GET", "/v1/charges/ch_1", 21499));
	assert_true(refusal_allows(&r, "GET", "/v1/charges/ch_1", 21500));
}

static void
test_f102_an_answer_ends_it_and_an_outage_does_not(void **state)
{
	static const int	outages[] = { 0, 401, 429, 500 }, answers[] = { 200, 400, 404 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct refusals	r = { 0 };

		refusal_note(&r, "GET", "/v1/charges/ch_1", 403, 1000);
		assert_false(refusal_note(&r, "GET", "/v1/charges/ch_1", outages[i], 1000));
		assert_false(refusal_allows(&r, "GET", "/v1/charges/ch_1", 1000));
	}
	for (size_t i = 0; i < 3; i++) {
		struct refusals	r = { 0 };

		refusal_note(&r, "GET", "/v1/charges/ch_1", 403, 1000);
		assert_true(refusal_note(&r, "GET", "/v1/charges/ch_1", answers[i], 1000));
		assert_true(refusal_allows(&r, "GET", "/v1/charges/ch_1", 1000));
	}
}

static void
test_f102_kinds_have_names_of_one_or_two_parts(void **state)
{
	static const struct { const char *path, *what; } table[] = {
		{ "/v1/products/gold", "GET /v1/products" },
		{ "/v1/checkout/sessions/cs_1/expire", "GET /v1/checkout/sessions" },
		{ "/v1/billing_portal/configurations", "GET /v1/billing_portal/configurations" },
		{ "/v1/billing/meters/m", "GET /v1/billing/meters" }, { "/x", "GET /x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct refusals	r = { 0 };

		refusal_note(&r, "GET", table[i].path, 403, 0);
		assert_string_equal(r.list[0].what, table[i].what);
	}
}

static void
test_f102_more_kinds_than_there_is_room_for_are_asked_as_before(void **state)
{
	struct refusals	r = { 0 };
	char		path[] = "/v1/a";

	(void)state;
	for (int i = 0; i < REFUSALS + 4; i++) {
		path[4] = (char)('a' + i);
		assert_int_equal(refusal_note(&r, "GET", path, 403, 0), i < REFUSALS);
		assert_int_equal(refusal_allows(&r, "GET", path, 0), i >= REFUSALS);
	}
}

static void
test_f102_a_key_is_unknown_until_it_is_answered(void **state)
{
	struct refusals	r = { 0 };

	(void)state;
	assert_false(refusal_note_key(&r, 200));
	assert_true(refusal_note_key(&r, 401));
	assert_false(refusal_note_key(&r, 401));
	assert_false(refusal_note_key(&r, 503));
	assert_false(refusal_note_key(&r, 0));
	assert_true(r.all);
	assert_true(refusal_note_key(&r, 403));
	assert_false(r.all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f102_a_refused_kind_is_left_alone_and_the_others_go_on),
		cmocka_unit_test(test_f102_one_probe_is_let_through_each_ten_seconds),
		cmocka_unit_test(test_f102_an_answer_ends_it_and_an_outage_does_not),
		cmocka_unit_test(test_f102_kinds_have_names_of_one_or_two_parts),
		cmocka_unit_test(test_f102_more_kinds_than_there_is_room_for_are_asked_as_before),
		cmocka_unit_test(test_f102_a_key_is_unknown_until_it_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
