/* users: a search of users, a user's page, and what an operator does to one. */
#include <string.h>

#include "operators.h"
#include "db.h"
#include "json.h"
#include "page.h"

static enum err
users(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*text, *after;

	TRY(list_asked(v, &text, &after));
	TRY(db_user(me, &doc, "api.admin_users($1, $2::uuid)", ARGS(TEXT(text), TEXT(after))));
	list_put(v, doc, "/admin", text);
	return page(v, "users", doc);
}

static enum err
user(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.admin_user($1::uuid)", ARGS(TEXT(visit_param(v, "id")))));
	json_put(doc, "action", visit_path(v, v->path));
	json_put(doc, "wanted_reason", form_get(&v->form, "reason"));
	return page(v, "user", doc);
}

static enum err
act(struct visit *v, struct db_user *me)
{
	const char	*what = form_get(&v->form, "do"), *id = visit_param(v, "id");

	if (visit_fields(v, "do reason") != OK || what == NULL)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	if (strcmp(what, "suspend") == 0)
		return act_done(v, db_user(me, NULL, "api.suspend_user($1::uuid, $2)",
		    ARGS(TEXT(id), TEXT(form_get(&v->form, "reason")))), "fault_reason");
	if (strcmp(what, "lift") == 0)
		return act_done(v, db_user(me, NULL, "api.lift_suspension($1::uuid)", ARGS(TEXT(id))), NULL);
	if (strcmp(what, "signout") == 0)
		return act_done(v, db_user(me, NULL, "api.sign_out_user($1::uuid)", ARGS(TEXT(id))), NULL);
	return visit_again(v, v->path, 422, "fault_unknown_field");
}

const struct route users_routes[] = {
	USER("GET",  "/admin", users),
	USER("GET",  "/admin/users/:id(uuid)", user),
	USER("POST", "/admin/users/:id(uuid)", act),
	{ 0 }
};
