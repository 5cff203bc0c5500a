/* sentence: what Stripe says of a refusal reaches the operator, and nothing that is secret in it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "sentence.h"
#include "text.h"

static struct json_object *
error_with(mem_ctx *mem, const char *name, const char *text)
{
	struct json_object	*doc = json_new(mem), *error = json_object_new_object();

	json_put(error, name, text);
	json_object_object_add(doc, "error", error);
	return doc;
}

static void
assert_told(const char *said, const char *told)
{
	mem_ctx	*mem = mem_new();

	assert_string_equal(sentence_of(mem, error_with(mem, "message", said)), told);
	talloc_free(mem);
}

static void
test_f99_what_stripe_says_is_told(void **state)
{
	(void)state;
	assert_told("Price `price_1` is not available to be purchased because its product is not active.",
	    "Price `price_1` is not available to be purchased because its product is not active.");
	assert_told("See https://dashboard.stripe.com/test/settings/billing/portal.",
	    "See https://dashboard.stripe.com/test/settings/billing/portal.");
	assert_told("two\n lines", "two lines");
}

static void
test_f43_nothing_secret_of_it_is_told(void **state)
{
	static const char *const	secrets[] = { "anna@example.com", "sk_test_123", "rk_live_1", "whsec_0123", "tok_1",
		"pi_1_secret_2", "'Anna@Example.com'.", "https://checkout.stripe.com/c/pay/cs_1#x", "a%40b.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		mem_ctx	*mem = mem_new();

		assert_told(mem_printf(mem, "Invalid value: %s here", secrets[i]), "Invalid value: *** here");
		talloc_free(mem);
	}
}

static void
test_f122_a_long_sentence_is_cut(void **state)
{
	mem_ctx	*mem = mem_new();
	char	said[5000];

	(void)state;
	memset(said, 'x', sizeof(said) - 1);
	said[sizeof(said) - 1] = '\0';
	assert_int_equal(strlen(sentence_of(mem, error_with(mem, "message", said))), SENTENCE_MOST);
	talloc_free(mem);
}

static void
test_f122_no_character_is_cut_in_two(void **state)
{
	(void)state;
	for (int before = 0; before < 4; before++) {
		mem_ctx		*mem = mem_new();
		struct buf	said = { .ctx = mem };
		const char	*told;

		for (int i = 0; i < before; i++)
			buf_put(&said, "x", 1);
		for (int i = 0; i < SENTENCE_MOST; i++)
			buf_puts(&said, "\xe2\x82\xac");
		told = sentence_of(mem, error_with(mem, "message", said.data));
		assert_true(text_is_utf8(told, strlen(told)));
		assert_in_range(strlen(told), SENTENCE_MOST - 2, SENTENCE_MOST);
		talloc_free(mem);
	}
}

static void
test_f99_no_sentence_and_no_page_are_none(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_null(sentence_of(mem, NULL));
	assert_null(sentence_of(mem, error_with(mem, "message", "")));
	assert_null(sentence_page(error_with(mem, "request_log_url", "https://elsewhere.example/logs")));
	assert_string_equal(sentence_page(error_with(mem, "request_log_url",
	    "https://dashboard.stripe.com/test/logs/req_1")), "https://dashboard.stripe.com/test/logs/req_1");
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f99_what_stripe_says_is_told), cmocka_unit_test(test_f43_nothing_secret_of_it_is_told),
		cmocka_unit_test(test_f122_a_long_sentence_is_cut),
		cmocka_unit_test(test_f122_no_character_is_cut_in_two),
		cmocka_unit_test(test_f99_no_sentence_and_no_page_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
