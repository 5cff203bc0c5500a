/* text: what is UTF-8, printable, an address we will write to, a path of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "text.h"
#include "unit.h"

static bool
is_utf8(const char *s)
{
	return text_is_utf8(s, strlen(s));
}

static void
check(bool is(const char *s), bool wanted, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(texts[i]) != wanted)
			fail_msg("%s: \"%s\"", wanted ? "refused" : "accepted", texts[i]);
}

static void
test_f11_f14_well_formed_utf8(void **state)
{
	static const char *const	good[] = {
		"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"
	};

	(void)state;
	check(is_utf8, true, good, LENGTH(good));
}

static void
test_f11_f14_overlong_surrogate_and_cut_sequences(void **state)
{
	static const char *const	bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\x80\xaf", "\xe2\x82",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "a\xc3\xa9\x80"
	};

	(void)state;
	check(is_utf8, false, bad, LENGTH(bad));
}

static void
test_f11_cut_at_the_given_length_not_at_the_next_byte(void **state)
{
	(void)state;
	assert_false(text_is_utf8("\xc3\xa9", 1));
	assert_true(text_is_utf8("\xc3\xa9\xff", 2));
	assert_true(text_is_utf8("a\0b", 3));
}

static void
test_f19_printable_has_no_control_byte(void **state)
{
	(void)state;
	assert_true(text_is_printable(" ~\x80\xff", 4));
	for (int c = 0; c < 256; c++)
		assert_int_equal(text_is_printable((char[]){ 'a', (char)c }, 2), c >= 0x20 && c != 0x7f);
}

static void
test_f15_addresses_we_write_to(void **state)
{
	static const char *const	good[] = {
		"a@example.com", "A.b-c+tag_1@sub.Example.co", "o'brien@example.com", "x@xn--bcher-kva.example",
		"!#$%&'*+-/=?^_`{|}~@example.com", "a@1.2.3.example", "a@a-b.c",
		"1234567890123456789012345678901234567890123456789012345678901234@example.com"
	};

	(void)state;
	check(text_is_email, true, good, LENGTH(good));
}

static void
test_f15_addresses_we_refuse(void **state)
{
	static const char *const	bad[] = {
		"", "@", "a", "a@", "@example.com", "a@b", "a@example.com.", "a@.example.com", "a@example..com", "a@-a.com",
		"a@a-.com", ".a@example.com", "a.@example.com", "a..b@example.com", "\"a b\"@example.com", "a b@example.com",
		"a@b@example.com", "a@example.com\r\nBcc: b@example.com", "a\n@example.com", "a@exam\tple.com",
		" a@example.com", "a@example.com ", "a@127.0.0.1", "a@[127.0.0.1]", "a,b@example.com", "<a@example.com>",
		"\xc3\xa9@example.com", "a@ex\xd0\xb0mple.com", "a@exam_ple.com", "a@example.com\x7f",
		"12345678901234567890123456789012345678901234567890123456789012345@example.com",
		"a@1234567890123456789012345678901234567890123456789012345678901234.com"
	};

	(void)state;
	check(text_is_email, false, bad, LENGTH(bad));
}

/* local part, then labels of 49 letters up to the length wanted */
static void
make_address(char *out, size_t n)
{
	memset(out, 'a', n);
	out[n] = '\0';
	out[20] = '@';
	for (size_t i = 70; i < n - 1; i += 50)
		out[i] = '.';
}

static void
test_f15_an_address_has_at_most_254_bytes(void **state)
{
	char	address[300];

	(void)state;
	make_address(address, 254);
	assert_true(text_is_email(address));
	make_address(address, 255);
	assert_false(text_is_email(address));
}

static void
test_f15_one_form_for_each_mailbox(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_string_equal(text_email_canonical(mem, " \tA.B@Example.COM\r\n"), "a.b@example.com");
	assert_string_equal(text_email_canonical(mem, "\xc3\x89@x"), "\xc3\x89@x");
	assert_string_equal(text_email_canonical(mem, "  "), "");
	assert_string_equal(text_trim(mem, " A b "), "A b");
	talloc_free(mem);
}

static void
test_f11_ascii_has_a_mark_for_every_other_byte(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_string_equal(text_ascii(mem, "a\xc3\xa9\x7f\xff!", 6), "a??\x7f?!");
	assert_string_equal(text_ascii(mem, "abc", 2), "ab");
	assert_string_equal(text_ascii(mem, "", 0), "");
	talloc_free(mem);
}

static void
test_f11_what_a_uuid_looks_like(void **state)
{
	static const char	good[] = "0123ABCD-4567-89ab-cdef-0123456789ab";
	char			bad[sizeof(good)];

	(void)state;
	assert_true(text_is_uuid(good, 36));
	assert_false(text_is_uuid(good, 35));
	assert_false(text_is_uuid("0123ABCD-4567-89ab-cdef-0123456789abc", 37));
	assert_false(text_is_uuid("", 0));
	for (size_t i = 0; i < 36; i++) {
		memcpy(bad, good, sizeof(good));
		bad[i] = bad[i] == '-' ? '0' : '-';
		assert_false(text_is_uuid(bad, 36));
		bad[i] = 'g';
		assert_false(text_is_uuid(bad, 36));
		bad[i] = '\0';
		assert_false(text_is_uuid(bad, 36));
	}
}

static void
test_f148_blank_is_unicodes_white_space_alone(void **state)
{
	char	one[U8_MAX_LENGTH + 1], beside[U8_MAX_LENGTH + 3];

	(void)state;
	for (UChar32 c = 1; c <= UCHAR_MAX_VALUE; c++) {
		int32_t	n = 0;

		if (U_IS_SURROGATE(c))
			continue;
		U8_APPEND_UNSAFE(one, n, c);
		one[n] = '\0';
		snprintf(beside, sizeof(beside), " %s\n", one);
		if (text_is_blank(one) != u_isUWhiteSpace(c) || text_is_blank(beside) != u_isUWhiteSpace(c))
			fail_msg("U+%04X", (unsigned)c);
	}
	assert_true(text_is_blank(""));
	assert_false(text_is_blank("\xc2\xa0\xe3\x80\x80x"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f11_f14_well_formed_utf8),
		cmocka_unit_test(test_f11_f14_overlong_surrogate_and_cut_sequences),
		cmocka_unit_test(test_f11_cut_at_the_given_length_not_at_the_next_byte),
		cmocka_unit_test(test_f19_printable_has_no_control_byte),
		cmocka_unit_test(test_f15_addresses_we_write_to),
		cmocka_unit_test(test_f15_addresses_we_refuse),
		cmocka_unit_test(test_f15_an_address_has_at_most_254_bytes),
		cmocka_unit_test(test_f15_one_form_for_each_mailbox),
		cmocka_unit_test(test_f11_what_a_uuid_looks_like),
		cmocka_unit_test(test_f11_ascii_has_a_mark_for_every_other_byte),
		cmocka_unit_test(test_f148_blank_is_unicodes_white_space_alone),
	};

	mem_init();
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
