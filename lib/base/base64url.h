/* base64url: RFC 4648, 5, without padding, as tokens, JSON Web Signatures and passkeys have it. */
#ifndef TOLLGATE_BASE64URL_H
#define TOLLGATE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

char *base64url_write(mem_ctx *ctx, const void *bytes, size_t n);

/* The other alphabet, with padding (RFC 4648, 4), as HTTP's Basic has it. */
char *base64_write(mem_ctx *ctx, const void *bytes, size_t n);

/*
 * The exact inverse, into n * 3 / 4 bytes (rounded down), which is what *len is then. False for any other character,
 * padding, a length that none is written with, or unused bits that are not zero.
 */
bool base64url_read(const char *text, size_t n, void *out, size_t *len);

#endif
