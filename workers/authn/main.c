/*
 * authn: believes other parties and passkeys about who a visitor is, and is the one program that the database believes.
 * Has the secrets that other parties know us by; connects to the database and to them.
 */
#include "authn.h"
#include "worker.h"

static const struct route *const	routes[] = {
	callback_routes, connect_routes, connections_routes, passkey_routes, passkeys_routes, start_routes, NULL
};
static const struct resource *const	resources[] = {
	&resource_database, &resource_pages, &resource_words, &resource_providers, &resource_issuers, NULL
};

int
main(int argc, char **argv)
{
	struct authn	authn = { 0 };

	return worker_main(&(struct worker){
		.name = "authn", .about = "Signing in by what other parties vouch for.",
		.resources = resources, .routes = routes, .own = &authn,
	}, argc, argv);
}
