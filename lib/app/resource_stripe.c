#include "resource.h"

#include <stdlib.h>

struct stripe *
resource_open_stripe(mem_ctx *ctx, const struct config *c)
{
	return stripe_open(ctx, &(struct stripe_options){
		.api_url = c->stripe.api_url, .key = c->stripe.key, .version = c->stripe.version,
		.portal_configuration = c->stripe.portal_configuration, .timeout_ms = c->stripe.timeout_ms,
		.rate = c->stripe.rate,
	});
}

static enum err
stripe_resource_open(mem_ctx *ctx, struct app *app)
{
	app->stripe = resource_open_stripe(ctx, app->config);
	app->form_action = stripe_origins(app->stripe);
	return OK;
}

/* Where OpenSSL looks for certificates when the environment says so. */
static const char *const *
stripe_files(mem_ctx *ctx, const struct app *app)
{
	const char	**list = talloc_zero_array(ctx, const char *, 3);
	const char	*file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");

	(void)app;
	list[0] = file != NULL ? file : directory;
	list[1] = file != NULL ? directory : NULL;
	return list;
}

const struct resource resource_stripe = { "Stripe", NEED_STRIPE, stripe_resource_open, NULL, NULL, stripe_files };
