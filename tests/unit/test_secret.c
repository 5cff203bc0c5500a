/* secret: encodings are exact inverses, digests are the published ones, tokens do not repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "secret.h"

static void
test_sha256_is_the_published_one(void **state)
{
	mem_ctx		*mem = mem_new();
	struct secret	whole = secret_sha256("", "abc", 3), split = secret_sha256("a", "bc", 2);

	(void)state;
	assert_string_equal(secret_hex(mem, &whole), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(secret_equal(&whole, &split));
	talloc_free(mem);
}

static void
test_hmac_is_the_published_one(void **state)
{
	mem_ctx		*mem = mem_new();
	struct secret	mac = secret_hmac("Jefe", 4, "what do ya want for nothing?", 28);

	(void)state;
	assert_string_equal(secret_hex(mem, &mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	talloc_free(mem);
}

static void
test_encodings_are_inverses(void **state)
{
	mem_ctx		*mem = mem_new();
	struct secret	token, back;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char	*hex, *text;

		assert_int_equal(secret_random(&token), OK);
		hex = secret_hex(mem, &token);
		text = secret_base64url(mem, &token);
		assert_int_equal(strlen(text), 43);
		assert_true(secret_from_hex(hex, 64, &back) && secret_equal(&token, &back));
		assert_true(secret_from_base64url(text, 43, &back) && secret_equal(&token, &back));
	}
	talloc_free(mem);
}

static void
test_f35_a_malformed_token_is_refused(void **state)
{
	static const char *const	texts[] = {
		"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A",
	};
	struct secret	out;

	(void)state;
	assert_true(secret_from_base64url("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43, &out));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (secret_from_base64url(texts[i], strlen(texts[i]), &out))
			fail_msg("accepted: %s", texts[i]);
	assert_false(secret_from_hex("ABCD", 4, &out));
	assert_false(secret_from_hex("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 64, &out));
}

static void
test_random_tokens_differ(void **state)
{
	struct secret	a, b;

	(void)state;
	assert_int_equal(secret_random(&a), OK);
	assert_int_equal(secret_random(&b), OK);
	assert_false(secret_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_sha256_is_the_published_one), cmocka_unit_test(test_hmac_is_the_published_one),
		cmocka_unit_test(test_encodings_are_inverses), cmocka_unit_test(test_f35_a_malformed_token_is_refused),
		cmocka_unit_test(test_random_tokens_differ),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
