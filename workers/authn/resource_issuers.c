#include "authn.h"

static enum err
issuers_open(mem_ctx *ctx, struct app *app)
{
	const struct config	*c = app->config;
	struct authn		*own = app->own;

	own->issuers = talloc_array(ctx, struct issuer *, c->n_providers);
	for (size_t i = 0; i < c->n_providers; i++)
		own->issuers[i] = issuer_open(ctx, c->providers[i].issuer, c->providers[i].pages);
	return OK;
}

const struct resource resource_issuers = { "issuers", NEED_PROVIDERS, issuers_open, NULL, NULL, NULL };
