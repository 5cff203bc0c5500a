/* sqlstate: the longest prefix counts, and an unknown code is an internal error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sqlstate.h"

static void
test_f89_each_code_has_its_error(void **state)
{
	static const struct {
		const char	*code;
		enum err	err;
		bool		again, drop;
	} table[] = {
		{ "TG401", ERR_AUTH, false, false }, { "TG40C", ERR_CONFIRM, false, false },
		{ "TG40F", ERR_FACTOR, false, false },
		{ "TG422", ERR_INVALID, false, false }, { "TG403", ERR_FORBIDDEN, false, false },
		{ "TG503", ERR_UNAVAILABLE, false, false },
		{ "53300", ERR_UNAVAILABLE, false, false }, { "53100", ERR_UNAVAILABLE, false, false },
		{ "53200", ERR_UNAVAILABLE, false, false }, { "55P03", ERR_UNAVAILABLE, false, false },
		{ "57014", ERR_UNAVAILABLE, false, false }, { "57P01", ERR_UNAVAILABLE, true, true },
		{ "57P02", ERR_UNAVAILABLE, true, true }, { "57P03", ERR_UNAVAILABLE, true, true },
		{ "40001", ERR_UNAVAILABLE, true, false }, { "40P01", ERR_UNAVAILABLE, true, false },
		{ "40003", ERR_INTERNAL, false, false }, { "25006", ERR_UNAVAILABLE, true, true },
		{ "08006", ERR_UNCERTAIN, false, true }, { "23505", ERR_CONFLICT, false, false },
		{ "22P05", ERR_INVALID, false, false }, { "22012", ERR_INTERNAL, false, false },
		{ "42501", ERR_FORBIDDEN, false, false }, { "42883", ERR_INTERNAL, false, false },
		{ "", ERR_INTERNAL, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct sqlstate	*s = sqlstate_find(table[i].code);

		assert_int_equal(s->err, table[i].err);
		assert_int_equal(s->again, table[i].again);
		assert_int_equal(s->drop, table[i].drop);
	}
}

static void
test_only_our_own_known_codes_are_answers(void **state)
{
	(void)state;
	assert_true(sqlstate_is_answer("TG404"));
	assert_true(sqlstate_is_answer("TG429"));
	assert_false(sqlstate_is_answer("TG418"));
	assert_false(sqlstate_is_answer("TG503"));	/* the operator must act, so it is logged */
	assert_false(sqlstate_is_answer("23505"));
	assert_false(sqlstate_is_answer(""));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f89_each_code_has_its_error),
		cmocka_unit_test(test_only_our_own_known_codes_are_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
