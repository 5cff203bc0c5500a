/* base64url: RFC 4648's own examples, and texts that nothing is written as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base64url.h"
#include "unit.h"

static void
test_the_published_examples_there_and_back(void **state)
{
	static const char *const	pairs[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff", "-_8" } };
	char				back[8];
	size_t				n;

	for (size_t i = 0; i < LENGTH(pairs); i++) {
		assert_string_equal(base64url_write(*state, pairs[i][0], strlen(pairs[i][0])), pairs[i][1]);
		assert_true(base64url_read(pairs[i][1], strlen(pairs[i][1]), back, &n));
		assert_int_equal(n, strlen(pairs[i][0]));
		assert_memory_equal(back, pairs[i][0], n);
	}
}

static void
test_one_text_only_for_the_same_bytes(void **state)
{
	static const char *const	texts[] = { "A", "AAAAA", "Zg==", "Zh", "Zm9", "Zm 9", "+/8", "Zm9v\n" };
	char				back[8];
	size_t				n;

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_false(base64url_read(texts[i], strlen(texts[i]), back, &n));
}

static void
test_the_other_alphabet_has_padding(void **state)
{
	static const char *const	pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "\xfb\xff", "+/8=" } };

	for (size_t i = 0; i < LENGTH(pairs); i++)
		assert_string_equal(base64_write(*state, pairs[i][0], strlen(pairs[i][0])), pairs[i][1]);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_the_published_examples_there_and_back),
		TEST(test_one_text_only_for_the_same_bytes),
		TEST(test_the_other_alphabet_has_padding),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
