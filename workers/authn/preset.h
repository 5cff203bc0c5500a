/* preset: what is particular of the providers that have a name of their own, in one table. */
#ifndef TOLLGATE_PRESET_H
#define TOLLGATE_PRESET_H

#include "person.h"

struct preset {
	const char	*provider;	/* its name in the configuration; NULL: the row of all others */
	const char	*scope;		/* what its page asks the user for */
	const char	*mode;		/* the response_mode that its page wants, or NULL */
	/*
	 * Of GitHub and servers like it, which are no OpenID providers: the path of their endpoints below the issuer. Both
	 * together are their iss. NULL: the issuer's description names the endpoints.
	 */
	const char	*base;
	const char	*also;		/* another name that it has for itself in ID tokens, or NULL */
	/* Whether it vouches for the address, by the claims that the address stands in. NULL: its API says so. */
	bool		(*verified)(struct json_object *claims, const char *email);
	/* Reads who it is: person.h. */
	enum err	(*person)(struct visit *v, struct callback *c, struct json_object **out, const char **nonce);
};

const struct preset *preset_of(const struct config_provider *p);

#endif
