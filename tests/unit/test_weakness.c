/* weakness: what may not be chosen as a password, and what may. Reads a list that `tollgate passwords build` made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "password.h"
#include "unit.h"
#include "weakness.h"

/* The file of some passwords, in any order. */
static const char *
list_write(void *mem, const char *magic, const char *const *passwords, size_t n)
{
	const char	*path = mem_printf(mem, "/tmp/tollgate-breached-%d", getpid());
	FILE		*f = fopen(path, "w");
	uint8_t		records[8][BREACHED_SIZE];

	for (size_t i = 0; i < n; i++)
		breached_record(passwords[i], strlen(passwords[i]), records[i]);
	qsort(records, n, BREACHED_SIZE, (int (*)(const void *, const void *))strcmp);
	assert_non_null(f);
	fwrite(magic, BREACHED_SIZE, 1, f);
	fwrite(records, BREACHED_SIZE, n, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void
test_f47_what_is_on_the_list_is_found(void **state)
{
	static const char *const	known[] = { "Tr0ub4dor&3x", "jibbety-jobbety-17", "qwertz ist deutsch" };
	struct breached			list;
	const char			*path = list_write(*state, BREACHED_MAGIC, known, 1), *no_words[] = { NULL };

	assert_int_equal(breached_open(*state, path, &list), OK);
	assert_int_equal(list.n, 1);
	assert_true(breached_has(&list, known[0]));
	assert_false(breached_has(&list, known[1]));
	assert_string_equal(weakness_of(known[0], &list, no_words), "password_known");
	assert_null(weakness_of(known[1], &list, no_words));
	unlink(path);
}

static void
test_f47_what_is_no_list_is_refused(void **state)
{
	static const char *const	known[] = { "Tr0ub4dor&3x" };
	struct breached			list;
	const char			*path = list_write(*state, "password", known, 1);

	assert_int_equal(breached_open(*state, path, &list), ERR_INVALID);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(breached_open(*state, path, &list), ERR_INVALID);
	unlink(path);
	assert_int_equal(breached_open(*state, path, &list), ERR_INVALID);
	assert_int_equal(breached_open(*state, "", &list), OK);
	assert_false(breached_has(&list, known[0]));
}

static void
test_f46_f47_what_may_be_chosen(void **state)
{
	static const struct {
		const char	*password, *why;
	} rows[] = {
		{ "", "password_short" },
		{ "4bQ!zpk", "password_short" },
		{ "\xf0\x9f\xa6\x84\xf0\x9f\x90\x8c\xf0\x9f\xa6\x9a", "password_short" },	/* three characters */
		{ "        ", "password_weak" },
		{ "password1234", "password_weak" },
		{ "aaaaaaaaaaaaaaaa", "password_weak" },
		{ "qwertyuiop", "password_weak" },
		{ "anna@example.com", "password_weak" },
		{ "ANNA@example.com", "password_weak" },
		{ "Tollgate2026", "password_weak" },
		{ "anna.berg12", "password_weak" },
		{ "correct horse battery staple", NULL },
		{ "4bQ!zpk7", NULL },
		{ "\xf0\x9f\xa6\x84\xf0\x9f\x90\x8c\xf0\x9f\xa6\x9a\xf0\x9f\x8d\x89\xf0\x9f\x9a\x80\xf0\x9f\x8e\xb7"
		  "\xf0\x9f\x8e\xb2\xf0\x9f\xaa\x81", NULL },
	};
	const char	*words[] = { "Tollgate", "anna@example.com", "anna", "example", "anna.berg", NULL }, *why;
	struct breached	none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		why = weakness_of(rows[i].password, &none, words);
		if (rows[i].why == NULL ? why != NULL : why == NULL || strcmp(why, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].password, why == NULL ? "passes" : why);
	}
}

static void
test_f46_the_longest(void **state)
{
	const char	*no_words[] = { NULL };
	struct breached	none = { NULL, 0 };
	char		*longest = talloc_zero_array(*state, char, PASSWORD_MAX + 2);

	for (int i = 0; i < PASSWORD_MAX; i++)
		longest[i] = (char)('!' + i * i * 7 % 90);
	assert_null(weakness_of(longest, &none, no_words));
	longest[PASSWORD_MAX] = 'x';
	assert_string_equal(weakness_of(longest, &none, no_words), "password_long");
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		TEST(test_f47_what_is_on_the_list_is_found),
		TEST(test_f47_what_is_no_list_is_refused),
		TEST(test_f46_f47_what_may_be_chosen),
		TEST(test_f46_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
