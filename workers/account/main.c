/*
 * account: the front page, the style sheet, redirects, how the site is, and what a user owns: profile, sessions,
 * tenants, members.
 */
#include "account.h"
#include "worker.h"

static const struct route *const	routes[] = {
	audit_routes, deletion_routes, export_routes, invitation_routes, keys_routes, profile_routes, security_routes,
	sessions_routes, site_routes, status_routes, team_routes, tenant_routes, usage_routes, workspace_routes, NULL
};
static const struct resource *const	resources[] = { &resource_database, &resource_pages, &resource_words, NULL };

int
main(int argc, char **argv)
{
	struct status	status = { .lock = PTHREAD_MUTEX_INITIALIZER };

	return worker_main(&(struct worker){
		.name = "account",
		.about = "The front page, how the site is, and what a user owns: profile, sessions, tenants, members.",
		.resources = resources, .routes = routes, .own = &status,
	}, argc, argv);
}
