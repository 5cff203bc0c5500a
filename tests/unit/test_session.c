/* session: what the database may see of a cookie, and tokens that bind forms to a browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "session.h"

static const struct secret zero;
static const struct secret one = { { 1 } };

static void
test_the_bearer_is_a_digest_of_the_cookie(void **state)
{
	mem_ctx		*mem = mem_new();
	struct secret	token;

	(void)state;
	assert_true(session_read("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &token));
	assert_true(secret_equal(&token, &zero));
	/* sha256 of "db1" and 32 zero bytes, as any other implementation computes it */
	assert_string_equal(session_bearer(mem, &token),
	    "72b96cfb430c620d7e339d148ef46056c19d6d359df353cc68a8cbab120a66fa");
	talloc_free(mem);
}

static void
test_a_new_session_is_stored_as_the_digest_of_its_bearer(void **state)
{
	mem_ctx		*mem = mem_new();
	struct session	made, other;
	struct secret	stored, bearer;

	(void)state;
	assert_int_equal(session_new(&made, &stored), OK);
	assert_int_equal(session_new(&other, &bearer), OK);
	assert_false(secret_equal(&made.token, &other.token));
	assert_false(secret_equal(&made.stable, &other.stable));
	assert_false(secret_equal(&made.stable, &made.token));
	assert_true(secret_from_hex(session_bearer(mem, &made.token), 64, &bearer));
	bearer = session_digest(&bearer);
	assert_true(secret_equal(&stored, &bearer));
	/* sha256 of 32 zero bytes, as any other implementation computes it */
	stored = session_digest(&zero);
	assert_string_equal(secret_hex(mem, &stored), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
	talloc_free(mem);
}

#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ONE "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
test_f207_a_cookie_is_what_stays_and_then_what_rotates(void **state)
{
	mem_ctx		*mem = mem_new();
	struct session	s, back;
	struct secret	stored, stable;

	(void)state;
	assert_true(session_cookie_read(ONE ZERO, &s));
	assert_true(secret_equal(&s.stable, &one) && secret_equal(&s.token, &zero));
	assert_string_equal(session_cookie(mem, &s), ONE ZERO);
	stable = s.stable;
	assert_int_equal(session_renew(&s, &stored), OK);
	assert_true(secret_equal(&s.stable, &stable));
	assert_false(secret_equal(&s.token, &zero));
	assert_true(session_cookie_read(session_cookie(mem, &s), &back));
	assert_memory_equal(&s, &back, sizeof(s));
	talloc_free(mem);
}

static void
test_f207_the_token_of_an_earlier_cookie_keys_what_the_stable_part_does(void **state)
{
	struct session	s;

	(void)state;
	assert_true(session_cookie_read(ONE, &s));
	assert_true(secret_equal(&s.stable, &one) && secret_equal(&s.token, &one));
}

static void
test_f35_a_cookie_of_another_form_is_no_session(void **state)
{
	static const char *const	values[] = { NULL, "", "A", ZERO "A", "A" ZERO, ZERO ONE "A", ZERO ZERO ONE, ZERO "=",
		ZERO ZERO "=", ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB" ZERO, ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	struct session			s;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_false(session_cookie_read(values[i], &s));
}

static void
test_c60_a_form_token_fits_one_cookie_only(void **state)
{
	mem_ctx	*mem = mem_new();
	char	*token = session_csrf(mem, &zero);

	(void)state;
	assert_true(session_csrf_ok(&zero, token));
	assert_false(session_csrf_ok(&one, token));
	assert_false(session_csrf_ok(&zero, NULL));
	assert_false(session_csrf_ok(&zero, ""));
	token[0] = token[0] == 'A' ? 'B' : 'A';
	assert_false(session_csrf_ok(&zero, token));
	talloc_free(mem);
}

static void
test_f35_a_malformed_cookie_is_no_session(void **state)
{
	struct secret	token;

	(void)state;
	assert_false(session_read(NULL, &token));
	assert_false(session_read("", &token));
	assert_false(session_read("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &token));
}

static void
test_keys_differ_by_browser_label_and_value(void **state)
{
	mem_ctx		*mem = mem_new();
	const char	*key = session_key(mem, &zero, "signup", "a@example.com starter");

	(void)state;
	assert_string_equal(key, session_key(mem, &zero, "signup", "a@example.com starter"));
	assert_string_not_equal(key, session_key(mem, &one, "signup", "a@example.com starter"));
	assert_string_not_equal(key, session_key(mem, &zero, "signup", "a@example.com growth"));
	assert_string_not_equal(session_key(mem, &zero, "ab", "c"), session_key(mem, &zero, "a", "bc"));
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_the_bearer_is_a_digest_of_the_cookie),
		cmocka_unit_test(test_a_new_session_is_stored_as_the_digest_of_its_bearer),
		cmocka_unit_test(test_f207_a_cookie_is_what_stays_and_then_what_rotates),
		cmocka_unit_test(test_f207_the_token_of_an_earlier_cookie_keys_what_the_stable_part_does),
		cmocka_unit_test(test_f35_a_cookie_of_another_form_is_no_session),
		cmocka_unit_test(test_c60_a_form_token_fits_one_cookie_only),
		cmocka_unit_test(test_f35_a_malformed_cookie_is_no_session),
		cmocka_unit_test(test_keys_differ_by_browser_label_and_value),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
