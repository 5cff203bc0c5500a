/* password: one form however it was typed, the published Argon2id, and no more memory than a slot's. */
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

static const struct secret	salt = { "0123456789abcdef0123456789abcde" };

static struct slots
slots_here(void *mem)
{
	struct slots	s;
	const char	*why;

	assert_int_equal(slots_open(mem, mem_printf(mem, "/tmp/tollgate-password-%d", getpid()), 2, &s, &why), OK);
	return s;
}

static struct secret
key_of(void *mem, const char *given)
{
	struct slots	s = slots_here(mem);
	struct secret	key;
	char		*prepared;

	assert_int_equal(password_prepare(mem, given, &prepared), OK);
	assert_int_equal(password_stretch(&s, prepared, &salt, &password_cost, &key), OK);
	return key;
}

static void
test_the_key_is_the_published_argon2id(void **state)
{
	/* argon2id_hash_raw() of Debian's libargon2, called from Python */
	struct secret	key = key_of(*state, "password");

	assert_string_equal(secret_hex(*state, &key), "7a2e607994fd2395dec9442dd29f113eeac8891ab9c79326d9347676e14f6edc");
}

static void
test_f46_one_form_however_it_was_typed(void **state)
{
	static const struct {
		const char	*typed, *form;
	} rows[] = {
		{ "", "" },
		{ "        ", "        " },
		{ "correct horse", "correct horse" },
		{ "correct\xc2\xa0horse", "correct horse" },		/* no-break space, as Option-Space types it */
		{ "correct\xe3\x80\x80horse", "correct horse" },	/* ideographic space */
		{ "cafe\xcc\x81", "caf\xc3\xa9" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "CAF\xc3\x89", "CAF\xc3\x89" },			/* case stays */
		{ "\xe2\x84\xab", "\xc3\x85" },				/* angstrom sign */
		{ "\xe2\x9d\xa4\xef\xb8\x8f\xf0\x9f\xa6\x84", "\xe2\x9d\xa4\xef\xb8\x8f\xf0\x9f\xa6\x84" },
	};
	char	*form;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(password_prepare(*state, rows[i].typed, &form), OK);
		assert_string_equal(form, rows[i].form);
	}
}

static void
test_f46_what_is_no_text_is_refused(void **state)
{
	static const char *const	rows[] = {
		"pass\xff" "word", "pass\xc0\x80word", "\xed\xa0\x80password", "pass\tword", "pass\nword", "pass\x7fword",
		"pass\xc2\x85word", "pass\xe2\x80\xa8word", "pass\xef\xbf\xbfword", "pass\xf0\x9f\xbf\xbeword",
	};
	char	*form;

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(password_prepare(*state, rows[i], &form), ERR_INVALID);
}

static void
test_f46_every_byte_counts_up_to_the_last(void **state)
{
	static const size_t	sizes[] = { 8, 64, 72, 73, 1024 };

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		char		*one = talloc_zero_array(*state, char, sizes[i] + 1), *other;
		struct secret	a, b;

		memset(one, 'a', sizes[i]);
		other = mem_copy(*state, one, sizes[i]);
		other[sizes[i] - 1] = 'b';
		a = key_of(*state, one);
		b = key_of(*state, other);
		assert_false(secret_equal(&a, &b));
	}
}

static void
test_f48_the_callers_copy_is_wiped(void **state)
{
	struct slots	s = slots_here(*state);
	struct secret	key;
	char		*prepared, zero[8] = { 0 };

	assert_int_equal(password_prepare(*state, "password", &prepared), OK);
	assert_int_equal(password_stretch(&s, prepared, &salt, &password_cost, &key), OK);
	assert_memory_equal(prepared, zero, sizeof(zero));
}

static void
test_f49_parameters_out_of_bounds_are_refused_unread(void **state)
{
	static const struct password_cost	costs[] = {
		{ 0, 2, 1 }, { 7, 2, 1 }, { 19456, 0, 1 }, { 19456, 2, 0 }, { 4194304, 2, 1 }, { 19456, 1000000, 1 },
		{ 19456, 2, 255 }, { UINT32_MAX, UINT32_MAX, UINT32_MAX },
	};
	struct slots	s = slots_here(*state);
	struct secret	key;
	char		password[] = "password";

	for (size_t i = 0; i < LENGTH(costs); i++)
		assert_int_equal(password_stretch(&s, password, &salt, &costs[i], &key), ERR_INTERNAL);
	assert_string_equal(password, "password");
}

/* What the process holds, from /proc: after many passwords as after one. */
static long
resident_pages(void)
{
	FILE	*f = fopen("/proc/self/statm", "r");
	long	all, held = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &all, &held), 2);
	fclose(f);
	return held;
}

static void
test_f48_a_slots_memory_is_given_back(void **state)
{
	long	before;

	(void)key_of(*state, "password");
	before = resident_pages();
	for (int i = 0; i < 4; i++)
		(void)key_of(*state, "password");
	assert_true((resident_pages() - before) * sysconf(_SC_PAGESIZE) < 8 * 1024 * 1024);
}

static int
clean(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	return system(mem_printf(mem, "rm -rf /tmp/tollgate-password-%d", getpid())) + talloc_free(mem);
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		TEST(test_the_key_is_the_published_argon2id),
		TEST(test_f46_one_form_however_it_was_typed),
		TEST(test_f46_what_is_no_text_is_refused),
		TEST(test_f46_every_byte_counts_up_to_the_last),
		TEST(test_f48_the_callers_copy_is_wiped),
		TEST(test_f49_parameters_out_of_bounds_are_refused_unread),
		TEST(test_f48_a_slots_memory_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
