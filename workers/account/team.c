/* team: the name of a tenant, its members and their roles, and invitations. */
#include <string.h>

#include "account.h"
#include "json.h"
#include "page.h"
#include "tenant.h"
#include "text.h"

#define TEAM "/settings/team"

/* A fault of one field is told beside the field, and not at the head of the page. */
static void
field_faults(struct visit *v, struct json_object *doc)
{
	static const char *const	fields[] = { "email", "name" };

	for (size_t i = 0; v->fault != NULL && i < sizeof(fields) / sizeof(*fields); i++) {
		size_t	n = strlen(fields[i]);

		if (strncmp(v->fault, fields[i], n) != 0 || v->fault[n] != '_')
			continue;
		json_put(doc, mem_printf(v->q->mem, "%s_error", fields[i]), v->fault);
		v->fault = NULL;
	}
}

/*
 * The team of the tenant that is asked for. Who is kept out of it, or out of all, is told which tenants do that: the
 * workspace page knows them, and refuses only a tenant that is none of the user's.
 */
static enum err
team_document(struct visit *v, struct db_user *me, const char *tenant, struct json_object **doc)
{
	struct json_object	*workspace;
	enum err		e = db_user(me, doc, "api.team_page($1::uuid)", ARGS(TEXT(tenant)));

	if (e == ERR_NOT_FOUND)
		json_put_true(*doc = json_new(v->q->mem), "nobody");
	else if (e != OK || !json_true(*doc, "/nobody"))
		return e;
	TRY(db_user(me, &workspace, "api.workspace_page($1::uuid)", ARGS(TEXT(tenant))));
	json_object_object_add(*doc, "closed", json_object_get(json_at(workspace, "/closed")));
	return OK;
}

/* The form to invite somebody comes back with the role that was chosen. */
static void
choose_role(struct visit *v, struct json_object *doc)
{
	const char		*role = form_get(&v->form, "email") == NULL ? NULL : form_get(&v->form, "role");
	struct json_object	*choices = json_at(doc, "/choices");

	for (size_t i = 0; role != NULL && choices != NULL && i < json_object_array_length(choices); i++) {
		struct json_object	*choice = json_object_array_get_idx(choices, i);

		json_object_object_add(choice, "chosen", json_object_new_boolean(json_is(choice, "/value", role)));
	}
}

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*tenant;

	TRY(tenant_shown(v, &tenant));
	TRY(team_document(v, me, tenant, &doc));
	choose_role(v, doc);
	json_put(doc, "at", tenant == NULL ? "" : visit_here(v, ""));
	json_put(doc, "switched", TEAM);
	json_put(doc, "wanted_email", form_get(&v->form, "email"));
	json_put(doc, "wanted_name", form_get(&v->form, "name"));
	field_faults(v, doc);
	return page(v, "team", doc);
}

/* ERR_INVALID: a field that does not belong to the form. */
static enum err
team_begin(struct visit *v, struct db_user *me, const char *fields, const char **tenant, bool *answered)
{
	TRY(visit_fields(v, fields));
	return tenant_of_form(v, me, TEAM, tenant, answered);
}

/* Answers with the page, or with why nothing was changed. conflict: name of the text for ERR_CONFLICT. */
static enum err
team_done(struct visit *v, enum err e, const char *conflict)
{
	if (e == OK)
		return http_redirect(v->r, visit_path(v, visit_here(v, TEAM)));
	if (e == ERR_FORBIDDEN)
		return visit_again(v, TEAM, 403, "fault_role");
	if (e == ERR_CONFLICT)
		return visit_again(v, TEAM, 409, conflict);
	return e == ERR_LIMIT ? visit_again(v, TEAM, 429, "fault_invitations") : e;
}

/* The field that names a member or an invitation; NULL: it cannot be an id. */
static const char *
id_of(struct visit *v, const char *field)
{
	const char	*id = form_get(&v->form, field);

	return id != NULL && text_is_uuid(id, strlen(id)) ? id : NULL;
}

static enum err
name(struct visit *v, struct db_user *me)
{
	const char	*given = form_get(&v->form, "name"), *tenant;
	bool		answered;
	enum err	e;

	TRY(team_begin(v, me, "tenant name", &tenant, &answered));
	if (answered)
		return OK;
	e = db_user(me, NULL, "api.name_tenant($1::uuid, $2)", ARGS(TEXT(tenant), TEXT(given)));
	return e == ERR_INVALID ? visit_again(v, TEAM, 422, "name_wrong") : team_done(v, e, NULL);
}

static enum err
role(struct visit *v, struct db_user *me)
{
	const char	*user = id_of(v, "user"), *given = form_get(&v->form, "role"), *tenant;
	bool		answered;

	TRY(team_begin(v, me, "tenant user role", &tenant, &answered));
	if (answered)
		return OK;
	return team_done(v, db_user(me, NULL, "api.set_role($1::uuid, $2::uuid, $3)",
	    ARGS(TEXT(tenant), TEXT(user), TEXT(given))), "fault_last_owner");
}

static enum err
drop(struct visit *v, struct db_user *me)
{
	const char	*user = id_of(v, "user"), *tenant;
	bool		answered;

	TRY(team_begin(v, me, "tenant user", &tenant, &answered));
	if (answered)
		return OK;
	return team_done(v, db_user(me, NULL, "api.remove_member($1::uuid, $2::uuid)",
	    ARGS(TEXT(tenant), TEXT(user))), "fault_last_owner");
}

static enum err
hand_over(struct visit *v, struct db_user *me)
{
	const char	*user = id_of(v, "user"), *tenant;
	bool		answered;

	TRY(team_begin(v, me, "tenant user", &tenant, &answered));
	if (answered)
		return OK;
	return team_done(v, db_user(me, NULL, "api.hand_over($1::uuid, $2::uuid)", ARGS(TEXT(tenant), TEXT(user))),
	    "fault_no_owner");
}

/* The address of the page may name the tenant that is left, so it leads to the workspace. */
static enum err
leave(struct visit *v, struct db_user *me)
{
	const char	*tenant;
	bool		answered;
	enum err	e;

	TRY(team_begin(v, me, "tenant", &tenant, &answered));
	if (answered)
		return OK;
	e = db_user(me, NULL, "api.leave_tenant($1::uuid)", ARGS(TEXT(tenant)));
	return e == OK ? http_redirect(v->r, visit_path(v, "/workspace")) : team_done(v, e, "fault_last_owner");
}

static enum err
invite(struct visit *v, struct db_user *me, const char *tenant)
{
	const char	*given = form_get(&v->form, "email"), *email = text_trim(v->q->mem, given == NULL ? "" : given);

	if (!text_is_email(email))
		return visit_again(v, TEAM, 422, *email == '\0' ? "email_missing" : "email_wrong");
	return team_done(v, db_user(me, NULL, "api.invite($1::uuid, $2, $3, $4)",
	    ARGS(TEXT(tenant), TEXT(email), TEXT(form_get(&v->form, "role")), TEXT(v->language))), "email_member");
}

/* An address and a role invite. An invitation is revoked, or mailed again. */
static enum err
invitation(struct visit *v, struct db_user *me)
{
	const char	*what = form_get(&v->form, "do"), *id = id_of(v, "invitation"), *tenant;
	bool		answered;

	TRY(team_begin(v, me, "tenant email role invitation do", &tenant, &answered));
	if (answered)
		return OK;
	if (what == NULL)
		return invite(v, me, tenant);
	if (strcmp(what, "again") == 0)
		return team_done(v, db_user(me, NULL, "api.invite_again($1::uuid, $2::uuid, $3)",
		    ARGS(TEXT(tenant), TEXT(id), TEXT(v->language))), NULL);
	if (strcmp(what, "revoke") == 0)
		return team_done(v, db_user(me, NULL, "api.revoke_invitation($1::uuid, $2::uuid)",
		    ARGS(TEXT(tenant), TEXT(id))), NULL);
	return ERR_INVALID;
}

const struct route team_routes[] = {
	USER("GET",  "/settings/team", show),
	USER("POST", "/settings/team/name", name),
	USER("POST", "/settings/team/role", role),
	USER("POST", "/settings/team/remove", drop),
	USER("POST", "/settings/team/handover", hand_over),
	USER("POST", "/settings/team/leave", leave),
	USER("POST", "/settings/team/invitation", invitation),
	{ 0 }
};
