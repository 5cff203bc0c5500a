/* alerts: what the operator must know. */
#include "operators.h"
#include "db.h"
#include "page.h"

static enum err
alerts(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.admin_alerts()", NO_ARGS));
	return page(v, "alerts", doc);
}

const struct route alerts_routes[] = {
	USER("GET", "/admin/alerts", alerts),
	{ 0 }
};
