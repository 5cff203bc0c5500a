/* words: amounts and dates of a document, in a page's language. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "json.h"
#include "unit.h"
#include "words.h"

#define SPACE "\xc2\xa0"	/* that does not break */

static struct language	languages[] = {
	{ .code = "en", .date_pattern = "d MMMM y" }, { .code = "de", .date_pattern = "d. MMMM y" },
};

static const struct pages	pages = { .languages = languages, .n_languages = 2 };

static const struct words *
words(mem_ctx *mem)
{
	const struct words	*w;

	assert_int_equal(words_open(mem, &pages, &w), OK);
	return w;
}

static struct json_object *
parse(mem_ctx *mem, const char *text)
{
	struct json_object	*doc;

	assert_int_equal(json_parse(mem, text, strlen(text), &doc), OK);
	return doc;
}

/* The text of the value; NULL when it became null. */
static const char *
said(mem_ctx *mem, const struct words *w, const char *language, const char *value)
{
	struct json_object	*doc = parse(mem, mem_printf(mem, "{\"x\": %s}", value));

	assert_int_equal(words_add(w, language, doc), OK);
	return json_text(doc, "/x/text");
}

static const char *
amount(mem_ctx *mem, const struct words *w, const char *language, const char *minor, const char *currency)
{
	return said(mem, w, language, mem_printf(mem, "{\"minor\": %s, \"currency\": \"%s\"}", minor, currency));
}

/* In turns, so that each amount is the first after another currency. */
static void
test_f68_an_amount_is_said_as_its_language_writes_it(void **state)
{
	static const struct {
		const char	*minor, *currency, *en, *de;
	} rows[] = {
		{ "1900", "usd", "$19.00", "19,00" SPACE "$" },
		{ "1900", "eur", "€19.00", "19,00" SPACE "€" },
		{ "1234560", "kwd", "KWD" SPACE "1,234.560", "1.234,560" SPACE "KWD" },
		{ "7", "kwd", "KWD" SPACE "0.007", "0,007" SPACE "KWD" },
		{ "1900", "jpy", "¥1,900", "1.900" SPACE "¥" },
		{ "5", "eur", "€0.05", "0,05" SPACE "€" },
		{ "0", "usd", "$0.00", "0,00" SPACE "$" },
		{ "-1905", "usd", "-$19.05", "-19,05" SPACE "$" },
		{ "9007199254740993", "eur", "€90,071,992,547,409.93", "90.071.992.547.409,93" SPACE "€" },
		{ "9223372036854775807", "jpy", "¥9,223,372,036,854,775,807", "9.223.372.036.854.775.807" SPACE "¥" },
		{ "-9223372036854775808", "usd", "-$92,233,720,368,547,758.08", "-92.233.720.368.547.758,08" SPACE "$" },
		/* counted in hundredths that do not exist: said only where there are some */
		{ "50000", "isk", "ISK" SPACE "500", "500" SPACE "ISK" },
		{ "500050", "ugx", "UGX" SPACE "5,000.50", "5.000,50" SPACE "UGX" },
		{ "5", "isk", "ISK" SPACE "0.05", "0,05" SPACE "ISK" },
		{ "0", "isk", "ISK" SPACE "0", "0" SPACE "ISK" },
		{ "190000", "huf", "HUF" SPACE "1,900.00", "1.900,00" SPACE "HUF" },
		{ "1900", "twd", "NT$19.00", "19,00" SPACE "NT$" },
		{ "1900", "mga", "MGA" SPACE "1,900", "1.900" SPACE "MGA" },
		{ "1900", "xcg", "XCG" SPACE "19.00", "19,00" SPACE "XCG" },	/* younger than Debian's ICU */
	};
	const struct words	*w = words(*state);

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_string_equal(amount(*state, w, "en", rows[i].minor, rows[i].currency), rows[i].en);
		assert_string_equal(amount(*state, w, "de", rows[i].minor, rows[i].currency), rows[i].de);
	}
}

static void
test_c97_figures_and_millionths_are_said(void **state)
{
	static const struct {
		const char	*value, *en, *de;
	} rows[] = {
		{ "{\"figure\": 1234567}", "1,234,567", "1.234.567" }, { "{\"figure\": 0}", "0", "0" },
		{ "{\"figure\": -12}", "-12", "-12" },
		{ "{\"figure\": 9223372036854775807}", "9,223,372,036,854,775,807", "9.223.372.036.854.775.807" },
		{ "{\"micros\": 39, \"currency\": \"usd\"}", "$0.000039", "0,000039" SPACE "$" },
		{ "{\"micros\": 3900, \"currency\": \"usd\"}", "$0.0039", "0,0039" SPACE "$" },
		{ "{\"micros\": -3900, \"currency\": \"usd\"}", "-$0.0039", "-0,0039" SPACE "$" },
		{ "{\"micros\": 12300, \"currency\": \"usd\"}", "$0.01", "0,01" SPACE "$" },
		{ "{\"micros\": 12345678901, \"currency\": \"eur\"}", "€12,345.68", "12.345,68" SPACE "€" },
		{ "{\"micros\": 0, \"currency\": \"eur\"}", "€0.00", "0,00" SPACE "€" },
		{ "{\"micros\": 500000, \"currency\": \"jpy\"}", "¥0.5", "0,5" SPACE "¥" },
		{ "{\"micros\": 2000000, \"currency\": \"jpy\"}", "¥2", "2" SPACE "¥" },
		{ "{\"figure\": 1.5}", NULL, NULL }, { "{\"figure\": \"1\"}", NULL, NULL },
		{ "{\"micros\": 1, \"currency\": \"zzz\"}", NULL, NULL },
	};
	const struct words	*w = words(*state);

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const char	*en = said(*state, w, "en", rows[i].value), *de = said(*state, w, "de", rows[i].value);

		assert_string_equal(en != NULL ? en : "", rows[i].en != NULL ? rows[i].en : "");
		assert_string_equal(de != NULL ? de : "", rows[i].de != NULL ? rows[i].de : "");
	}
}

static void
test_c45_a_date_is_a_day_in_utc(void **state)
{
	const struct words	*w = words(*state);

	setenv("TZ", "Pacific/Kiritimati", 1);
	assert_string_equal(said(*state, w, "en", "{\"iso\": \"2026-12-28T09:30:00Z\"}"), "28 December 2026");
	assert_string_equal(said(*state, w, "de", "{\"iso\": \"2026-12-28T09:30:00Z\"}"), "28. Dezember 2026");
	assert_string_equal(said(*state, w, "de", "{\"iso\": \"2024-02-29T23:59:59.999999+00:00\"}"), "29. Februar 2024");
	assert_string_equal(said(*state, w, "en", "{\"iso\": \"2026-03-01T00:00:00Z\"}"), "1 March 2026");
	assert_string_equal(said(*state, w, "de", "{\"iso\": \"2026-03-01T00:00:00Z\"}"), "1. März 2026");
	unsetenv("TZ");
}

/* What a template prints for a section that is null: nothing. */
static void
test_f68_what_cannot_be_said_is_null(void **state)
{
	static const char *const	values[] = {
		"{\"minor\": null, \"currency\": \"eur\"}", "{\"minor\": 1, \"currency\": null}",
		"{\"minor\": 1, \"currency\": \"zzz\"}", "{\"minor\": 1, \"currency\": \"EUR\"}",
		"{\"minor\": 1, \"currency\": \"eu\"}", "{\"minor\": 1, \"currency\": \"d a\"}",
		"{\"minor\": 1, \"currency\": \"\"}", "{\"minor\": 1, \"currency\": 5}",
		"{\"minor\": 1.5, \"currency\": \"eur\"}",
		"{\"minor\": \"1\", \"currency\": \"eur\"}", "{\"minor\": {}, \"currency\": []}",
		"{\"iso\": null}", "{\"iso\": 5}", "{\"iso\": \"\"}",
		"{\"iso\": \"infinity\"}", "{\"iso\": \"2026-12-28\"}", "{\"iso\": \"2026-13-28T00:00:00Z\"}",
		"{\"iso\": \"2026-12-28T09:30:00+02:00\"}", "{\"iso\": \"294276-12-28T09:30:00Z\"}",
	};
	const struct words	*w = words(*state);

	for (size_t i = 0; i < LENGTH(values); i++) {
		struct json_object	*doc = parse(*state,
					    mem_printf(*state, "{\"a\": [%s], \"x\": %s}", values[i], values[i]));

		assert_int_equal(words_add(w, "en", doc), OK);
		assert_string_equal(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN), "{\"a\":[null],\"x\":null}");
	}
	assert_int_equal(words_add(w, "en", NULL), OK);
	assert_int_equal(words_add(w, "en", parse(*state, "{\"minor\": null, \"currency\": \"eur\"}")), OK);
}

static void
test_rows_that_have_words_already_stay_readable(void **state)
{
	const struct words	*w = words(*state);
	const char		*ready = "{\"minor\": 1900, \"currency\": \"zzz\", \"text\": \"19.00 ZZZ\"}";

	assert_string_equal(said(*state, w, "de", "{\"minor\": 1900, \"currency\": \"eur\", \"text\": \"19.00 EUR\"}"),
	    "19,00" SPACE "€");
	assert_string_equal(said(*state, w, "de", ready), "19.00 ZZZ");
	assert_string_equal(said(*state, w, "de",
	    "{\"iso\": \"2026-12-28T09:30:00Z\", \"day\": 28, \"month\": \"month_12\", \"year\": 2026}"),
	    "28. Dezember 2026");
}

static void
test_values_are_found_at_any_depth_and_the_rest_stays(void **state)
{
	const struct words	*w = words(*state);
	struct json_object	*doc = parse(*state, "{\"a\": \"19.00 EUR\", \"b\": [{\"c\": {\"at\": {\"iso\": "
				    "\"2026-12-28T09:30:00Z\"}, \"n\": 5}}], \"currency\": \"eur\", \"text\": \"welcome\"}");

	assert_int_equal(words_add(w, "en", doc), OK);
	assert_string_equal(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN),
	    "{\"a\":\"19.00 EUR\",\"b\":[{\"c\":{\"at\":{\"iso\":\"2026-12-28T09:30:00Z\",\"text\":\"28 December 2026\"},"
	    "\"n\":5}}],\"currency\":\"eur\",\"text\":\"welcome\"}");
	assert_int_equal(words_add(w, "de", doc), OK);
	assert_string_equal(json_text(doc, "/b/0/c/at/text"), "28. Dezember 2026");
}

static void
test_a_language_that_icu_does_not_know_follows_no_environment(void **state)
{
	struct language		unknown = { .code = "qq", .date_pattern = "y-MM-dd" };
	const struct pages	p = { .languages = &unknown, .n_languages = 1 };
	const struct words	*w;

	setenv("LC_ALL", "de_DE.UTF-8", 1);
	assert_int_equal(words_open(*state, &p, &w), OK);
	assert_string_equal(amount(*state, w, "qq", "190000", "eur"), "€1,900.00");
	assert_string_equal(said(*state, w, "qq", "{\"iso\": \"2026-12-28T09:30:00Z\"}"), "2026-12-28");
	unsetenv("LC_ALL");
}

static void
test_a_pattern_that_icu_does_not_take_stops_the_program(void **state)
{
	struct language		wrong = { .code = "en", .date_pattern = mem_printf(*state, "%0200d", 0) };
	const struct pages	p = { .languages = &wrong, .n_languages = 1 };
	const struct words	*w;

	assert_int_equal(words_open(*state, &p, &w), ERR_INVALID);
}

static void *
speak(void *arg)
{
	mem_ctx	*mem = mem_new();
	bool	right = true;

	for (int i = 0; i < 500 && right; i++) {
		right = strcmp(amount(mem, arg, "de", "1900", i % 2 ? "usd" : "kwd"),
		    i % 2 ? "19,00" SPACE "$" : "1,900" SPACE "KWD") == 0 &&
		    strcmp(said(mem, arg, "en", "{\"iso\": \"2026-12-28T09:30:00Z\"}"), "28 December 2026") == 0;
	}
	talloc_free(mem);
	return right ? arg : NULL;
}

static void
test_each_thread_has_its_own_formatters(void **state)
{
	const struct words	*w = words(*state);
	pthread_t		threads[8];
	void			*right;

	for (size_t i = 0; i < LENGTH(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, speak, (void *)w), 0);
	for (size_t i = 0; i < LENGTH(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &right), 0);
		assert_ptr_equal(right, w);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f68_an_amount_is_said_as_its_language_writes_it),
		TEST(test_c97_figures_and_millionths_are_said),
		TEST(test_c45_a_date_is_a_day_in_utc),
		TEST(test_f68_what_cannot_be_said_is_null),
		TEST(test_rows_that_have_words_already_stay_readable),
		TEST(test_values_are_found_at_any_depth_and_the_rest_stays),
		TEST(test_a_language_that_icu_does_not_know_follows_no_environment),
		TEST(test_a_pattern_that_icu_does_not_take_stops_the_program),
		TEST(test_each_thread_has_its_own_formatters),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
