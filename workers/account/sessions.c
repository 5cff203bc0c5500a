/* sessions: where the user is signed in, as a page and for scripts. */
#include <string.h>

#include "account.h"
#include "answer.h"
#include "db.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "text.h"

static enum err
sessions_show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*ended;

	TRY(http_query(v->q, "ended", &ended));
	TRY(db_user(me, &doc, "api.sessions_page()", NO_ARGS));
	if (ended != NULL && v->fault == NULL)
		page_news(doc, strcmp(ended, "all") == 0 ? "news_sessions_ended" : "news_session_ended");
	return page(v, "sessions", doc);
}

/* id NULL: all but this one. */
static enum err
sessions_end(struct db_user *me, const char *id)
{
	if (id != NULL && !text_is_uuid(id, strlen(id)))
		return ERR_NOT_FOUND;
	if (id == NULL)
		TRY(db_user(me, NULL, "api.end_other_sessions()", NO_ARGS));
	else
		TRY(db_user(me, NULL, "api.end_session($1::uuid)", ARGS(TEXT(id))));
	log_line(LOG_INFO, "session_ended", LOG_TEXT("session", id == NULL ? "others" : id), LOG_TEXT("reason", "logout"));
	return OK;
}

static enum err
sessions_send(struct visit *v, struct db_user *me)
{
	const char	*id = form_get(&v->form, "session"), *all = form_get(&v->form, "all");

	if (visit_fields(v, "session all") != OK || (id == NULL) == (all == NULL))
		return visit_again(v, "/settings/sessions", 422, "fault_unknown_field");
	TRY(sessions_end(me, id));
	return http_redirect(v->r, visit_path(v, id == NULL ? "/settings/sessions?ended=all" :
	    "/settings/sessions?ended=one"));
}

/* For scripts. */

static enum err
api_session(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.session_state()", NO_ARGS));
	return answer_json(v, 200, doc);
}

static enum err
api_sessions(struct visit *v, struct db_user *me)
{
	struct json_object	*page, *doc = json_new(v->q->mem);

	TRY(db_user(me, &page, "api.sessions_page()", NO_ARGS));
	json_object_object_add(doc, "sessions", json_object_get(json_at(page, "/sessions")));
	return answer_json(v, 200, doc);
}

/* {"session": id}, or {"all": true} for all but this one. */
static enum err
api_revoke(struct visit *v, struct db_user *me)
{
	const char	*id = json_text(v->json, "/session");
	bool		all = json_true(v->json, "/all");

	if ((id == NULL) != all)
		return ERR_INVALID;
	TRY(sessions_end(me, id));
	return answer_nothing(v);
}

static enum err
api_signout(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.sign_out()", NO_ARGS));
	identity_leave(v);
	return answer_nothing(v);
}

const struct route sessions_routes[] = {
	USER("GET",  "/settings/sessions", sessions_show),
	USER("POST", "/settings/sessions", sessions_send),
	API("GET",  "/api/auth/session", api_session),
	API("GET",  "/api/auth/sessions", api_sessions),
	API("POST", "/api/auth/sessions/revoke", api_revoke),
	API("POST", "/api/auth/signout", api_signout),
	{ 0 }
};
