/* cbor: the part that passkeys use; what claims more than it has, or is not plain, is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cbor.h"
#include "unit.h"

/* Of a literal, without the NUL. */
#define READ(s, out) cbor_read_all(s, sizeof(s) - 1, out)
#define ASSERT_BAD(s) assert_int_equal(READ(s, &(struct cbor){ 0 }), ERR_INVALID)

static void
test_each_kind_is_read(void **state)
{
	struct cbor	c;

	(void)state;
	assert_int_equal(READ("\x17", &c), OK);
	assert_true(c.type == CBOR_POSITIVE && c.number == 23);
	assert_int_equal(READ("\x19\x01\x00", &c), OK);
	assert_int_equal(c.number, 256);
	assert_int_equal(READ("\x39\x01\x00", &c), OK);
	assert_true(c.type == CBOR_NEGATIVE && c.number == -257);
	assert_int_equal(READ("\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", &c), OK);
	assert_true(c.number == INT64_MAX);
	assert_int_equal(READ("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", &c), OK);
	assert_true(c.number == INT64_MIN);
	assert_int_equal(READ("\x43\x00\xff\x01", &c), OK);
	assert_true(c.type == CBOR_BYTES && c.n == 3 && c.at[1] == 0xff);
	assert_int_equal(READ("\x62\xc3\xbc", &c), OK);
	assert_true(c.type == CBOR_TEXT && c.n == 2);
	assert_int_equal(READ("\x82\x01\x80", &c), OK);
	assert_true(c.type == CBOR_ARRAY && c.number == 2 && c.n == 2);
	assert_int_equal(READ("\xf5", &c), OK);
	assert_true(c.type == CBOR_SIMPLE && c.number == 21);
}

static void
test_a_value_is_found_by_its_key(void **state)
{
	static const char	map[] = "\xa4\x01\x02\x20\x41\x78\x61\x61\x82\x01\x02\x62" "ab\xf6";
	struct cbor		c, found;

	(void)state;
	assert_int_equal(READ(map, &c), OK);
	assert_true(cbor_at_number(&c, 1, &found) && found.number == 2);
	assert_true(cbor_at_number(&c, -1, &found) && found.n == 1 && *found.at == 'x');
	assert_true(cbor_at_text(&c, "a", &found) && found.type == CBOR_ARRAY && found.number == 2);
	assert_true(cbor_at_text(&c, "ab", &found) && found.number == 22);
	assert_false(cbor_at_text(&c, "b", &found));
	assert_false(cbor_at_number(&c, 0, &found));
	assert_int_equal(READ("\x82\x01\x02", &c), OK);
	assert_false(cbor_at_number(&c, 1, &found));
}

static void
test_f204_more_is_claimed_than_there_is(void **state)
{
	(void)state;
	ASSERT_BAD("");
	ASSERT_BAD("\x18");
	ASSERT_BAD("\x1b\x00\x00");
	ASSERT_BAD("\x42\x00");
	ASSERT_BAD("\x5a\x80\x00\x00\x00");		/* 2 GiB of bytes */
	ASSERT_BAD("\x7b\xff\xff\xff\xff\xff\xff\xff\xff");
	ASSERT_BAD("\x9a\x0f\xff\xff\xff");		/* an array that libcbor 0.8 takes 2 GiB for */
	ASSERT_BAD("\xba\xff\xff\xff\xff\x01\x02");
	ASSERT_BAD("\xa1\x01");
	ASSERT_BAD("\x82\x01");
}

static void
test_f204_depth_and_width_are_bounded(void **state)
{
	char		deep[10000], wide[2 * CBOR_ENTRIES + 3];
	struct cbor	c;

	(void)state;
	memset(deep, 0x81, sizeof(deep));
	assert_int_equal(cbor_read_all(deep, sizeof(deep), &c), ERR_INVALID);
	assert_int_equal(READ("\x81\x81\x81\x81\x00", &c), OK);
	ASSERT_BAD("\x81\x81\x81\x81\x80");
	for (int i = 0; i <= CBOR_ENTRIES; i++) {
		wide[2 * i + 1] = (char)i;
		wide[2 * i + 2] = 0;
	}
	wide[0] = (char)(0xa0 | CBOR_ENTRIES);
	assert_int_equal(cbor_read_all(wide, 2 * CBOR_ENTRIES + 1, &c), OK);
	wide[0]++;
	assert_int_equal(cbor_read_all(wide, 2 * CBOR_ENTRIES + 3, &c), ERR_INVALID);
	assert_int_equal(cbor_read_all("\x90\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17, &c), OK);
	assert_int_equal(cbor_read_all("\x91\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, &c), ERR_INVALID);
}

static void
test_f204_keys_are_there_once_and_plain(void **state)
{
	(void)state;
	ASSERT_BAD("\xa2\x01\x00\x01\x00");
	ASSERT_BAD("\xa2\x01\x00\x18\x01\x00");		/* the same number, written in another way */
	ASSERT_BAD("\xa2\x61\x61\x00\x61\x61\x01");
	ASSERT_BAD("\xa2\x20\x00\x20\x01");
	ASSERT_BAD("\xa1\x41\x61\x00");
	ASSERT_BAD("\xa1\x80\x00");
	ASSERT_BAD("\xa1\xf5\x00");
	ASSERT_BAD("\x81\xa2\x01\x00\x01\x00");
}

static void
test_f204_what_else_cbor_has_is_refused(void **state)
{
	(void)state;
	ASSERT_BAD("\x00\x00");				/* bytes after it */
	ASSERT_BAD("\x9f\x01\xff");			/* indefinite lengths */
	ASSERT_BAD("\x5f\x41\x00\xff");
	ASSERT_BAD("\xbf\xff");
	ASSERT_BAD("\x1c");				/* reserved */
	ASSERT_BAD("\xc0\x61\x61");			/* a tag */
	ASSERT_BAD("\xf7");				/* undefined */
	ASSERT_BAD("\xf8\x14");				/* false in two bytes, and numbers with a point that look like it */
	ASSERT_BAD("\xf9\x00\x14");
	ASSERT_BAD("\xfa\x00\x00\x00\x14");
	ASSERT_BAD("\xff");
	ASSERT_BAD("\x61\xff");				/* no UTF-8 */
	ASSERT_BAD("\x1b\x80\x00\x00\x00\x00\x00\x00\x00");
	ASSERT_BAD("\x3b\x80\x00\x00\x00\x00\x00\x00\x00");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_each_kind_is_read),
		cmocka_unit_test(test_a_value_is_found_by_its_key),
		cmocka_unit_test(test_f204_more_is_claimed_than_there_is),
		cmocka_unit_test(test_f204_depth_and_width_are_bounded),
		cmocka_unit_test(test_f204_keys_are_there_once_and_plain),
		cmocka_unit_test(test_f204_what_else_cbor_has_is_refused),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
