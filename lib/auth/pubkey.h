/*
 * pubkey: a public key from its parameters, as a JSON Web Key or a passkey's COSE key has them, and signatures by it.
 * Numbers are big-endian bytes.
 */
#ifndef TOLLGATE_PUBKEY_H
#define TOLLGATE_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "mem.h"

enum pubkey_alg {
	PUBKEY_RS256,		/* RSASSA-PKCS1-v1_5 with SHA-256 */
	PUBKEY_PS256,		/* RSASSA-PSS with SHA-256, MGF1 with the same, 32 bytes of salt */
	PUBKEY_ES256,		/* ECDSA on P-256 with SHA-256; the signature is DER, as a passkey makes it */
	PUBKEY_ES256_RAW,	/* the same; the signature is r and s of 32 bytes each, as in a JSON Web Signature */
	PUBKEY_EDDSA,		/* Ed25519 */
};

enum { PUBKEY_P256_SIZE = 32, PUBKEY_ED25519_SIZE = 32, PUBKEY_RSA_MAX = 4096 / 8 };

/* Never changed, so that threads may share it. */
struct pubkey;

/*
 * *out hangs on ctx. ERR_INVALID: the modulus has not 2,048 to 4,096 bits, the exponent is even, below 3 or over 32
 * bits, the point is not on the curve, or a coordinate has another length than PUBKEY_P256_SIZE or PUBKEY_ED25519_SIZE.
 */
enum err pubkey_rsa(mem_ctx *ctx, const void *n, size_t n_len, const void *e, size_t e_len, struct pubkey **out)
    MUST_CHECK;
enum err pubkey_p256(mem_ctx *ctx, const void *x, size_t x_len, const void *y, size_t y_len, struct pubkey **out)
    MUST_CHECK;
enum err pubkey_ed25519(mem_ctx *ctx, const void *x, size_t x_len, struct pubkey **out) MUST_CHECK;

/* Whether a key of this kind signs by that algorithm. */
bool pubkey_fits(const struct pubkey *k, enum pubkey_alg alg);

/* Whether the signature is this key's over these bytes. False also when the key does not fit the algorithm. */
bool pubkey_verify(const struct pubkey *k, enum pubkey_alg alg, const void *signature, size_t signature_len,
    const void *bytes, size_t n);

#endif
