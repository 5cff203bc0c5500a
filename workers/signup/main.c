/* signup: the sign-up form, which leads to Stripe Checkout, and the page to which Checkout returns. */
#include "signup.h"
#include "worker.h"

static const struct route *const	routes[] = { form_routes, continue_routes, welcome_routes, NULL };
static const struct resource *const	resources[] = {
	&resource_database, &resource_stripe, &resource_pages, &resource_words, NULL
};

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "signup", .about = "Sign-up: the form, Stripe Checkout, and the page to which Checkout returns.",
		.resources = resources, .routes = routes, .needs = NEED_PLANS | NEED_PICTURE | NEED_USAGE,
	}, argc, argv);
}
