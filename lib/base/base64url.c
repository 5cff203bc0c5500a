#include "base64url.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

/* EVP_DecodeBlock() takes unused bits that are not zero, so that a token could be written in several ways. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
base64_write(mem_ctx *ctx, const void *bytes, size_t n)
{
	char	*text = talloc_array(ctx, char, (n + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
	return text;
}

char *
base64url_write(mem_ctx *ctx, const void *bytes, size_t n)
{
	char	*text = base64_write(ctx, bytes, n);

	text[strcspn(text, "=")] = '\0';
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
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
