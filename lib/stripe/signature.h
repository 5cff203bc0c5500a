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

/* Why a signature is invalid, for the operator. The sender is told none of it. */
enum signature_cause {
	SIGNATURE_FORM,		/* the header is not as Stripe writes it */
	SIGNATURE_CLOCK,	/* one of the secrets signed it, but not now: our clock is wrong, or it is a replay */
	SIGNATURE_BODY,		/* the body was changed or cut on its way */
	SIGNATURE_SECRET,	/* another secret signed it, or none */
};

/* Of what signature_verify() calls invalid. The name of a cause is a word for logs and alerts. */
enum signature_cause signature_cause(const char *header, const void *body, size_t n, const char *const *secrets,
    size_t n_secrets);
const char *signature_cause_name(enum signature_cause cause);

/* Identifies a secret in logs and tables without revealing it: the first 8 hex digits of its SHA-256. */
const char *signature_key_id(mem_ctx *mem, const char *secret);

#endif
