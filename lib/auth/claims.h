/* claims: whether an ID token is from this issuer and for us (OpenID Connect Core, 3.1.3.7). Pure. */
#ifndef TOLLGATE_CLAIMS_H
#define TOLLGATE_CLAIMS_H

#include "jws.h"

struct claims_wanted {
	const char	*issuer, *also;		/* also: another name of the same issuer, or NULL */
	const char	*client_id;
	const char	*access_token;		/* that came with it */
};

/* Of a token whose signature is good. What is wrong with it, or NULL. Times and nonce are the database's to judge. */
const char *claims_fault(mem_ctx *mem, const struct jws *s, const struct claims_wanted *wanted);

/* A text without a NUL in it, which C would end it at; NULL for anything else. */
const char *claims_text(struct json_object *claims, const char *pointer);

#endif
