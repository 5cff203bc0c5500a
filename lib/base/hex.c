#include "hex.h"

#include <stdint.h>
#include <string.h>

static const char	digits[] = "0123456789abcdef";

char *
hex_write(mem_ctx *ctx, const void *bytes, size_t n)
{
	const uint8_t	*from = bytes;
	char		*hex = talloc_array(ctx, char, 2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[from[i] >> 4];
		hex[2 * i + 1] = digits[from[i] & 15];
	}
	hex[2 * n] = '\0';
	return hex;
}

bool
hex_read(const char *hex, size_t n, void *out)
{
	uint8_t	*to = out;

	for (size_t i = 0; i < n; i++) {
		const char	*digit = memchr(digits, hex[i], 16);

		if (digit == NULL || n % 2 != 0)
			return false;
		to[i / 2] = (uint8_t)(to[i / 2] << 4 | (digit - digits));
	}
	return true;
}
