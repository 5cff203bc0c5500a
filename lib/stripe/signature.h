/* signature: Stripe-Signature over the exact bytes. Pure. The cases are in tests/unit/test_signature.c. */
#ifndef TOLLGATE_SIGNATURE_H
#define TOLLGATE_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum signature_verdict {
	SIGNATURE_OK,
	SIGNATURE_MISSING,	/* no header, or an empty one */
	SIGNATURE_INVALID,	/* anything else, an age over SIGNATURE_TOLERANCE included */
};

enum { SIGNATURE_TOLERANCE = 300, SIGNATURE_MAX_ITEMS = 16, SIGNATURE_MAX_HEADER = 8192 };

/*
 * Tries every (secret, v1) pair, without early exit. now: Unix seconds. *which (may be NULL): index of the secret that
 * matched.
 */
enum signature_verdict signature_verify(const char *header, const void *body, size_t n, const char *const *secrets,
    size_t n_secrets, int64_t now, size_t *which);

/* Identifies a secret in logs and tables without revealing it: the first 8 hex digits of its SHA-256. */
const char *signature_key_id(mem_ctx *mem, const char *secret);

#endif
