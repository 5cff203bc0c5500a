/* admin: the pages of the site's operators. */
#include "operators.h"
#include "worker.h"

static const struct route *const	routes[] = { alerts_routes, tenants_routes, users_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, &resource_pages, &resource_words, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "admin", .about = "The pages of the site's operators: users, tenants, open alerts.",
		.resources = resources, .routes = routes,
	}, argc, argv);
}
