#include "tenant.h"

#include <string.h>

#include "answer.h"
#include "json.h"
#include "page.h"
#include "text.h"

#define FAULT_GONE "fault_tenant_gone"

/* named: what the form or body names, or NULL. *match: the document of api.match_tenant. */
static enum err
tenant_match(struct visit *v, struct db_user *me, const char *named, struct json_object **match)
{
	const char	*shown;

	TRY(visit_tenant(v, &shown));
	if (named != NULL && !text_is_uuid(named, strlen(named)))
		return ERR_INVALID;
	return db_user(me, match, "api.match_tenant($1::uuid, $2::uuid)", ARGS(TEXT(shown), TEXT(named)));
}

/* The fields of the form, which the page sends again for the tenant that it was made for. */
static struct json_object *
fields_again(struct visit *v)
{
	struct json_object	*fields = json_object_new_array();

	for (size_t i = 0; i < v->form.n; i++) {
		struct json_object	*field;

		if (strcmp(v->form.fields[i].name, "csrf") == 0)
			continue;
		field = json_object_new_object();
		json_put(field, "name", v->form.fields[i].name);
		json_put(field, "value", v->form.fields[i].value);
		json_object_array_add(fields, field);
	}
	return fields;
}

static enum err
tenant_ask(struct visit *v, const char *page, struct json_object *match)
{
	json_put(match, "action", v->path);
	json_put(match, "back", visit_here(v, page));
	json_object_object_add(match, "fields", fields_again(v));
	return page_status(v, 409, "other_tenant", match);
}

enum err
tenant_shown(struct visit *v, const char **tenant)
{
	TRY(visit_tenant(v, tenant));
	if (v->fault != NULL && strcmp(v->fault, FAULT_GONE) == 0)
		*tenant = NULL;
	return OK;
}

enum err
tenant_of_form(struct visit *v, struct db_user *me, const char *page, const char **tenant, bool *answered)
{
	struct json_object	*match;

	*answered = false;
	TRY(tenant_match(v, me, form_get(&v->form, "tenant"), &match));
	*tenant = v->tenant = json_text(match, "/tenant");
	*answered = !json_is(match, "/state", "same");
	if (json_is(match, "/state", "gone"))
		return visit_again(v, page, 409, FAULT_GONE);
	return *answered ? tenant_ask(v, page, match) : OK;
}

enum err
tenant_of_json(struct visit *v, struct db_user *me, const char **tenant, bool *answered)
{
	const char		*named = json_text(v->json, "/tenant");
	struct json_object	*match;

	*answered = false;
	if (named == NULL && json_at(v->json, "/tenant") != NULL)
		return ERR_INVALID;
	TRY(tenant_match(v, me, named, &match));
	*tenant = v->tenant = json_text(match, "/tenant");
	*answered = json_is(match, "/state", "other");
	if (json_is(match, "/state", "gone"))
		return ERR_NOT_FOUND;
	if (!*answered)
		return OK;
	answer_put_error(match, "other_tenant", "Another account is chosen");
	return answer_json(v, 409, match);
}
