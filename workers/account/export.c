/* export: a copy of the user's own data, as a file. */
#include "account.h"
#include "answer.h"
#include "db.h"

static enum err
export(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.export_user()", NO_ARGS));
	http_header(v->r, "Content-Disposition", "attachment; filename=\"account.json\"");
	return answer_json(v, 200, doc);
}

const struct route export_routes[] = {
	FRESH("GET", "/settings/account/export", export),
	FRESH_API("GET", "/api/user/export", export),
	{ 0 }
};
