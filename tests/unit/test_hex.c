/* hex: bytes there and back, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hex.h"
#include "unit.h"

static void
test_bytes_there_and_back(void **state)
{
	uint8_t	bytes[256], back[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	assert_string_equal(hex_write(*state, "\x00\x0f\xf0\xff", 4), "000ff0ff");
	assert_string_equal(hex_write(*state, "", 0), "");
	assert_true(hex_read(hex_write(*state, bytes, 256), 512, back));
	assert_memory_equal(back, bytes, 256);
}

static void
test_what_is_no_hex_is_refused(void **state)
{
	static const char *const	texts[] = { "0", "0g", "0A", "00 ", "-1" };
	uint8_t				back[2];

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_false(hex_read(texts[i], strlen(texts[i]), back));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_bytes_there_and_back),
		TEST(test_what_is_no_hex_is_refused),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
