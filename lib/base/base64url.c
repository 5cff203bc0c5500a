#include "base64url.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
base64url_write(mem_ctx *ctx, const void *bytes, size_t n)
{
	const uint8_t	*from = bytes;
	char		*text = talloc_array(ctx, char, n / 3 * 4 + 5);
	unsigned	bits = 0, held = 0;
	size_t		len = 0;

	for (size_t i = 0; i < n; i++) {
		held = (held << 8 | from[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			text[len++] = digits[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		text[len++] = digits[held << (6 - bits) & 63];
	text[len] = '\0';
	return text;
}

bool
base64url_read(const char *text, size_t n, void *out, size_t *len)
{
	uint8_t		*to = out;
	unsigned	bits = 0, held = 0;

	if (n % 4 == 1)
		return false;
	*len = 0;
	for (size_t i = 0; i < n; i++) {
		const char	*digit = memchr(digits, text[i], 64);

		if (digit == NULL)
			return false;
		held = (held << 6 | (unsigned)(digit - digits)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[(*len)++] = (uint8_t)(held >> bits);
		}
	}
	return (held & ((1U << bits) - 1)) == 0;
}
