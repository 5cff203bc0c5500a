/* grant: what a party gives for the code that a browser has brought: tokens, of which none is kept. */
#ifndef TOLLGATE_GRANT_H
#define TOLLGATE_GRANT_H

#include "authn.h"
#include "flow.h"

struct grant {
	const char	*access_token;
	const char	*id_token;	/* or NULL */
};

/* A visit to a party, on its way back. */
struct callback {
	const struct config_provider	*provider;
	struct issuer			*issuer;
	struct flow			flow;
	const char			*code;
	const char			*name;		/* of its user, as only the browser says (Apple); or NULL */
	const char			*why;		/* what is wrong, for the log */
};

/*
 * Redeems the code at url (RFC 6749, 4.1.3), once. posts_secret: our secret goes into the form. ERR_UNAVAILABLE: it
 * does not answer. ERR_INVALID: it gives nothing. c->why says it.
 */
enum err grant_redeem(struct visit *v, struct callback *c, const char *url, bool posts_secret, struct grant *out)
    MUST_CHECK;

/* What the access token opens: a document at url. Errors as above. */
enum err grant_read(struct visit *v, struct callback *c, const struct grant *g, const char *url,
    struct json_object **out) MUST_CHECK;

#endif
