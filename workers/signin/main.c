/* signin: proves who a visitor is, and ends sessions. No client secret, and no network but the database's. */
#include "signin.h"
#include "worker.h"

static const struct route *const	routes[] = { link_routes, signout_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, &resource_pages, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "signin", .about = "Signing in by mail, and signing out.",
		.resources = resources, .routes = routes,
	}, argc, argv);
}
