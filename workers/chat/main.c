/* chat: answers of models, written as they come and counted: for useChat, and on a page of our own. */
#include "chat.h"
#include "models.h"
#include "worker.h"

static const struct route *const	routes[] = {
	history_routes, operation_routes, reply_routes, talk_routes, NULL
};
static const struct resource *const	resources[] = {
	&resource_database, &resource_models, &resource_pages, &resource_words, NULL
};

/* Many answers begin and end at the same moment. Each has a thread to itself, so it can wait. */
enum { CONNECTIONS = 16, WAIT_MS = 2000 };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "chat", .about = "Answers of models, written as they come and counted.",
		.resources = resources, .routes = routes, .needs = NEED_USAGE, .pool = CONNECTIONS,
		.wait_ms = WAIT_MS, .threads_of = models_threads,
	}, argc, argv);
}
