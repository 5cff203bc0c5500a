/* tenants: a search of tenants, a tenant's page, and what an operator allows or denies it. */
#include <string.h>

#include "operators.h"
#include "db.h"
#include "json.h"
#include "page.h"

static enum err
tenants(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*text, *after;

	TRY(list_asked(v, &text, &after));
	TRY(db_user(me, &doc, "api.admin_tenants($1, $2::uuid)", ARGS(TEXT(text), TEXT(after))));
	list_put(v, doc, "/admin/tenants", text);
	return page(v, "tenants", doc);
}

/* What was typed comes back with what was wrong. */
static void
form_put_again(struct visit *v, struct json_object *doc)
{
	const char		*allow = form_get(&v->form, "allow"), *plan = form_get(&v->form, "plan");
	struct json_object	*plans = json_at(doc, "/plans");

	json_put(doc, "wanted_last", form_get(&v->form, "last"));
	json_put(doc, "wanted_reason", form_get(&v->form, "reason"));
	if (allow != NULL && strcmp(allow, "no") == 0)
		json_put_true(doc, "wanted_deny");
	for (size_t i = 0; plan != NULL && plans != NULL && i < json_object_array_length(plans); i++) {
		struct json_object	*each = json_object_array_get_idx(plans, i);

		if (json_is(each, "/value", plan))
			json_put_true(each, "chosen");
	}
}

static enum err
tenant(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.admin_tenant($1::uuid)", ARGS(TEXT(visit_param(v, "id")))));
	json_put(doc, "action", visit_path(v, v->path));
	form_put_again(v, doc);
	return page(v, "tenant", doc);
}

/* The database judges the day, the plan and the reason. */
static enum err
override(struct visit *v, struct db_user *me, const char *id)
{
	const char	*plan = form_get(&v->form, "plan"), *last = form_get(&v->form, "last");
	bool		allow;

	if (visit_switch(v, "allow", &allow) != OK || last == NULL)
		return visit_again(v, v->path, 422, "fault_override");
	return act_done(v, db_user(me, NULL, "api.override_tenant($1::uuid, $2, $3, $4, $5)",
	    ARGS(TEXT(id), BOOL(allow), TEXT(plan == NULL || *plan == '\0' ? NULL : plan), TEXT(last),
	    TEXT(form_get(&v->form, "reason")))), "fault_override");
}

static enum err
act(struct visit *v, struct db_user *me)
{
	const char	*what = form_get(&v->form, "do"), *id = visit_param(v, "id");

	if (visit_fields(v, "do allow plan last reason") != OK || what == NULL)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	if (strcmp(what, "override") == 0)
		return override(v, me, id);
	if (strcmp(what, "lift") == 0)
		return act_done(v, db_user(me, NULL, "api.lift_override($1::uuid)", ARGS(TEXT(id))), NULL);
	return visit_again(v, v->path, 422, "fault_unknown_field");
}

const struct route tenants_routes[] = {
	USER("GET",  "/admin/tenants", tenants),
	USER("GET",  "/admin/tenants/:id(uuid)", tenant),
	USER("POST", "/admin/tenants/:id(uuid)", act),
	{ 0 }
};
