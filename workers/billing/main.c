/* billing: what a customer sees of the subscription, the way into Stripe's portal, and back to a plan. */
#include "billing.h"
#include "worker.h"

static const struct route *const	routes[] = { overview_routes, portal_routes, checkout_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, &resource_stripe, &resource_pages, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "billing", .about = "The billing page, Stripe's portal, and a plan for a tenant without one.",
		.resources = resources, .routes = routes, .needs = NEED_PLANS,
	}, argc, argv);
}
