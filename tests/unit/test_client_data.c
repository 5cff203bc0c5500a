/* client_data: what a browser says of a passkey's use, and who else says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "client_data.h"
#include "unit.h"

#define ORIGIN "https://app.example.com"
#define DATA(type, challenge, more) \
	"{\"type\":\"" type "\",\"challenge\":\"" challenge "\",\"origin\":" more "}"
#define GOOD DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"crossOrigin\":false")

static const char *
fault_of(mem_ctx *mem, const char *text, const char **challenge)
{
	return client_data_fault(mem, text, strlen(text), CLIENT_DATA_GET, ORIGIN, challenge);
}

static void
test_what_chromium_says_is_taken(void **state)
{
	static const char *const	texts[] = {
		GOOD, DATA("webauthn.get", "abc", "\"" ORIGIN "\""),
		DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not "
		    "compare clientDataJSON against a template. See https://goo.gl/yabPex\""),
	};
	const char			*challenge;

	for (size_t i = 0; i < LENGTH(texts); i++) {
		assert_null(fault_of(*state, texts[i], &challenge));
		assert_string_equal(challenge, "abc");
	}
}

static void
test_f205_of_another_page_or_use_it_is_refused(void **state)
{
	static const struct {
		const char	*text, *fault;
	} cases[] = {
		{ DATA("webauthn.create", "abc", "\"" ORIGIN "\""), "type" },
		{ DATA("payment.get", "abc", "\"" ORIGIN "\""), "type" },
		{ DATA("webauthn.get\\u0000", "abc", "\"" ORIGIN "\""), "type" },
		{ DATA("webauthn.get", "abc", "\"https://example.com\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"http://app.example.com\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"https://app.example.com:444\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"https://app.example.com/\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"https://app.example.com.evil.example\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"https://app.example.com\\u0000.evil\""), "origin" },
		{ DATA("webauthn.get", "abc", "null"), "origin" },
		{ DATA("webauthn.get", "abc", "[\"" ORIGIN "\"]"), "origin" },
		{ DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"crossOrigin\":true"), "origin" },
		{ DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"crossOrigin\":\"false\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"topOrigin\":\"https://evil.example\""), "origin" },
		{ DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"crossOrigin\":false,\"topOrigin\":null"), "origin" },
		{ DATA("webauthn.get", "abc", "\"" ORIGIN "\",\"type\":\"webauthn.get\""), "client_data" },
		{ "{\"type\":\"webauthn.get\",\"origin\":\"" ORIGIN "\"}", "challenge" },
		{ "{\"type\":\"webauthn.get\",\"origin\":\"" ORIGIN "\",\"challenge\":7}", "challenge" },
		{ "[]", "client_data" }, { "", "client_data" }, { "{", "client_data" }, { GOOD "x", "client_data" },
		{ "\"webauthn.get\"", "client_data" }, { "null", "client_data" },
	};
	const char	*challenge, *fault;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		fault = fault_of(*state, cases[i].text, &challenge);
		assert_non_null(fault);
		assert_string_equal(fault, cases[i].fault);
	}
}

static void
test_f204_client_data_is_bounded(void **state)
{
	char		long_one[CLIENT_DATA_MAX + 2];
	const char	*challenge;

	memset(long_one, ' ', sizeof(long_one));
	memcpy(long_one, GOOD, strlen(GOOD));
	assert_null(client_data_fault(*state, long_one, CLIENT_DATA_MAX, CLIENT_DATA_GET, ORIGIN, &challenge));
	assert_non_null(client_data_fault(*state, long_one, CLIENT_DATA_MAX + 1, CLIENT_DATA_GET, ORIGIN, &challenge));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_what_chromium_says_is_taken),
		TEST(test_f205_of_another_page_or_use_it_is_refused),
		TEST(test_f204_client_data_is_bounded),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
