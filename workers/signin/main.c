/*
 * signin: begins sessions by a mailed link or code, renews them by a code, and ends them. Has no API key; connects only
 * to the database.
 */
#include "signin.h"
#include "worker.h"

static const struct route *const	routes[] = { link_routes, confirm_routes, signout_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, &resource_pages, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "signin", .about = "Signing in by mail, proving again who one is, and signing out.",
		.resources = resources, .routes = routes, .needs = NEED_PICTURE,
	}, argc, argv);
}
