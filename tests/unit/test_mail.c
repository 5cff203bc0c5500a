#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail.h"
#include "text.h"

enum { ROUNDS = 5000 };

static const struct mail plain = {
	.id = "0b0c3f1e-1111-4222-8333-444455556666", .from = "Tollgate <no-reply@example.com>", .to = "ada@example.com",
	.subject = "Sign in", .text = "Hello", .html = "<p>Hello</p>", .date = 1700000000,
};

static char *
compose(mem_ctx *mem, const struct mail *m)
{
	char	**out = talloc(mem, char *);

	assert_int_equal(mail_compose(mem, m, out), OK);
	return *out;
}

static void
assert_refused(const struct mail *m)
{
	mem_ctx	*mem = mem_new();
	char	*out;

	assert_int_equal(mail_compose(mem, m, &out), ERR_INVALID);
	assert_null(out);
	talloc_free(mem);
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads as a receiver does; cr_lf: what a hard line end becomes. */
static char *
decode(mem_ctx *mem, const char *s, size_t n, const char *space)
{
	struct buf	b = { .ctx = mem };

	buf_puts(&b, "");
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '=' && s[i + 1] == '\r') {
			i += 2;
		} else if (s[i] == '=') {
			assert_true(hex_value(s[i + 1]) >= 0 && hex_value(s[i + 2]) >= 0);
			buf_put(&b, &(char){ (char)(hex_value(s[i + 1]) << 4 | hex_value(s[i + 2])) }, 1);
			i += 2;
		} else if (s[i] == '\r') {
			assert_int_equal(s[i + 1], '\n');
		} else
			buf_put(&b, s[i] == '_' ? space : s + i, 1);
	}
	return b.data;
}

/* The body of the part of that type. */
static char *
part(mem_ctx *mem, const char *message, const char *type)
{
	const char	*begin = strstr(strstr(message, type), "\r\n\r\n") + 4;

	return decode(mem, begin, (size_t)(strstr(begin, "\r\n--=_") - begin), "_");
}

/* The subject, unfolded and with its encoded words read. */
static char *
subject(mem_ctx *mem, const char *message)
{
	const char	*s = strstr(message, "\r\nSubject: ") + 11;
	struct buf	b = { .ctx = mem };

	if (strncmp(s, "=?", 2) != 0)
		return mem_copy(mem, s, strcspn(s, "\r"));
	for (; strncmp(s, "=?UTF-8?Q?", 10) == 0; s += strspn(s, "\r\n ")) {
		const char	*end = strstr(s + 10, "?=");
		char		*word = decode(mem, s + 10, (size_t)(end - s - 10), " ");

		assert_true(end + 2 - s <= 75);
		assert_true(text_is_utf8(word, strlen(word)));
		buf_puts(&b, word);
		s = end + 2;
	}
	return b.data;
}

static void
assert_lines_are_sound(const char *message)
{
	size_t	column = 0;

	for (const char *s = message; *s != '\0'; s++) {
		if (*s == '\r') {
			assert_int_equal(s[1], '\n');
			assert_true(column == 0 || (s[-1] != ' ' && s[-1] != '\t'));
			s++;
			column = 0;
			continue;
		}
		assert_true((*s >= ' ' && *s <= '~') || *s == '\t');
		assert_false(column == 0 && *s == '.');
		assert_true(++column <= 78);
	}
	assert_int_equal(column, 0);
}

static char *
random_text(mem_ctx *mem, unsigned *seed, size_t longest, const char *const *pieces, unsigned n)
{
	struct buf	b = { .ctx = mem };

	buf_puts(&b, "x");
	for (size_t i = (size_t)rand_r(seed) % longest; i > 0; i--)
		buf_puts(&b, pieces[(unsigned)rand_r(seed) % n]);
	buf_puts(&b, "x");
	return b.data;
}

static void
test_f106_any_text_comes_back_as_it_was(void **state)
{
	static const char *const pieces[] = { "a", "Z", "=", ".", " ", "  ", "\t", "\n", "\n.\n", "\n--=_", "-", "_", "?",
	    "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x92\xb6", "From ", "=20", "\x01", "0123456789012345678901234567890123456789" };
	unsigned	seed = 106;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		mem_ctx		*mem = mem_new();
		struct mail	m = plain;
		char		*message;

		m.text = random_text(mem, &seed, 200, pieces, sizeof(pieces) / sizeof(*pieces));
		m.html = random_text(mem, &seed, 200, pieces, sizeof(pieces) / sizeof(*pieces));
		message = compose(mem, &m);
		assert_lines_are_sound(message);
		assert_string_equal(part(mem, message, "text/plain"), m.text);
		assert_string_equal(part(mem, message, "text/html"), m.html);
		talloc_free(mem);
	}
}

static void
test_f106_any_subject_comes_back_as_it_was(void **state)
{
	static const char *const pieces[] = { "a", "B", " ", "?", "=", "=?", "_", "\"", "<", "\xc3\xbc", "\xe2\x82\xac",
		"\xf0\x9f\x92\xb6", "word" };
	unsigned	seed = 47;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		mem_ctx		*mem = mem_new();
		struct mail	m = plain;
		char		*message;

		m.subject = random_text(mem, &seed, 60, pieces, sizeof(pieces) / sizeof(*pieces));
		message = compose(mem, &m);
		assert_lines_are_sound(message);
		assert_string_equal(subject(mem, message), m.subject);
		talloc_free(mem);
	}
}

static void
test_f106_a_line_end_in_a_header_is_refused(void **state)
{
	static const char *const breaks[] = { "\r\n", "\n", "\r", "\x7f", "\x01" };
	mem_ctx		*mem = mem_new();
	struct mail	m;

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		m = plain;
		m.subject = mem_printf(mem, "Hello%sBcc: eve@example.com", breaks[i]);
		assert_refused(&m);
		m = plain;
		m.to = mem_printf(mem, "ada@example.com%sBcc: eve@example.com", breaks[i]);
		assert_refused(&m);
		m = plain;
		m.from = mem_printf(mem, "Toll%sgate <no-reply@example.com>", breaks[i]);
		assert_refused(&m);
	}
	talloc_free(mem);
}

static void
test_f106_what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = { "", "ada", "ada@", "a@example.com, b@example.com", "<ada@example.com>",
	    "ada@example.com ",
		"\xc3\xa9@example.com" };
	struct mail	m = plain;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		m.to = wrong[i];
		assert_refused(&m);
	}
	m = plain;
	m.from = "Tollgate <no-reply@example.com> and more";
	assert_refused(&m);
	m.from = "Tollgate";
	assert_refused(&m);
}

static void
test_f106_the_senders_name_is_quoted_or_encoded(void **state)
{
	static const struct { const char *from, *header; } cases[] = {
		{ "no-reply@example.com", "From: no-reply@example.com\r\n" },
		{ "<no-reply@example.com>", "From: no-reply@example.com\r\n" },
		{ "Toll, \"Gate\" <no-reply@example.com>", "From: \"Toll, \\\"Gate\\\"\"\r\n <no-reply@example.com>\r\n" },
		{ "M\xc3\xbc" "ller & Co <no-reply@example.com>",
		    "From: =?UTF-8?Q?M=C3=BCller_=26_Co?=\r\n <no-reply@example.com>\r\n" },
	};
	mem_ctx		*mem = mem_new();
	struct mail	m = plain;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		m.from = cases[i].from;
		assert_memory_equal(compose(mem, &m), cases[i].header, strlen(cases[i].header));
	}
	talloc_free(mem);
}

static void
test_f105_the_message_id_depends_on_the_job_only(void **state)
{
	mem_ctx		*mem = mem_new();
	struct mail	later = plain;

	(void)state;
	later.date += 3600;
	assert_non_null(strstr(compose(mem, &plain),
	    "\r\nMessage-ID: <0b0c3f1e-1111-4222-8333-444455556666@example.com>\r\n"));
	assert_non_null(strstr(compose(mem, &later),
	    "\r\nMessage-ID: <0b0c3f1e-1111-4222-8333-444455556666@example.com>\r\n"));
	talloc_free(mem);
}

static void
test_c96_the_date_is_that_of_rfc_5322(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_non_null(strstr(compose(mem, &plain), "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"));
	talloc_free(mem);
}

static void
test_f106_an_id_that_could_end_a_header_or_a_part_is_refused(void **state)
{
	static const char *const	wrong[] = { "a\r\nBcc: eve@example.com", "a>b", "a\"b", "a b", "a@b", "A", "a_",
		"\xc3\xbc" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct mail	m = plain;

		m.id = wrong[i];
		assert_refused(&m);
	}
}

static void
assert_subject(const char *subject, const char *header)
{
	mem_ctx		*mem = mem_new();
	struct mail	m = plain;

	m.subject = subject;
	assert_non_null(strstr(compose(mem, &m), header));
	talloc_free(mem);
}

/* A receiver would decode it, or split a character that two words share. */
static void
test_f106_a_subject_is_shown_as_it_was_written(void **state)
{
	(void)state;
	assert_subject("=?UTF-8?Q?Bob?=", "Subject: =?UTF-8?Q?=3D=3FUTF-8=3FQ=3FBob=3F=3D?=\r\n");
	assert_subject("a b", "Subject: a b\r\n");
	assert_subject("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82\xac",
	    "Subject: =?UTF-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=\r\n =?UTF-8?Q?=E2=82=AC?=\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f106_any_text_comes_back_as_it_was),
		cmocka_unit_test(test_f106_any_subject_comes_back_as_it_was),
		cmocka_unit_test(test_f106_a_line_end_in_a_header_is_refused),
		cmocka_unit_test(test_f106_what_is_no_address_is_refused),
		cmocka_unit_test(test_f106_the_senders_name_is_quoted_or_encoded),
		cmocka_unit_test(test_f106_an_id_that_could_end_a_header_or_a_part_is_refused),
		cmocka_unit_test(test_f106_a_subject_is_shown_as_it_was_written),
		cmocka_unit_test(test_f105_the_message_id_depends_on_the_job_only),
		cmocka_unit_test(test_c96_the_date_is_that_of_rfc_5322),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
