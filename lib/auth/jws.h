/*
 * jws: a JSON Web Signature in its compact form (RFC 7515), as ID tokens are, and the keys of a JSON Web Key Set that
 * may have made it. What the signer says of keys in the token itself (jwk, jku, x5u) is never looked at.
 */
#ifndef TOLLGATE_JWS_H
#define TOLLGATE_JWS_H

#include "json.h"

enum { JWS_MAX = 16 * 1024 };

struct jws_alg;

struct jws {
	const struct jws_alg	*alg;
	const char		*kid;		/* or NULL */
	struct json_object	*claims;	/* not to be believed before jws_verify() */
	const char		*bytes;		/* what is signed */
	size_t			n;
	const void		*signature;
	size_t			signature_len;
};

/* *out is on mem. ERR_INVALID: it is none that we take; *why says it. */
enum err jws_read(mem_ctx *mem, const char *token, size_t n, struct jws *out, const char **why) MUST_CHECK;

/*
 * Whether a key of the set has signed it. ERR_NOT_FOUND: none of them can have, but a newer set may have one that has.
 * ERR_INVALID: the key that it names has not.
 */
enum err jws_verify(mem_ctx *mem, const struct jws *s, struct json_object *keys, const char **why) MUST_CHECK;

/* base64url of the left half of the digest that goes with the algorithm, over ASCII: at_hash. */
char *jws_half_hash(mem_ctx *mem, const struct jws *s, const char *text);

#endif
