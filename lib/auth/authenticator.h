/* authenticator: what a passkey says of itself, and its key. A stranger's bytes: nothing is allocated for them. */
#ifndef TOLLGATE_AUTHENTICATOR_H
#define TOLLGATE_AUTHENTICATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"
#include "pubkey.h"

enum { CREDENTIAL_MAX = 1023, COSE_KEY_MAX = 1024, ATTESTATION_MAX = 8192 };

struct authenticator {
	uint32_t	counter;
	bool		eligible, backed_up;	/* may be on several devices; is */
	const uint8_t	*id, *key;		/* of the key that is added: its id, and itself as a COSE key; else NULL */
	size_t		id_len, key_len;
};

/*
 * Both: what is wrong with it, as a word for the log, or NULL. rp_id: the site's host. The user must have been there,
 * and have been verified. An attestation object's statement is not judged: any make of authenticator will do.
 */
const char *authenticator_fault(const void *bytes, size_t n, const char *rp_id, struct authenticator *out);
const char *attestation_fault(const void *bytes, size_t n, const char *rp_id, struct authenticator *out);

/* A COSE key of one of the three algorithms that are asked for. ERR_INVALID: another, or none that is sound. */
enum err cose_key(mem_ctx *mem, const void *bytes, size_t n, struct pubkey **out, enum pubkey_alg *alg) MUST_CHECK;

#endif
