/* retention: deletes rows older than their retention period. */
#include "jobs.h"
#include "json.h"
#include "log.h"

/* Deletes in small batches, until a batch is empty. */
enum err
retention_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct json_object	*done;

	if (!account_await(j, ACCOUNT_UNKNOWN))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), &done, "service.apply_retention($1::int)",
	    ARGS(INT(j->config->jobs.keep_days))));
	if (!json_object_is_type(done, json_type_object))
		return OK;
	json_object_object_foreach(done, what, n) {
		(void)what;
		*found = *found || json_object_get_int64(n) > 0;
	}
	if (*found)
		log_line(LOG_INFO, "retention", LOG_TEXT("done", json_object_to_json_string(done)));
	return OK;
}
