/* json: what the strict reader takes and refuses, and reads that treat missing and null alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "json.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static enum err
parse(mem_ctx *mem, const char *text, struct json_object **doc)
{
	return json_parse(mem, text, strlen(text), doc);
}

static void
test_f64_refused(void **state)
{
	static const char *const	texts[] = {
		"", " ", "\xef\xbb\xbf{}", "{} x", "{}{}", "'single'", "{'a':1}", "// c\n1", "/* c */1", "1 // c", "NaN",
		"-NaN", "Infinity", "-Infinity", "[NaN]", "{\"a\":Infinity}", "{\"a\":1,}", "[1,]", "01", "+1", ".5", "1.",
		"\"\xff\"", "\"a\nb\"", "tru", "{", "[", "\"", "{\"a\"}", "nul", "TRUE", "1e999", "-1e999",
		"1e-99999", "0E-99999", "[1e-401]",
	};
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++)
		if (parse(mem, texts[i], &doc) != ERR_BAD_REQUEST)
			fail_msg("accepted: %s", texts[i]);
	talloc_free(mem);
}

static void
test_f64_accepted(void **state)
{
	static const char *const	texts[] = {
		"{}", "[]", " {} \n", "-0", "0", "1e2", "\"NaN Infinity\"", "{\"Infinity\":\"NaN\"}", "\"\\\"N\"", "true",
		"null", "\"\xc3\xa9\"", "\"\\u00e9\"", "9007199254740993",
	};
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++)
		if (parse(mem, texts[i], &doc) != OK)
			fail_msg("refused: %s", texts[i]);
	talloc_free(mem);
}

static void
test_f101_what_was_cut_anywhere_is_not_whole(void **state)
{
	static const char		text[] = "{\"id\":\"x\",\"list\":[1,{\"a\":null}],\"b\":{}}";
	static const char *const	whole[] = { "{\"a\":\"\\ud800\"}", "{\"a\":1e999}", "{\"a\":\"\xff\"}", "[]\n",
	    "{\"a\":\"\\u0000\"}" };

	(void)state;
	for (size_t n = 0; n < strlen(text); n++)
		assert_false(json_is_whole(text, n));
	assert_true(json_is_whole(text, strlen(text)));
	for (size_t i = 0; i < LENGTH(whole); i++)
		assert_true(json_is_whole(whole[i], strlen(whole[i])));
	assert_false(json_is_whole("<html>", 6));
}

static void
nest(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[depth * 2] = '\0';
}

static void
test_f64_depth_is_bounded(void **state)
{
	static char		text[20001];
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	nest(text, 32);
	assert_int_equal(parse(mem, text, &doc), OK);
	nest(text, 33);
	assert_int_equal(parse(mem, text, &doc), ERR_BAD_REQUEST);
	nest(text, 10000);
	assert_int_equal(parse(mem, text, &doc), ERR_BAD_REQUEST);
	talloc_free(mem);
}

static void
test_f67_text_is_unicode(void **state)
{
	static const char *const	bad[] = {
		"\"\xf4\x90\x80\x80\"", "\"\xf7\xbf\xbf\xbf\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"\xe2\x82\"",
		"\"\\ud800\"", "\"\\uDBFF\"", "\"\\udc00\"", "\"\\uDFFFx\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
		"\"\\ud83c\\udfab\\udfab\"", "{\"\\ud800\":1}", "[\"\\ud800", "\"\\ud800\\",
	};
	static const char *const	good[] = {
		"\"\xf4\x8f\xbf\xbf\"", "\"\\ud83c\\udfab\"", "\"\\uD83C\\uDFAB\"", "\"\\\\ud800\"", "\"\\ud7ff\\ue000\"",
		"\"\\\\\\ud83c\\udfab\"",
	};
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++)
		if (parse(mem, bad[i], &doc) != ERR_BAD_REQUEST)
			fail_msg("accepted: %s", bad[i]);
	for (size_t i = 0; i < LENGTH(good); i++)
		if (parse(mem, good[i], &doc) != OK)
			fail_msg("refused: %s", good[i]);
	talloc_free(mem);
}

static void
test_f66_nul_byte_is_refused(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(json_parse(mem, "{}\0{}", 5, &doc), ERR_BAD_REQUEST);
	assert_int_equal(json_parse(mem, "\"a\0b\"", 5, &doc), ERR_BAD_REQUEST);
	talloc_free(mem);
}

static void
test_f65_a_key_twice(void **state)
{
	static const char *const	twice[] = { "{\"a\":1,\"a\":2}", "[{\"b\":{\"a\":1,\"a\":1}}]",
	    "{\"a\":1,\"\\u0061\":2}" };
	static const char *const	once[] = { "{\"a\":\":\",\"b\":{\"a\":1}}", "[]", "{\"a:\":[{\"a\":1},{\"a\":1}]}" };
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	for (size_t i = 0; i < LENGTH(twice); i++)
		assert_int_equal(json_parse_unique(mem, twice[i], strlen(twice[i]), &doc), ERR_BAD_REQUEST);
	for (size_t i = 0; i < LENGTH(once); i++)
		assert_int_equal(json_parse_unique(mem, once[i], strlen(once[i]), &doc), OK);
	talloc_free(mem);
}

static void
test_reads_treat_missing_and_null_alike(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(parse(mem, "{\"a\":{\"b\":\"x\",\"n\":null,\"i\":7,\"t\":true,\"l\":[{\"c\":\"y\"}]}}", &doc), OK);
	assert_string_equal(json_text(doc, "/a/b"), "x");
	assert_string_equal(json_text(doc, "/a/l/0/c"), "y");
	assert_null(json_text(doc, "/a/n"));
	assert_null(json_text(doc, "/a/none/deep"));
	assert_null(json_text(doc, "/a/i"));
	assert_null(json_text(NULL, "/a"));
	assert_int_equal(json_int(doc, "/a/i", -1), 7);
	assert_int_equal(json_int(doc, "/a/b", -1), -1);
	assert_true(json_true(doc, "/a/t"));
	assert_false(json_true(doc, "/a/b"));
	talloc_free(mem);
}

static void
test_a_string_with_a_nul_inside_is_not_whole(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(parse(mem, "[\"a\",\"a\\u0000b\",\"\\u0000\",\"\",7]", &doc), OK);
	assert_string_equal(json_whole_text(doc, "/0"), "a");
	assert_null(json_whole_text(doc, "/1"));
	assert_null(json_whole_text(doc, "/2"));
	assert_string_equal(json_whole_text(doc, "/3"), "");
	assert_null(json_whole_text(doc, "/4"));
	assert_null(json_whole_text(doc, "/5"));
	talloc_free(mem);
}

static void
test_f68_integers_up_to_2_to_the_53(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(parse(mem, "[9007199254740992,9007199254740993,18446744073709551616,1.5,-9007199254740992]", &doc),
	    OK);
	assert_true(json_int(doc, "/0", 0) == INT64_C(9007199254740992));
	assert_int_equal(json_int(doc, "/1", -1), -1);
	assert_int_equal(json_int(doc, "/2", -1), -1);
	assert_int_equal(json_int(doc, "/3", -1), -1);
	assert_true(json_int(doc, "/4", 0) == -INT64_C(9007199254740992));
	talloc_free(mem);
}

static void
test_an_id_is_a_string_or_an_expanded_object(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(parse(mem, "{\"a\":\"cus_1\",\"b\":{\"id\":\"cus_2\"},\"c\":null,\"d\":3}", &doc), OK);
	assert_string_equal(json_id(doc, "/a"), "cus_1");
	assert_string_equal(json_id(doc, "/b"), "cus_2");
	assert_null(json_id(doc, "/c"));
	assert_null(json_id(doc, "/d"));
	talloc_free(mem);
}

static void
test_f101_a_string_that_is_not_there_is_no_other(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;

	(void)state;
	assert_int_equal(parse(mem, "{\"a\":\"open\",\"b\":null,\"c\":1}", &doc), OK);
	assert_true(json_is(doc, "/a", "open"));
	assert_false(json_is(doc, "/a", "opened"));
	assert_false(json_is(doc, "/b", ""));
	assert_false(json_is(doc, "/c", "1"));
	assert_false(json_is(doc, "/d", ""));
	assert_false(json_is(NULL, "/a", "open"));
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f64_refused), cmocka_unit_test(test_f64_accepted),
		cmocka_unit_test(test_f64_depth_is_bounded), cmocka_unit_test(test_f101_what_was_cut_anywhere_is_not_whole),
		cmocka_unit_test(test_f67_text_is_unicode), cmocka_unit_test(test_f66_nul_byte_is_refused),
		cmocka_unit_test(test_f65_a_key_twice),
		cmocka_unit_test(test_reads_treat_missing_and_null_alike),
		cmocka_unit_test(test_a_string_with_a_nul_inside_is_not_whole),
		cmocka_unit_test(test_f68_integers_up_to_2_to_the_53),
		cmocka_unit_test(test_an_id_is_a_string_or_an_expanded_object),
		cmocka_unit_test(test_f101_a_string_that_is_not_there_is_no_other),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
