/* deletion: the end of a user's account, as a page and as a JSON API, and the way back while there is one. */
#include <string.h>

#include "account.h"
#include "answer.h"
#include "db.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"

#define ACCOUNT "/settings/account"

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*kept;

	TRY(http_query(v->q, "kept", &kept));
	TRY(db_user(me, &doc, "api.account_page()", NO_ARGS));
	if (kept != NULL && v->fault == NULL && json_at(doc, "/until") == NULL)
		page_news(doc, "news_kept");
	json_put(doc, "wanted_confirm", form_get(&v->form, "confirm"));
	if (v->fault != NULL && strcmp(v->fault, "confirm_wrong") == 0) {
		json_put(doc, "confirm_error", v->fault);
		v->fault = NULL;
	}
	return page(v, "account", doc);
}

/* All sessions have ended with it, so the browser is told by a page that needs none. */
static enum err
delete(struct visit *v, struct db_user *me)
{
	const char		*confirm = form_get(&v->form, "confirm");
	struct json_object	*doc;
	enum err		e;

	TRY(visit_fields(v, "confirm"));
	e = db_user(me, &doc, "api.delete_user($1)", ARGS(TEXT(confirm == NULL ? "" : confirm)));
	if (e == ERR_INVALID)
		return visit_again(v, ACCOUNT, 422, "confirm_wrong");
	TRY(e);
	if (json_at(doc, "/tenants") != NULL)
		return visit_again(v, ACCOUNT, 409, "fault_hold");
	log_line(LOG_INFO, "deletion_requested", LOG_TEXT("reason", "user"));
	identity_leave(v);
	return http_redirect(v->r, visit_path(v, "/signin?signed_out=deletion"));
}

static enum err
keep(struct visit *v, struct db_user *me)
{
	enum err	e;

	TRY(visit_fields(v, ""));
	e = db_user(me, NULL, "api.keep_user()", NO_ARGS);
	if (e != OK && e != ERR_NOT_FOUND)	/* pressed twice */
		return e;
	return http_redirect(v->r, visit_path(v, ACCOUNT "?kept=yes"));
}

/* 202 {"until"}, or 409 with the tenants that are to be handed over first. */
static enum err
api_delete(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	if (v->json != NULL && (!json_object_is_type(v->json, json_type_object) || json_object_object_length(v->json) > 0))
		return ERR_BAD_REQUEST;
	TRY(db_user(me, &doc, "api.delete_user()", NO_ARGS));
	if (json_at(doc, "/tenants") != NULL) {
		answer_put_error(doc, "last_owner", "These accounts have other members. Hand them over first.");
		return answer_json(v, 409, doc);
	}
	log_line(LOG_INFO, "deletion_requested", LOG_TEXT("reason", "user"));
	identity_leave(v);
	return answer_json(v, 202, doc);
}

const struct route deletion_routes[] = {
	FRESH("GET",  "/settings/account", show),
	FRESH("POST", "/settings/account", delete),
	USER("POST", "/settings/account/keep", keep),
	FRESH_API("DELETE", "/api/user", api_delete),
	{ 0 }
};
