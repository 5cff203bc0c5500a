/* api_key: what a program of a tenant sends, and what the database may see of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "api_key.h"
#include "session.h"
#include "unit.h"

/* What is shown is what proves it later, and what is stored proves nothing. */
static void
test_s30_a_key_that_was_made_is_read_again(void **state)
{
	mem_ctx		*mem = *state;
	struct secret	stored, bearer, again;
	char		*key, *hex;

	assert_int_equal(api_key_new(mem, &key, &stored), OK);
	assert_int_equal(strlen(key), strlen(API_KEY_PREFIX) + SECRET_BASE64URL);
	assert_int_equal(strncmp(key, API_KEY_PREFIX, strlen(API_KEY_PREFIX)), 0);
	hex = api_key_bearer(mem, key);
	assert_non_null(hex);
	assert_true(secret_from_hex(hex, strlen(hex), &bearer));
	again = secret_sha256("", bearer.bytes, SECRET_SIZE);
	assert_true(secret_equal(&again, &stored));
	assert_false(secret_equal(&bearer, &stored));
}

/* The same 32 bytes are another proof as a session's token. */
static void
test_s30_a_key_is_no_session(void **state)
{
	mem_ctx		*mem = *state;
	struct secret	zero = { { 0 } };
	char		*key = mem_printf(mem, API_KEY_PREFIX "%s", secret_base64url(mem, &zero));

	assert_string_not_equal(api_key_bearer(mem, key), session_bearer(mem, &zero));
}

static void
test_s30_what_is_not_formed_as_a_key_is_none(void **state)
{
	static const char *const	wrong[] = {
		NULL, "", "tg_", "tg_A", "sk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "TG_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"tg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "tg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"tg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", " tg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_null(api_key_bearer(*state, wrong[i]));
	assert_non_null(api_key_bearer(*state, "tg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_s30_a_key_that_was_made_is_read_again),
		TEST(test_s30_a_key_is_no_session),
		TEST(test_s30_what_is_not_formed_as_a_key_is_none),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
