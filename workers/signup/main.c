/* signup: from a plain form to Stripe Checkout, and the page that buyers come back to. */
#include "signup.h"
#include "worker.h"

static const struct route *const	routes[] = { form_routes, welcome_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, &resource_stripe, &resource_pages, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "signup", .about = "Sign-up: a plain form, Stripe Checkout, and the page people come back to.",
		.resources = resources, .routes = routes, .needs = NEED_PLANS,
	}, argc, argv);
}
