/* form: application/x-www-form-urlencoded, read to the letter and written as Stripe wants it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "form.h"
#include "unit.h"

static enum err
parse(mem_ctx *mem, const char *text, struct form *f)
{
	return form_parse(mem, text, strlen(text), f);
}

/* Each text must parse, and its field "a" be the value beside it. */
static void
test_fields_are_decoded_once(void **state)
{
	static const struct { const char *text, *a; }	rows[] = {
		{ "a=1", "1" }, { "a=", "" }, { "a", "" }, { "a=1=2", "1=2" }, { "b=2&a=1", "1" }, { "&&a=1&", "1" },
		{ "a=x+y", "x y" }, { "a=%2B", "+" }, { "a=%2541", "%41" }, { "%61=1", "1" }, { "a=%c3%A9", "\xc3\xa9" },
		{ "a=\xc3\xa9", "\xc3\xa9" }, { "a=%0d%0a", "\r\n" }, { "a=b;c", "b;c" }, { "a=%26%3d", "&=" },
		{ "=x&a=1", "1" }, { "A=2&a=1", "1" }, { "b=1", NULL }, { "", NULL }, { "&", NULL },
	};
	struct form	f;
	const char	*a;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(parse(*state, rows[i].text, &f), OK);
		a = form_get(&f, "a");
		if (rows[i].a == NULL ? a != NULL : a == NULL || strcmp(a, rows[i].a) != 0)
			fail_msg("\"%s\" gave \"%s\"", rows[i].text, a ? a : "(null)");
	}
}

static void
refuses(mem_ctx *mem, const char *const *texts, size_t n)
{
	struct form	f;

	for (size_t i = 0; i < n; i++)
		if (parse(mem, texts[i], &f) != ERR_BAD_REQUEST)
			fail_msg("accepted: %s", texts[i]);
}

static void
test_f12_malformed_escapes(void **state)
{
	static const char *const	texts[] = {
		"%", "a=%", "a=%4", "a=%zz", "a=%4g", "a=%g4", "a=%%41", "a=% 41", "a=%+1", "%=1", "a=%4&b=1", "a=%u0041"
	};

	refuses(*state, texts, LENGTH(texts));
}

static void
test_f12_f14_a_name_given_twice(void **state)
{
	static const char *const	texts[] = {
		"a=1&a=1", "a&a", "a=1&b=2&%61=3", "email=a%40b.c&email=d", "=1&=2", "a+b=1&a%20b=2"
	};

	refuses(*state, texts, LENGTH(texts));
}

static void
test_f14_invalid_utf8_nul_and_byte_order_mark(void **state)
{
	static const char *const	texts[] = {
		"a=%ff", "a=\xff", "a=%c0%af", "a=%ed%a0%80", "%80=1", "a=%00", "%00", "a=b%00c", "\xef\xbb\xbf" "a=1",
		"a=%ef%bb%bfx", "%EF%BB%BF=1"
	};
	struct form	f;

	refuses(*state, texts, LENGTH(texts));
	assert_int_equal(form_parse(*state, "a=\0b", 4, &f), ERR_BAD_REQUEST);
	assert_int_equal(parse(*state, "a=x%ef%bb%bf", &f), OK);
}

/* "f0=&f1=&..." */
static void
put_fields(struct buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(b, "%sf%u=", i > 0 ? "&" : "", i);
}

static void
test_f12_f14_at_most_64_fields(void **state)
{
	static const unsigned	counts[] = { 65, 1000, 10000 };
	struct buf		b = { .ctx = *state };
	struct form		f;

	put_fields(&b, 64);
	assert_int_equal(form_parse(*state, b.data, b.len, &f), OK);
	assert_int_equal(f.n, 64);
	for (size_t i = 0; i < LENGTH(counts); i++) {
		b.len = 0;
		put_fields(&b, counts[i]);
		assert_int_equal(form_parse(*state, b.data, b.len, &f), ERR_BAD_REQUEST);
	}
}

static void
test_reads_no_further_than_told(void **state)
{
	struct form	f;

	assert_int_equal(form_parse(*state, NULL, 0, &f), OK);
	assert_int_equal(f.n, 0);
	assert_int_equal(form_parse(*state, "a=1&b=2", 3, &f), OK);
	assert_int_equal(f.n, 1);
	assert_string_equal(form_get(&f, "a"), "1");
	assert_int_equal(form_parse(*state, "a=%41", 4, &f), ERR_BAD_REQUEST);
}

static void
test_writes_what_stripe_reads(void **state)
{
	struct buf	b = { .ctx = *state }, url = { .ctx = *state };

	form_put(&b, "line_items[0][price]", "price_1");
	form_put(&b, "success_url", "https://a.b/w?s={CHECKOUT_SESSION_ID}");
	form_put(&b, "x y", "\xc3\xa9+&=");
	assert_string_equal(b.data, "line_items[0][price]=price_1"
	    "&success_url=https%3A%2F%2Fa.b%2Fw%3Fs%3D%7BCHECKOUT_SESSION_ID%7D"
	    "&x%20y=%C3%A9%2B%26%3D");
	buf_puts(&url, "/signin?");
	form_put(&url, "next", "/a");
	assert_string_equal(url.data, "/signin?next=%2Fa");
}

static void
test_every_byte_survives_writing_and_reading(void **state)
{
	char		all[256];
	struct buf	b = { .ctx = *state };
	struct form	f;
	const char	*back;

	for (int i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	all[127] = '\0';
	form_put(&b, all, all);
	assert_int_equal(form_parse(*state, b.data, b.len, &f), OK);
	assert_string_equal(form_get(&f, all), all);
	b.len = 0;
	form_escape(&b, all);
	assert_int_equal(form_unescape(*state, b.data, b.len, &back), OK);
	assert_string_equal(back, all);
}

static void
test_f11_outside_forms_plus_is_plus(void **state)
{
	const char	*out;

	assert_int_equal(form_unescape(*state, "a+b%20c", 7, &out), OK);
	assert_string_equal(out, "a+b c");
	assert_int_equal(form_unescape(*state, "%00", 3, &out), ERR_BAD_REQUEST);
	assert_int_equal(form_unescape(*state, "%c3", 3, &out), ERR_BAD_REQUEST);
}

static void
test_c89_it_says_which_field_it_refuses(void **state)
{
	static const struct {
		const char	*query, *field, *fault;
	} cases[] = {
		{ "a=1&b=2", NULL, NULL }, { "a=1&b=2&b=3", "b", "is given twice" },
		{ "a=1&b=%ff&c=3", "b", "is not percent-encoded UTF-8" }, { "a=1&%ff=2", NULL, "is not percent-encoded UTF-8" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct form	f;

		assert_int_equal(form_parse(*state, cases[i].query, strlen(cases[i].query), &f),
		    cases[i].fault == NULL ? OK : ERR_BAD_REQUEST);
		assert_true((f.fault == NULL) == (cases[i].fault == NULL) && (f.field == NULL) == (cases[i].field == NULL));
		if (f.fault != NULL)
			assert_string_equal(f.fault, cases[i].fault);
		if (f.field != NULL)
			assert_string_equal(f.field, cases[i].field);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_c89_it_says_which_field_it_refuses),
		TEST(test_fields_are_decoded_once), TEST(test_f12_malformed_escapes), TEST(test_f12_f14_a_name_given_twice),
		TEST(test_f14_invalid_utf8_nul_and_byte_order_mark), TEST(test_f12_f14_at_most_64_fields),
		TEST(test_reads_no_further_than_told), TEST(test_writes_what_stripe_reads),
		TEST(test_every_byte_survives_writing_and_reading), TEST(test_f11_outside_forms_plus_is_plus),
	};

	mem_init();
	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
