/* hosted: the origins of Stripe's hosted pages, derived from the API address. Inside lib/stripe only. */
#ifndef TOLLGATE_STRIPE_HOSTED_H
#define TOLLGATE_STRIPE_HOSTED_H

#include "stripe.h"

struct stripe_hosted {
	const char	*checkout;		/* origins */
	const char	*portal;
	const char	*origins;		/* both, separated by a space; one if they are equal */
	const char	*portal_configuration;	/* or "" */
	bool		loopback;		/* the API is on this machine: plain http is allowed */
};

struct stripe_hosted stripe_hosted_of(mem_ctx *ctx, const struct stripe_options *options);

const struct stripe_hosted *stripe_hosted(const struct stripe *s);

/* The "url" of an answer when it is on that origin; ERR_UPSTREAM, logged, when it is missing or elsewhere. */
enum err stripe_page_url(struct json_object *answer, const char *origin, const char **url) MUST_CHECK;

#endif
