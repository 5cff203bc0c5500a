/* transactions: an alert while a transaction in the database stays open, whoever opened it. */
#include "jobs.h"

enum err
transactions_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)found;
	return db_service(db_as_service(mem, j->db), NULL, "service.watch_transactions()", NO_ARGS);
}
