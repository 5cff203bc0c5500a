/* account: the front page, the style sheet, redirects, the user's workspace and sessions. */
#include "account.h"
#include "worker.h"

static const struct route *const	routes[] = {
	security_routes, sessions_routes, site_routes, tenant_routes, workspace_routes, NULL
};
static const struct resource *const	resources[] = { &resource_database, &resource_pages, &resource_words, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "account", .about = "The front page, the style sheet, the workspace, the user's sessions.",
		.resources = resources, .routes = routes,
	}, argc, argv);
}
