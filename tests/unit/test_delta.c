/* delta: text in pieces, whatever is cut where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "delta.h"
#include "unit.h"

#define ALONE "\xef\xbf\xbd"
#define SMILE "\xf0\x9f\x98\x80"

/* The pieces are JSON strings without their quotes, NULL at the end. */
static const char *
joined(mem_ctx *mem, const char *const *pieces)
{
	struct delta	*d = delta_new(mem);
	struct buf	out = { .ctx = mem };

	buf_put(&out, "", 0);
	for (; *pieces != NULL; pieces++) {
		const char		*text = mem_printf(mem, "{\"d\":\"%s\"}", *pieces);
		struct json_object	*s = json_at(delta_parse(mem, text, strlen(text)), "/d");

		assert_true(json_object_is_type(s, json_type_string));
		delta_put(d, json_object_get_string(s), (size_t)json_object_get_string_len(s), &out);
		assert_int_equal(strlen(out.data), out.len);
	}
	delta_end(d, &out);
	return out.data;
}

#define JOINED(...) joined(*state, (const char *const[]){ __VA_ARGS__, NULL })

static void
test_f135_text_is_what_its_pieces_are(void **state)
{
	assert_string_equal(JOINED("Hel", "", "lo\\n\\\"\\u00e4\xc3\xa4"), "Hello\n\"\xc3\xa4\xc3\xa4");
	assert_string_equal(JOINED("\\ud83d\\ude00", "\\uD83D\\uDE00" SMILE), SMILE SMILE SMILE);
	assert_string_equal(JOINED("\\\\u0000 \\\\ud83d"), "\\u0000 \\ud83d");
}

static void
test_f135_the_halves_of_an_emoji_in_two_pieces_are_one(void **state)
{
	assert_string_equal(JOINED("a\\ud83d", "\\ude00b"), "a" SMILE "b");
	assert_string_equal(JOINED("\\uD83D", "", "\\uDE00"), SMILE);
	assert_string_equal(JOINED("\\udbff", "\\udfff\\ud800", "\\udc00"), "\xf4\x8f\xbf\xbf\xf0\x90\x80\x80");
}

static void
test_f135_nothing_of_a_half_is_written_while_it_waits(void **state)
{
	struct delta		*d = delta_new(*state);
	struct buf		out = { .ctx = *state };
	struct json_object	*s = delta_parse(*state, "\"a\\ud83d\"", 9);

	delta_put(d, json_object_get_string(s), (size_t)json_object_get_string_len(s), &out);
	assert_string_equal(out.data, "a");
	delta_end(d, &out);
	assert_string_equal(out.data, "a" ALONE);
	delta_end(d, &out);
	assert_string_equal(out.data, "a" ALONE);
}

static void
test_f135_a_half_that_stays_alone_is_replaced(void **state)
{
	assert_string_equal(JOINED("a\\ud83d"), "a" ALONE);
	assert_string_equal(JOINED("\\ude00b"), ALONE "b");
	assert_string_equal(JOINED("\\ud83db", "\\ude00"), ALONE "b" ALONE);
	assert_string_equal(JOINED("\\ud83d", "b\\ude00"), ALONE "b" ALONE);
	assert_string_equal(JOINED("\\ud83d\\ud83d", "\\ude00\\ude00"), ALONE SMILE ALONE);
	assert_string_equal(JOINED("\\ud83d\\n\\ude00"), ALONE "\n" ALONE);
}

/* What follows looks as the digits of a half do. */
static void
test_f135_u0000_is_dropped(void **state)
{
	assert_string_equal(JOINED("a\\u0000b", "\\u0000"), "ab");
	assert_string_equal(JOINED("\\u0000d83d", "\\u0000\\u0000de00"), "d83dde00");
	assert_string_equal(JOINED("\\ud83d\\u0000", "\\u0000\\ude00"), SMILE);
	assert_string_equal(JOINED("\\ud83dde00"), ALONE "de00");
}

static void
test_f132_what_is_not_json_is_refused(void **state)
{
	static const char *const	texts[] = {
		"", "{", "{} x", "<html>", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\xbd\"}", "{\"a\":\"\\\"}", "\"\\", "\\u0000",
		"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\\u0000\":2}", "{\"a\":NaN}", "\"\\u12\"", "\"\\ud83d\\u\"", "[1e999]",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		if (delta_parse(*state, texts[i], strlen(texts[i])) != NULL)
			fail_msg("%s", texts[i]);
	}
	assert_null(delta_parse(*state, "\"a\0b\"", 5));
}

/* A document ends where its length says. */
static void
test_f135_no_byte_behind_the_end_is_read(void **state)
{
	struct json_object	*s = delta_parse(*state, "\"\\ud83d\"\\ude00", 8);

	assert_int_equal(json_object_get_string_len(s), 5);
	assert_null(delta_parse(*state, "\"\\ud83d\\ude00\"", 8));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f135_text_is_what_its_pieces_are),
		TEST(test_f135_the_halves_of_an_emoji_in_two_pieces_are_one),
		TEST(test_f135_nothing_of_a_half_is_written_while_it_waits),
		TEST(test_f135_a_half_that_stays_alone_is_replaced),
		TEST(test_f135_u0000_is_dropped),
		TEST(test_f132_what_is_not_json_is_refused),
		TEST(test_f135_no_byte_behind_the_end_is_read),
	};

	mem_init();
	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
