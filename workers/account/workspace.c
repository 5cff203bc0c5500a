/* workspace: the first page after sign-in. */
#include "account.h"
#include "db.h"
#include "page.h"

static enum err
workspace(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.workspace_page()", NO_ARGS));
	return page(v, "workspace", doc);
}

const struct route workspace_routes[] = {
	USER("GET", "/workspace", workspace),
	{ 0 }
};
