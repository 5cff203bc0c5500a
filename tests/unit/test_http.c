/* http: parameters, the body against what CONTENT_LENGTH says of it, and the Content-Type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ask.h"

static void
test_f03_a_parameter_given_twice_is_told(void **state)
{
	struct http_req	q;
	bool		twice;

	ask(&q, *state, "HTTP_HOST", "a", "HTTP_ORIGIN", "b", "HTTP_HOST", "c", NULL);
	assert_string_equal(http_param(&q, "HTTP_HOST", &twice), "a");
	assert_true(twice);
	assert_string_equal(http_param(&q, "HTTP_ORIGIN", &twice), "b");
	assert_false(twice);
	assert_null(http_param(&q, "http_host", &twice));
	assert_false(twice);
}

static enum err
read_body(void **state, const char *length, const char *bytes, size_t limit)
{
	struct http_req	q;
	struct record	r;
	enum err	e;

	ask(&q, *state, "CONTENT_LENGTH", length, NULL);
	q.n_params = length != NULL;
	give_body(&q, &r, bytes, strlen(bytes));
	e = http_read_body(&q, limit);
	if (e == OK) {
		assert_string_equal(q.body, bytes);
		assert_int_equal(q.body_len, strlen(bytes));
	} else
		assert_null(q.body);
	return e;
}

static void
test_f07_the_body_is_what_content_length_says(void **state)
{
	assert_int_equal(read_body(state, "5", "a=123", 100), OK);
	assert_int_equal(read_body(state, "005", "a=123", 100), OK);
	assert_int_equal(read_body(state, "0", "", 100), OK);
	assert_int_equal(read_body(state, "", "", 100), OK);
	assert_int_equal(read_body(state, NULL, "", 100), OK);
}

static void
test_f07_any_other_content_length(void **state)
{
	static const char *const	lengths[] = {
		"", "0", "4", "6", "-1", "+5", " 5", "5 ", "5,5", "5.0", "0x5", "5e0", "99999999999999999999", "\xd9\xa5"
	};

	for (size_t i = 0; i < LENGTH(lengths); i++)
		if (read_body(state, lengths[i], "a=123", 100) != ERR_BAD_REQUEST)
			fail_msg("accepted: \"%s\"", lengths[i]);
	assert_int_equal(read_body(state, NULL, "a=123", 100), ERR_BAD_REQUEST);
}

static void
test_f07_content_length_given_twice(void **state)
{
	struct http_req	q;
	struct record	r;

	ask(&q, *state, "CONTENT_LENGTH", "1", "CONTENT_LENGTH", "1", NULL);
	give_body(&q, &r, "a", 1);
	assert_int_equal(http_read_body(&q, 100), ERR_BAD_REQUEST);
}

static void
test_f08_over_the_limit(void **state)
{
	struct http_req	q;
	struct record	r;

	assert_int_equal(read_body(state, "5", "a=123", 5), OK);
	assert_int_equal(read_body(state, "5", "a=123", 4), ERR_TOO_LARGE);
	assert_int_equal(read_body(state, "3", "a=123", 4), ERR_TOO_LARGE);
	assert_int_equal(read_body(state, NULL, "a=123", 4), ERR_TOO_LARGE);
	assert_int_equal(read_body(state, "999999999", "a", 4), ERR_TOO_LARGE);
	ask(&q, *state, "CONTENT_LENGTH", "2000000", NULL);
	give_body(&q, &r, "a", 1);
	r.body_over = true;
	assert_int_equal(http_read_body(&q, 5000000), ERR_TOO_LARGE);
}

static void
test_c30_the_body_may_hold_any_byte(void **state)
{
	struct http_req	q;
	struct record	r;

	ask(&q, *state, "CONTENT_LENGTH", "4", NULL);
	give_body(&q, &r, "\0\xff\r\n", 4);
	assert_int_equal(http_read_body(&q, 4), OK);
	assert_memory_equal(q.body, "\0\xff\r\n", 5);
}

static bool
is_form(void **state, const char *type)
{
	struct http_req	q;

	ask(&q, *state, "CONTENT_TYPE", type, NULL);
	return http_content_is(&q, "application/x-www-form-urlencoded");
}

static void
test_f13_the_media_type_and_at_most_its_charset(void **state)
{
	static const char *const	types[] = {
		"application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded",
		"application/x-www-form-urlencoded;charset=utf-8", "application/x-www-form-urlencoded ; charset=UTF-8",
		"application/x-www-form-urlencoded; Charset=\"utf-8\""
	};

	for (size_t i = 0; i < LENGTH(types); i++)
		if (!is_form(state, types[i]))
			fail_msg("refused: %s", types[i]);
}

static void
test_f13_any_other_media_type(void **state)
{
	static const char *const	types[] = {
		"", "text/plain", "application/json", "application/x-www-form-urlencodedx",
		"application/x-www-form-urlencoded x", "application/x-www-form-urlencoded; charset=utf-16",
		"application/x-www-form-urlencoded; charset=iso-8859-1", "application/x-www-form-urlencoded, application/json",
		"application/x-www-form-urlencoded;", "application/x-www-form-urlencoded; charset=utf-8; x=y",
		"multipart/form-data; boundary=x", " application/x-www-form-urlencoded"
	};
	struct http_req	q;

	for (size_t i = 0; i < LENGTH(types); i++)
		if (is_form(state, types[i]))
			fail_msg("accepted: %s", types[i]);
	ask(&q, *state, "HTTP_HOST", "a", NULL);
	assert_false(http_content_is(&q, "application/json"));
	ask(&q, *state, "CONTENT_TYPE", "application/json", "CONTENT_TYPE", "application/json", NULL);
	assert_false(http_content_is(&q, "application/json"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f03_a_parameter_given_twice_is_told), TEST(test_f07_the_body_is_what_content_length_says),
		TEST(test_f07_any_other_content_length), TEST(test_f07_content_length_given_twice),
		TEST(test_f08_over_the_limit), TEST(test_c30_the_body_may_hold_any_byte),
		TEST(test_f13_the_media_type_and_at_most_its_charset), TEST(test_f13_any_other_media_type),
	};

	mem_init();
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
