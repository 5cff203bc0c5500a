/* billing: the billing page, the customer portal, and a checkout for a tenant without a subscription. */
#include "billing.h"
#include "worker.h"

static const struct route *const	routes[] = {
	overview_routes, portal_routes, plan_routes, checkout_routes, resume_routes, NULL
};
static const struct resource *const	resources[] = {
	&resource_database, &resource_stripe, &resource_pages, &resource_words, NULL
};

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "billing", .about = "The billing page, the customer portal, and Checkout for tenants without a plan.",
		.resources = resources, .routes = routes, .needs = NEED_PLANS | NEED_USAGE,
	}, argc, argv);
}
