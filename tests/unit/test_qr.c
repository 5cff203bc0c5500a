/* qr: what is drawn has the marks of a QR code and its quiet zone. Chromium and zbar read it in test_factor.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "qr.h"

enum { SIDE = 200 };

/* Reads the path back into modules; fails on anything but runs within the square. */
static void
path_read(const char *path, int size, bool dark[SIDE][SIDE])
{
	int	x, y, n, back, used;

	memset(dark, 0, sizeof(bool[SIDE][SIDE]));
	for (; *path != '\0'; path += used) {
		used = 0;
		assert_int_equal(sscanf(path, "M%d %dh%dv1h-%dz%n", &x, &y, &n, &back, &used), 4);
		assert_true(used > 0 && n == back && n > 0 && y >= 4 && y < size - 4 && x >= 4 && x + n <= size - 4);
		for (int i = 0; i < n; i++)
			dark[y][x + i] = true;
	}
}

/* A ring of 7 by 7 around a square of 3 by 3, in three corners. */
static void
test_the_marks_are_in_three_corners(void **state)
{
	static bool	dark[SIDE][SIDE];
	mem_ctx		*mem = mem_new();
	const char	*path;
	int		size;

	(void)state;
	assert_int_equal(qr_path(mem, "otpauth://totp/Tollgate:ann%40example.org?secret=GEZDGNBVGY3T", &path, &size), OK);
	assert_true(size % 4 == 1 && size > 29 && size < SIDE);
	path_read(path, size, dark);
	for (int i = 0; i < 7; i++) {
		assert_true(dark[4][4 + i] && dark[10][4 + i] && dark[4][size - 5 - i] && dark[size - 5][4 + i]);
		assert_int_equal(dark[5][4 + i], i == 0 || i == 6);
		assert_int_equal(dark[7][4 + i], i != 1 && i != 5);
	}
	talloc_free(mem);
}

static void
test_a_text_that_is_too_long_or_empty_is_refused(void **state)
{
	static char	text[4000];
	mem_ctx		*mem = mem_new();
	const char	*path;
	int		size;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(qr_path(mem, text, &path, &size), ERR_INVALID);
	assert_int_equal(qr_path(mem, "", &path, &size), ERR_INVALID);
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_the_marks_are_in_three_corners),
		cmocka_unit_test(test_a_text_that_is_too_long_or_empty_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
