#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base64url.h"
#include "hex.h"

enum err
secret_random(struct secret *out)
{
	return getrandom(out->bytes, SECRET_SIZE, 0) == SECRET_SIZE ? OK : ERR_INTERNAL;
}

/* OpenSSL's SHA-256 fails only when memory runs out, which ends the process as any failed allocation does. */
static void
digest_check(int ok)
{
	if (ok != 1) {
		fputs("{\"level\":\"fatal\",\"event\":\"digest\"}\n", stderr);
		abort();
	}
}

struct secret
secret_sha256(const char *prefix, const void *bytes, size_t n)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	struct secret	out;

	digest_check(ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
	digest_check(EVP_DigestUpdate(ctx, prefix, strlen(prefix)));
	digest_check(EVP_DigestUpdate(ctx, bytes, n));
	digest_check(EVP_DigestFinal_ex(ctx, out.bytes, NULL));
	EVP_MD_CTX_free(ctx);
	return out;
}

struct secret
secret_hmac(const void *key, size_t key_len, const void *bytes, size_t n)
{
	struct secret	out;

	digest_check(HMAC(EVP_sha256(), key, (int)key_len, bytes, n, out.bytes, NULL) != NULL);
	return out;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, SECRET_SIZE) == 0;
}

char *
secret_hex(mem_ctx *ctx, const struct secret *s)
{
	return hex_write(ctx, s->bytes, SECRET_SIZE);
}

char *
secret_base64url(mem_ctx *ctx, const struct secret *s)
{
	return base64url_write(ctx, s->bytes, SECRET_SIZE);
}

bool
secret_from_hex(const char *hex, size_t n, struct secret *out)
{
	return n == SECRET_SIZE * 2 && hex_read(hex, n, out->bytes);
}

bool
secret_from_base64url(const char *text, size_t n, struct secret *out)
{
	return n == SECRET_BASE64URL && base64url_read(text, n, out->bytes, &n);
}
