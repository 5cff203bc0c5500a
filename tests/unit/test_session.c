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
	struct secret	token, other, stored, bearer;

	(void)state;
	assert_int_equal(session_new(&token, &stored), OK);
	assert_int_equal(session_new(&other, &bearer), OK);
	assert_false(secret_equal(&token, &other));
	assert_true(secret_from_hex(session_bearer(mem, &token), 64, &bearer));
	bearer = session_digest(&bearer);
	assert_true(secret_equal(&stored, &bearer));
	/* sha256 of 32 zero bytes, as any other implementation computes it */
	stored = session_digest(&zero);
	assert_string_equal(secret_hex(mem, &stored), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
	talloc_free(mem);
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
		cmocka_unit_test(test_c60_a_form_token_fits_one_cookie_only),
		cmocka_unit_test(test_f35_a_malformed_cookie_is_no_session),
		cmocka_unit_test(test_keys_differ_by_browser_label_and_value),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
