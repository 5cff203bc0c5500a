/* rollover: what a scheduler asks for when a month begins. Nothing depends on it, and to repeat it changes nothing. */
#include "answer.h"
#include "db.h"
#include "json.h"
#include "log.h"
#include "usage.h"
#include "visit.h"

static enum err
rollover(struct visit *v, struct db_visitor *me)
{
	struct json_object	*doc;

	TRY(db_visitor(me, &doc, "api.roll_over()", NO_ARGS));
	log_line(LOG_INFO, "rollover", LOG_INT("opened", json_int(doc, "/opened", 0)),
	    LOG_INT("expired", json_int(doc, "/expired", 0)));
	return answer_json(v, 200, doc);
}

const struct route rollover_routes[] = {
	SECRET("POST", "/api/cron/rollover", rollover),
	{ 0 }
};
