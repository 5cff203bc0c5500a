/* usage: the ledger for a tenant's programs, which ask with a key: reserve, settle, record, and what is left. */
#include "usage.h"
#include "worker.h"

static const struct route *const	routes[] = { ledger_routes, rollover_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "usage", .about = "The ledger of what is used, for programs that ask with a key.",
		.resources = resources, .routes = routes, .needs = NEED_CRON,
	}, argc, argv);
}
