#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mem.h"
#include "origin.h"

#define STRIPE "https://checkout.stripe.com"

static void
test_f101_the_origin_of_a_url(void **state)
{
	static const struct { const char *url, *origin; } cases[] = {
		{ "https://api.stripe.com", "https://api.stripe.com" },
		{ "https://api.stripe.com/v1", "https://api.stripe.com" },
		{ "http://127.0.0.1:8080/a?b", "http://127.0.0.1:8080" },
		{ "http://[::1]:8080", "http://[::1]:8080" },
		{ "https://user@host/", NULL },
		{ "https://api.stripe.com?x", "https://api.stripe.com" },
		{ "https://api.stripe.com#x", "https://api.stripe.com" },
		{ "https://api.stripe.com\\@evil.example", NULL },
		{ "https://api.stripe.com evil", NULL },
		{ "https://api.stripe.com:443@evil.example/", NULL },
		{ "HTTPS://api.stripe.com", NULL },
		{ "https:/api.stripe.com", NULL },
		{ "https://", NULL },
		{ "ftp://host/", NULL },
		{ "javascript:alert(1)", NULL },
		{ "", NULL },
	};
	mem_ctx	*mem = mem_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char	*origin = origin_of(mem, cases[i].url);

		if (cases[i].origin == NULL)
			assert_null(origin);
		else
			assert_string_equal(origin, cases[i].origin);
	}
	talloc_free(mem);
}

static void
test_f101_only_urls_on_the_origin_are_followed(void **state)
{
	static const struct { const char *url; bool holds; } cases[] = {
		{ STRIPE "/c/pay/cs_test_1#frag", true },
		{ STRIPE "/", true },
		{ STRIPE, false },
		{ STRIPE ".evil.example/c", false },
		{ STRIPE "@evil.example/c", false },
		{ STRIPE ":444/c", false },
		{ STRIPE "\\@evil.example/c", false },
		{ STRIPE "?@evil.example/c", false },
		{ STRIPE "/c\t", false },
		{ STRIPE "/c\x7f", false },
		{ STRIPE "/c\"onclick=x", false },
		{ STRIPE "/c<b", false },
		{ STRIPE "/c>b", false },
		{ STRIPE "/c%0d%0a~!'", true },
		{ " " STRIPE "/c", false },
		{ "http://checkout.stripe.com/c", false },
		{ "https://CHECKOUT.stripe.com/c", false },
		{ "https://evil.example/" STRIPE "/", false },
		{ STRIPE "/c\r\nSet-Cookie: a=b", false },
		{ STRIPE "/c d", false },
		{ STRIPE "/\\evil.example", false },
		{ STRIPE "/\xc3\xa9", false },
		{ "javascript:alert(1)", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (origin_holds(STRIPE, cases[i].url) != cases[i].holds)
			fail_msg("%s", cases[i].url);
	}
}

static void
test_f96_plain_http_is_for_this_machine_only(void **state)
{
	static const struct { const char *origin; bool loopback; } cases[] = {
		{ "http://127.0.0.1:8080", true },
		{ "http://127.8.9.1", true },
		{ "http://localhost:1", true },
		{ "http://localhost", true },
		{ "http://[::1]:80", true },
		{ "http://127.0.0.1.evil.example", false },
		{ "http://localhost.evil.example", false },
		{ "http://[::1].evil.example", false },
		{ "http://10.0.0.1", false },
		{ "http://0.0.0.0", false },
		{ "http://127a.0.0.1", false },
		{ "http://128.0.0.1", false },
		{ "http://localhost:80@evil.example", false },
		{ "http://127.0.0.1:@evil.example", false },
		{ "http://127.0.0.1@evil.example", false },
		{ "http://localhosts", false },
		{ "http://LOCALHOST", false },
		{ "http://[::ffff:127.0.0.1]", false },
		{ "http://[::1", false },
		{ "https://127.0.0.1", true },
		{ "ftp://127.0.0.1", false },
		{ "127.0.0.1", false },
		{ "https://api.stripe.com", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (origin_is_loopback(cases[i].origin) != cases[i].loopback)
			fail_msg("%s", cases[i].origin);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f101_the_origin_of_a_url),
		cmocka_unit_test(test_f101_only_urls_on_the_origin_are_followed),
		cmocka_unit_test(test_f96_plain_http_is_for_this_machine_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
