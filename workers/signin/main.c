/*
 * signin: begins sessions by a mailed link or code and, where there is one, a second factor, renews them by a code, and
 * ends them. Has no API key; connects only to the database.
 */
#include "signin.h"
#include "worker.h"

static const struct route *const	routes[] = {
	confirm_routes, factor_routes, link_routes, second_routes, signout_routes, NULL
};
static const struct resource *const	resources[] = { &resource_database, &resource_pages, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "signin", .about = "Signing in by mail, proving again who one is, and signing out.",
		.resources = resources, .routes = routes, .needs = NEED_PICTURE | NEED_SEED_KEY,
	}, argc, argv);
}
