/* webhooks: takes Stripe's events into the inbox. jobs acts on them. */
#include "hint.h"
#include "serve.h"
#include "webhooks.h"
#include "worker.h"

/* One reads while the other commits. More would only split up what can go together: measured by make bench. */
enum { THREADS = 2 };

static const struct route *const	routes[] = { receive_routes, NULL };
static const struct resource *const	resources[] = { &resource_database, NULL };

static void
jobs_hint(const struct app *app)
{
	hint_send(app->own, app->db);
}

int
main(int argc, char **argv)
{
	struct hint	hint = { 0 };

	return worker_main(&(struct worker){
		.name = "webhooks", .about = "Takes Stripe's webhooks into the inbox.",
		.resources = resources, .routes = routes, .needs = NEED_WEBHOOK,
		.threads = THREADS, .together = SERVE_TOGETHER, .own = &hint, .after = jobs_hint,
	}, argc, argv);
}
