/* passkeys: those of the user: adding one, its name, removing it. */
#include <string.h>

#include "authn.h"
#include "ceremony.h"
#include "db.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "passkey.h"
#include "text.h"

static const char	place[] = "/settings/passkeys";

/* What has just been done, by the address that its form leads to. */
static const char *
news_of(const char *done)
{
	static const char *const	news[][2] = { { "added", "news_passkey_added" },
		{ "named", "news_passkey_named" }, { "removed", "news_passkey_removed" } };

	for (size_t i = 0; done != NULL && i < sizeof(news) / sizeof(*news); i++)
		if (strcmp(done, news[i][0]) == 0)
			return news[i][1];
	return NULL;
}

static enum err
passkeys_page(struct visit *v, struct db_user *me, int status)
{
	struct json_object	*doc;
	const char		*done, *news;

	TRY(db_user(me, &doc, "api.passkeys_page()", NO_ARGS));
	TRY(http_query(v->q, "done", &done));
	news = news_of(done);
	if (news != NULL && v->fault == NULL)
		page_news(doc, news);
	json_put(doc, "action", visit_path(v, place));
	passkey_offer(v, doc);
	return page_status(v, status, "passkeys", doc);
}

static enum err
passkeys_show(struct visit *v, struct db_user *me)
{
	return passkeys_page(v, me, v->status);
}

static enum err
passkeys_again(struct visit *v, struct db_user *me, const char *fault)
{
	v->fault = fault;
	return passkeys_page(v, me, 422);
}

static enum err
done(struct visit *v, const char *what)
{
	return http_redirect(v->r, mem_printf(v->q->mem, "%s?done=%s", visit_path(v, place), what));
}

static const struct {
	const char	*fault, *text;
} told[] = {
	{ "challenge", "fault_passkey_late" },
	{ "taken", "fault_passkey_taken" },
	{ "many", "fault_passkey_many" },
};

static enum err
add_refused(struct visit *v, struct db_user *me, const char *fault)
{
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (strcmp(fault, told[i].fault) == 0)
			return passkeys_again(v, me, told[i].text);
	return passkeys_again(v, me, "fault_passkey_wrong");
}

static enum err
passkey_add(struct visit *v, struct db_user *me)
{
	const char		*name = form_get(&v->form, "name"), *fault = NULL;
	struct json_object	*doc, *verdict;
	enum err		e;

	TRY(ceremony_made(v, &v->session.stable, &doc, &fault));
	if (fault != NULL)
		return add_refused(v, me, fault);
	e = db_user_repeat(me, &verdict, "api.add_passkey($1::jsonb, $2)",
	    ARGS(TEXT(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN)), TEXT(name)));
	if (e == ERR_INVALID)
		return passkeys_again(v, me, "fault_passkey_name");
	TRY(e);
	if (json_true(verdict, "/ok"))
		return done(v, "added");
	log_line(LOG_WARN, "passkey_refused", LOG_TEXT("reason", json_text(verdict, "/reason")));
	return add_refused(v, me, json_text(verdict, "/reason"));
}

static enum err
passkey_name(struct visit *v, struct db_user *me)
{
	const char	*passkey = form_get(&v->form, "passkey");
	enum err	e;

	if (passkey == NULL || !text_is_uuid(passkey, strlen(passkey)))
		return ERR_NOT_FOUND;
	e = db_user(me, NULL, "api.name_passkey($1::uuid, $2)", ARGS(TEXT(passkey), TEXT(form_get(&v->form, "name"))));
	if (e == ERR_INVALID)
		return passkeys_again(v, me, "fault_passkey_name");
	TRY(e);
	return done(v, "named");
}

static enum err
passkey_remove(struct visit *v, struct db_user *me)
{
	const char	*passkey = form_get(&v->form, "passkey");
	enum err	e;

	if (passkey == NULL || !text_is_uuid(passkey, strlen(passkey)))
		return ERR_NOT_FOUND;
	e = db_user(me, NULL, "api.remove_passkey($1::uuid)", ARGS(TEXT(passkey)));
	if (e == ERR_CONFLICT) {
		v->fault = "fault_last_passkey";
		return passkeys_page(v, me, 409);
	}
	TRY(e);
	return done(v, "removed");
}

static const struct {
	const char	*name;
	user_handler	*run;
} actions[] = {
	{ "add", passkey_add },
	{ "name", passkey_name },
	{ "remove", passkey_remove },
};

static enum err
passkeys_act(struct visit *v, struct db_user *me)
{
	const char	*action = form_get(&v->form, "action");

	if (action == NULL || visit_fields(v, "action passkey name id client attestation transports") != OK)
		return ERR_INVALID;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(action, actions[i].name) == 0)
			return actions[i].run(v, me);
	return ERR_INVALID;
}

const struct route passkeys_routes[] = {
	FRESH("GET",  "/settings/passkeys", passkeys_show),
	FRESH("POST", "/settings/passkeys", passkeys_act),
	{ 0 }
};
