/* response: the single writer of headers, which refuses what could become another header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ask.h"

static void
test_headers_are_lines(void **state)
{
	struct http_res	r = { .mem = *state };

	http_header(&r, "X-A", "b; c=\"d\"");
	http_header(&r, "X-Empty", "");
	assert_false(r.invalid);
	assert_string_equal(r.head.data, "X-A: b; c=\"d\"\r\nX-Empty: \r\n");
}

static void
test_f19_control_bytes_make_the_response_invalid(void **state)
{
	for (int c = 1; c < 0x80; c++) {
		struct http_res	r = { .mem = *state };

		http_header(&r, "X-A", (char[]){ 'a', (char)c, 'b', '\0' });
		assert_int_equal(r.invalid, c < 0x20 || c == 0x7f);
		assert_int_equal(r.head.len, r.invalid ? 0 : strlen("X-A: a_b\r\n"));
	}
}

static void
test_f19_header_names_are_tokens(void **state)
{
	static const char *const	names[] = { "", "X A", "X:A", "X\r\nA", "X\xc3\xa9" };

	for (size_t i = 0; i < LENGTH(names); i++) {
		struct http_res	r = { .mem = *state };

		http_header(&r, names[i], "b");
		assert_true(r.invalid);
	}
}

static void
test_f32_a_head_over_3584_bytes(void **state)
{
	struct http_res	r = { .mem = *state };
	char		value[3001];

	memset(value, 'a', sizeof(value) - 1);
	value[3000] = '\0';
	http_header(&r, "X-Long", value);
	assert_false(r.invalid);
	http_header(&r, "X-Long", value);
	assert_true(r.invalid);
	assert_in_range(r.head.len, 3000, HTTP_MAX_RESPONSE_HEAD);
}

/* "Status: 200", "Content-Length: 4294967296", their ends and the empty line are written later. */
static void
test_f32_room_is_kept_for_status_and_length(void **state)
{
	const size_t	most = HTTP_MAX_RESPONSE_HEAD - 64 - strlen("X: \r\n");
	char		value[HTTP_MAX_RESPONSE_HEAD];

	for (size_t n = most - 1; n <= most + 1; n++) {
		struct http_res	r = { .mem = *state };

		memset(value, 'a', n);
		value[n] = '\0';
		http_header(&r, "X", value);
		assert_int_equal(r.invalid, n > most);
	}
}

static void
test_f33_a_redirect_has_its_status(void **state)
{
	struct http_res	r = { .mem = *state };

	assert_int_equal(http_redirect(&r, "https://checkout.stripe.com/c/pay/cs_1#x"), OK);
	assert_int_equal(r.status, 303);
	assert_string_equal(r.head.data, "Location: https://checkout.stripe.com/c/pay/cs_1#x\r\n");
	assert_int_equal(r.body.len, 0);
	assert_false(r.invalid);
	http_body(&r, 200, "text/plain", "page", 4);
	assert_int_equal(http_redirect(&r, "/workspace"), OK);
	assert_int_equal(r.status, 303);
	assert_int_equal(r.body.len, 0);
}

static void
test_f18_f19_a_redirect_that_is_no_url(void **state)
{
	static const char *const	urls[] = { "", "/a b", "/a\r\nSet-Cookie: a=b", "/a\n", "\x7f" };

	for (size_t i = 0; i < LENGTH(urls); i++) {
		struct http_res	r = { .mem = *state };

		assert_int_equal(http_redirect(&r, urls[i]), OK);
		assert_true(r.invalid);
	}
}

static void
test_cookies_are_host_cookies(void **state)
{
	struct http_res	r = { .mem = *state };

	http_set_cookie(&r, "__Host-sid", "abc", -1);
	http_set_cookie(&r, "__Host-flow", "d-_", 600);
	http_set_cookie(&r, "__Host-sid", "", 0);
	assert_false(r.invalid);
	assert_string_equal(r.head.data,
	    "Set-Cookie: __Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"
	    "Set-Cookie: __Host-flow=d-_; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600\r\n"
	    "Set-Cookie: __Host-sid=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0\r\n");
}

static void
test_f19_a_cookie_that_would_be_more_than_one(void **state)
{
	static const char *const	values[] = { "a; Domain=b", "a;b", "a,b", "a b", "\"a\"", "a\\b", "a\r\n" };

	for (size_t i = 0; i < LENGTH(values); i++) {
		struct http_res	r = { .mem = *state };

		http_set_cookie(&r, "__Host-sid", values[i], -1);
		assert_true(r.invalid);
	}
}

static void
test_a_body_replaces_the_one_before(void **state)
{
	struct http_res	r = { .mem = *state };

	http_body(&r, 200, "text/plain", "first", 5);
	http_body(&r, 404, "text/plain", "a\0b", 3);
	assert_int_equal(r.status, 404);
	assert_int_equal(r.body.len, 3);
	assert_memory_equal(r.body.data, "a\0b", 4);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_headers_are_lines), TEST(test_f19_control_bytes_make_the_response_invalid),
		TEST(test_f19_header_names_are_tokens), TEST(test_f32_a_head_over_3584_bytes),
		TEST(test_f32_room_is_kept_for_status_and_length),
		TEST(test_f33_a_redirect_has_its_status), TEST(test_f18_f19_a_redirect_that_is_no_url),
		TEST(test_cookies_are_host_cookies), TEST(test_f19_a_cookie_that_would_be_more_than_one),
		TEST(test_a_body_replaces_the_one_before),
	};

	mem_init();
	return cmocka_run_group_tests_name("response", tests, NULL, NULL);
}
