/*
 * signin: begins sessions by a mailed link, its code or a password and, where there is one, a second factor, renews
 * them by a proof, and ends them. Has no API key; connects only to the database.
 */
#include "signin.h"
#include "worker.h"

static const struct route *const	routes[] = {
	address_routes, change_routes, confirm_routes, factor_routes, link_routes, register_routes, reset_routes,
	second_routes, signout_routes, NULL
};
static const struct resource *const	resources[] = {
	&resource_database, &resource_pages, &resource_passwords, &resource_providers, NULL
};

int
main(int argc, char **argv)
{
	struct signin	signin = { 0 };

	return worker_main(&(struct worker){
		.name = "signin", .about = "Registering, signing in, proving again who one is, and signing out.",
		.resources = resources, .routes = routes, .needs = NEED_PICTURE | NEED_SEED_KEY,
		.own = &signin,
	}, argc, argv);
}
