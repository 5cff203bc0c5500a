/* passkey: signing in by one, in place of a second code, and to prove again who one is. */
#include <string.h>

#include "authn.h"
#include "ceremony.h"
#include "entrance.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "session.h"
#include "target.h"

/* What people are told of a refusal; of any other, that the passkey is not good. */
static const struct {
	const char	*fault, *text;
	int		status;
} told[] = {
	{ "unknown", "passkey_unknown", 422 },
	{ "challenge", "passkey_late", 422 },
	{ "over", "passkey_late", 422 },
	{ "limit", "passkey_limit", 429 },
};

/* path: of the page that the form is on, which asks for another way too. */
static enum err
refuse(struct visit *v, const char *path, const char *fault)
{
	struct json_object	*doc = json_new(v->q->mem);
	struct buf		back = { .ctx = v->q->mem };
	const char		*next = form_get(&v->form, "next"), *text = "passkey_wrong";
	int			status = 422;

	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		if (strcmp(fault, told[i].fault) == 0) {
			text = told[i].text;
			status = told[i].status;
		}
	}
	buf_puts(&back, visit_path(v, path));
	if (next != NULL && *next != '\0') {
		buf_puts(&back, "?");
		form_put(&back, "next", target_allowed(next));
	}
	json_put(doc, "reason", text);
	json_put(doc, "back", back.data);
	return page_status(v, status, "passkey", doc);
}

/* The database's reason is logged as ceremony_used() logs its own. */
static enum err
refuse_verdict(struct visit *v, const char *path, struct json_object *verdict)
{
	const char	*reason = json_text(verdict, "/reason");

	log_line(LOG_WARN, "passkey_refused", LOG_TEXT("reason", reason));
	return refuse(v, path, reason == NULL ? "" : reason);
}

/* Reads the use. *answered: something is wrong with it, which is said. */
static enum err
use_read(struct visit *v, const struct secret *key, const char *path, const char **use, bool *answered)
{
	struct json_object	*doc;
	const char		*fault = NULL;
	enum err		e = ceremony_used(v, key, &doc, &fault);

	if (e == ERR_LIMIT)
		fault = "limit";
	else
		TRY(e);
	*answered = fault != NULL;
	if (*answered)
		return refuse(v, path, fault);
	*use = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);
	return OK;
}

static enum err
passkey_sign_in(struct visit *v, struct db_visitor *me)
{
	const char		*next = form_get(&v->form, "next"), *use;
	struct json_object	*verdict;
	struct entrance		entrance;
	bool			answered;

	if (visit_fields(v, "id client data signature user next remember") != OK)
		return ERR_INVALID;
	TRY(use_read(v, &v->flow, "/signin", &use, &answered));
	if (answered)
		return OK;
	TRY(entrance_new(v, &entrance));
	TRY(db_visitor_repeat(me, &verdict, "api.sign_in_passkey($1::jsonb, $2, $3, $4, $5::inet, $6, $7, $8)",
	    ARGS(TEXT(use), BYTES(entrance.stored.bytes, SECRET_SIZE), TEXT(target_allowed(next)), TEXT(v->language),
	    TEXT(v->q->remote_addr), TEXT(visit_agent(v)), identity_digest(v, &entrance.device), BOOL(entrance.remember))));
	if (!json_true(verdict, "/ok"))
		return refuse_verdict(v, "/signin", verdict);
	return entrance_grant(v, &entrance, json_text(verdict, "/next"));
}

static enum err
passkey_second(struct visit *v, struct db_visitor *me)
{
	struct json_object	*verdict;
	struct db_user		*half;
	struct secret		token;
	struct entrance		entrance;
	const char		*use;
	bool			answered;

	(void)me;
	if (visit_fields(v, "id client data signature user next") != OK)
		return ERR_INVALID;
	if (!session_read(http_cookie(v->q, SECOND_COOKIE, NULL), &token))
		return http_redirect(v->r, visit_path(v, "/signin"));
	TRY(use_read(v, &v->flow, "/signin/second", &use, &answered));
	if (answered)
		return OK;
	half = identity_half(v, &token);
	TRY(entrance_new(v, &entrance));
	TRY(db_user_repeat(half, &verdict, "api.second_passkey($1::jsonb, $2, $3::inet, $4, $5)",
	    ARGS(TEXT(use), BYTES(entrance.stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr), TEXT(visit_agent(v)),
	    identity_digest(v, &entrance.device))));
	if (!json_true(verdict, "/ok"))
		return refuse_verdict(v, "/signin/second", verdict);
	http_set_cookie(v->r, SECOND_COOKIE, "", 0);
	entrance.remember = json_true(verdict, "/remember");
	return entrance_grant(v, &entrance, json_text(verdict, "/next"));
}

static enum err
passkey_confirm(struct visit *v, struct db_user *me)
{
	struct session		renewed = v->session;
	struct json_object	*verdict;
	struct secret		stored;
	const char		*use;
	bool			answered;

	if (visit_fields(v, "id client data signature user next") != OK)
		return ERR_INVALID;
	TRY(use_read(v, &v->session.stable, "/signin/confirm", &use, &answered));
	if (answered)
		return OK;
	TRY(session_renew(&renewed, &stored));
	TRY(db_user_repeat(me, &verdict, "api.confirm_passkey($1::jsonb, $2, $3::inet, $4)", ARGS(TEXT(use),
	    BYTES(stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr), TEXT(visit_agent(v)))));
	return json_true(verdict, "/ok") ? entrance_renew(v, &renewed, verdict, "passkey", form_get(&v->form, "next")) :
	    refuse_verdict(v, "/signin/confirm", verdict);
}

const struct route passkey_routes[] = {
	VISITOR("POST", "/signin/passkey", passkey_sign_in),
	VISITOR("POST", "/signin/passkey/second", passkey_second),
	USER("POST", "/signin/passkey/confirm", passkey_confirm),
	{ 0 }
};
