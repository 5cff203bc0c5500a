/*
 * issuer: an OpenID provider as it describes itself (OpenID Connect Discovery, RFC 8414): where it asks its users,
 * where codes are redeemed, which keys sign its tokens. Used by all threads.
 */
#ifndef TOLLGATE_ISSUER_H
#define TOLLGATE_ISSUER_H

#include <stdbool.h>

#include "https.h"
#include "json.h"

struct issuer;

/* Its endpoints, on the memory of the caller. */
struct issuer_ends {
	const char	*authorize;	/* the page where it asks its users */
	const char	*token;
	const char	*userinfo;	/* or NULL */
	const char	*keys;
	bool		posts_secret;	/* the client's secret goes into the form: it takes no Basic authentication */
	bool		names_itself;	/* what comes back from it has iss (RFC 9207) */
};

/*
 * name: the issuer's, byte for byte. pages: the origin of its page, where that is not the issuer's own; "": it is. Over
 * https and public addresses only, unless the issuer is on this machine. Hangs on ctx; nothing is fetched yet.
 */
struct issuer *issuer_open(mem_ctx *ctx, const char *name, const char *pages);

/*
 * The description is kept for a day, and longer while another one cannot be fetched. may_wait: the caller's thread may
 * wait for the issuer. ERR_UNAVAILABLE: there is none, or it is not one that we go by; *why says it.
 */
enum err issuer_ends(struct issuer *i, mem_ctx *mem, bool may_wait, struct issuer_ends *out, const char **why)
    MUST_CHECK;

/* Whether issuer_ends() would make a thread wait. */
bool issuer_waits(struct issuer *i);

/* Its keys as it publishes them, a JSON Web Key Set. newer: some that are not in those we have. Errors as above. */
enum err issuer_keys(struct issuer *i, mem_ctx *mem, bool newer, struct json_object **out, const char **why) MUST_CHECK;

/* How the last fetch of its description went, and that of its keys, as document_news() says it. */
bool issuer_news(struct issuer *i, mem_ctx *mem, const char **why);
bool issuer_keys_news(struct issuer *i, mem_ctx *mem, const char **why);

/* What speaks to it. */
struct https *issuer_https(struct issuer *i);

#endif
