/* secret: random tokens, digests, encodings and comparison in constant time (OpenSSL behind it). */
#ifndef TOLLGATE_SECRET_H
#define TOLLGATE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

enum {
	SECRET_SIZE		= 32,	/* bytes in a token, and in a SHA-256 */
	SECRET_BASE64URL	= 43	/* characters of base64url without padding */
};

struct secret {
	uint8_t	bytes[SECRET_SIZE];
};

/* 32 bytes from getrandom(). ERR_INTERNAL if the kernel has none: never a weaker source. */
enum err secret_random(struct secret *out) MUST_CHECK;

/* SHA-256 over prefix (a domain label) and then n bytes. */
struct secret secret_sha256(const char *prefix, const void *bytes, size_t n);

/* HMAC-SHA-256. */
struct secret secret_hmac(const void *key, size_t key_len, const void *bytes, size_t n);

/* Constant time over the whole length. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* 64 lower-case hex digits, and SECRET_BASE64URL characters of base64url without padding. */
char *secret_hex(mem_ctx *ctx, const struct secret *s);
char *secret_base64url(mem_ctx *ctx, const struct secret *s);

/* The exact inverses: false on any other length, character, or unused bits that are not zero. */
bool secret_from_hex(const char *hex, size_t n, struct secret *out);
bool secret_from_base64url(const char *text, size_t n, struct secret *out);

#endif
