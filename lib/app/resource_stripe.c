#include "pace.h"
#include "permit.h"

struct stripe *
resource_open_stripe(mem_ctx *ctx, const struct config *c, struct db *db, struct stripe_report report)
{
	return stripe_open(ctx, &(struct stripe_options){
		.api_url = c->stripe.api_url, .key = c->stripe.key, .version = c->stripe.version,
		.portal_configuration = c->stripe.portal_configuration, .timeout_ms = c->stripe.timeout_ms,
		.rate = c->stripe.rate, .pace = pace_of(db), .report = report,
	});
}

static enum err
stripe_resource_open(mem_ctx *ctx, struct app *app)
{
	app->permits = permits_open(ctx, app);
	app->form_action = stripe_origins(permits_stripe(app->permits));
	return OK;
}

const struct resource resource_stripe = { "Stripe", NEED_STRIPE, stripe_resource_open, NULL, NULL, NULL };
