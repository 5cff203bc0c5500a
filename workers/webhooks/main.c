/* webhooks: stores Stripe's events in the inbox. jobs acts on them. */
#include "serve.h"
#include "webhooks.h"
#include "worker.h"

/* One thread reads while the other commits. More threads would make smaller batches, as make bench shows. */
enum { THREADS = 2 };

static const struct route *const	routes[] = { receive_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, NULL };

static void
jobs_hint(const struct app *app)
{
	hint_send(&((struct webhooks *)app->own)->hint, app->db);
}

int
main(int argc, char **argv)
{
	struct webhooks	own = { .distrust = DISTRUST_NEW };

	return worker_main(&(struct worker){
		.name = "webhooks", .about = "Verifies Stripe's events and stores them in the inbox.",
		.resources = resources, .routes = routes, .needs = NEED_WEBHOOK,
		.threads = THREADS, .together = SERVE_TOGETHER, .own = &own, .after = jobs_hint,
	}, argc, argv);
}
