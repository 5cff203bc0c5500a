/* change: a new password for who is signed in and has just proved it. */
#include "chosen.h"
#include "db.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "signin.h"

static enum err
change_form(struct visit *v, struct db_user *me, int status, const char *password_error)
{
	struct json_object	*doc;
	const char		*changed;

	TRY(http_query(v->q, "changed", &changed));
	TRY(db_user(me, &doc, "api.confirm_page()", NO_ARGS));
	json_put(doc, "password_error", password_error);
	if (changed != NULL)
		page_news(doc, "news_password");
	return page_status(v, status, "change", doc);
}

static enum err
change_show(struct visit *v, struct db_user *me)
{
	return change_form(v, me, v->status, NULL);
}

static enum err
change_send(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	struct chosen		c;
	const char		*why;

	if (visit_fields(v, "password") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	TRY(db_user(me, &doc, "api.confirm_page()", NO_ARGS));
	TRY(chosen_judge(v, json_text(doc, "/email"), &c, &why));
	if (why != NULL)
		return change_form(v, me, 422, why);
	TRY(chosen_stretch(v, &c));
	TRY(db_user_repeat(me, NULL, "api.change_password($1, $2::int[], $3)", ARGS(CHOSEN(&c))));
	log_line(LOG_INFO, "session_ended", LOG_TEXT("session", "others"), LOG_TEXT("reason", "password"));
	return http_redirect(v->r, visit_path(v, "/settings/password?changed=yes"));
}

const struct route change_routes[] = {
	FRESH("GET",  "/settings/password", change_show),
	FRESH("POST", "/settings/password", change_send),
	{ 0 }
};
