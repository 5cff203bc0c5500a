/* usage: ends the holds of work that nobody has settled, and watches what Stripe has not been told of. */
#include "jobs.h"
#include "json.h"
#include "log.h"

enum { HOLDS = 100 };	/* in one transaction, which locks their accounts */

enum err
expire_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct json_object	*done;
	int64_t			n;

	if (!account_await(j, ACCOUNT_UNKNOWN))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), &done, "service.tend_usage($1::int)", ARGS(INT(HOLDS))));
	n = json_object_get_int64(done);
	*found = n == HOLDS;
	if (n > 0)
		log_line(LOG_INFO, "holds_expired", LOG_INT("holds", n));
	return OK;
}
