/* models: an alert while the calls to a model fail often. */
#include "jobs.h"

enum err
models_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)found;
	return db_service(db_as_service(mem, j->db), NULL, "service.watch_models()", NO_ARGS);
}
