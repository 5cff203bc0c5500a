/* confirm: who is signed in for longer proves again who it is, before what a stolen session must not do. */
#include <string.h>

#include "chosen.h"
#include "db.h"
#include "help.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "passkey.h"
#include "session.h"
#include "signin.h"
#include "typed.h"

/*
 * wrong: how the text ends that says what is wrong with the code, or NULL. password_error: name of the text that says
 * it of the password, or NULL.
 */
static enum err
confirm_form(struct visit *v, struct db_user *me, int status, const char *wrong, const char *password_error)
{
	struct json_object	*doc;
	const char		*next = form_get(&v->form, "next"), *sent = form_get(&v->form, "sent");

	if (next == NULL)
		TRY(http_query(v->q, "next", &next));
	if (sent == NULL)
		TRY(http_query(v->q, "sent", &sent));
	TRY(db_user(me, &doc, "api.confirm_page()", NO_ARGS));
	json_put(doc, "next", target_allowed(next));
	json_put(doc, "password_error", password_error);
	help_put(v->q->mem, v->app->config, doc);
	json_put(doc, "passkey_action", visit_path(v, "/signin/passkey/confirm"));
	if (json_at(doc, "/keys") != NULL)
		passkey_offer(v, doc);
	if (wrong != NULL)
		json_put(doc, "code_error", mem_printf(v->q->mem, json_true(doc, "/factor") ? "second_%s" : "code_%s", wrong));
	if (sent != NULL || wrong != NULL || (v->fault != NULL && strcmp(v->fault, "fault_codes") == 0))
		json_put_true(doc, "sent");
	return page_status(v, status, "confirm", doc);
}

static enum err
confirm_show(struct visit *v, struct db_user *me)
{
	return confirm_form(v, me, v->status, NULL, NULL);
}

/* Mails the code. What it answers is a page, so that a reload sends no other. */
static enum err
code_ask(struct visit *v, struct db_user *me, const char *next)
{
	enum err	e = db_user(me, NULL, "api.request_confirm()", NO_ARGS);

	if (e == ERR_LIMIT)
		return visit_again(v, "/signin/confirm", 429, "fault_codes");
	TRY(e);
	return http_redirect(v->r, visit_path(v, mem_printf(v->q->mem, "/signin/confirm?sent=yes&next=%s",
	    target_allowed(next))));
}

static enum err
code_take(struct visit *v, struct db_user *me, const char *code, const char *next)
{
	struct session		renewed = v->session;
	struct json_object	*verdict;
	struct secret		stored;
	enum err		e;

	if (*code == '\0')
		return confirm_form(v, me, 422, "missing", NULL);
	TRY(session_renew(&renewed, &stored));
	e = db_user_repeat(me, &verdict, "api.confirm_code($1, $2, $3::inet, $4, $5)", ARGS(TEXT(code),
	    BYTES(stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr), TEXT(visit_agent(v)), seed_key(v)));
	if (e == ERR_LIMIT) {
		v->fault = "fault_second";
		return confirm_form(v, me, 429, NULL, NULL);
	}
	TRY(e);
	return json_true(verdict, "/ok") ? entrance_renew(v, &renewed, verdict, "code", next) :
	    confirm_form(v, me, 422, "wrong", NULL);
}

static enum err
verdict_ask(struct visit *v, struct db_user *me, const struct secret *key, const struct secret *stored,
    struct json_object **verdict)
{
	return db_user_repeat(me, verdict, "api.confirm_password($1, $2, $3::inet, $4)",
	    ARGS(BYTES(key->bytes, SECRET_SIZE), BYTES(stored->bytes, SECRET_SIZE), TEXT(v->q->remote_addr),
	    TEXT(visit_agent(v))));
}

static enum err
password_take(struct visit *v, struct db_user *me, const char *next)
{
	struct session		renewed = v->session;
	struct json_object	*doc, *verdict;
	struct secret		key, stored;
	struct typed		typed;

	TRY(db_user(me, &doc, "api.begin_confirm($1::int[])", ARGS(TEXT(cost_text(v->q->mem, &password_cost)))));
	if (json_int(doc, "/wait", 0) > 0) {
		v->wait = json_int(doc, "/wait", 0);
		return confirm_form(v, me, 429, NULL, "password_wait");
	}
	if (!typed_read(doc, &typed))
		return ERR_INTERNAL;
	TRY(typed_stretch(v, &typed, &key));
	TRY(session_renew(&renewed, &stored));
	TRY(verdict_ask(v, me, &key, &stored, &verdict));
	return json_true(verdict, "/ok") ? entrance_renew(v, &renewed, verdict, "password", next) :
	    confirm_form(v, me, 422, NULL, "password_wrong");
}

static enum err
confirm_send(struct visit *v, struct db_user *me)
{
	const char	*code = form_get(&v->form, "code"), *next = form_get(&v->form, "next");

	if (visit_fields(v, "code password next sent") != OK)
		return visit_again(v, "/signin/confirm", 422, "fault_unknown_field");
	if (form_get(&v->form, "password") != NULL)
		return password_take(v, me, next);
	return code == NULL ? code_ask(v, me, next) : code_take(v, me, code, next);
}

const struct route confirm_routes[] = {
	USER("GET",  "/signin/confirm", confirm_show),
	USER("POST", "/signin/confirm", confirm_send),
	{ 0 }
};
