/* link: signing in by a mailed link and code. */
#include <string.h>

#include "identity.h"
#include "json.h"
#include "page.h"
#include "providers.h"
#include "passkey.h"
#include "signin.h"
#include "text.h"
#include "throttle.h"

/* The box stays as it was ticked when the form comes back. */
static void
remember_put(struct visit *v, struct json_object *doc)
{
	if (form_get(&v->form, "remember") != NULL)
		json_put_true(doc, "remember");
}

enum err
signin_form(struct visit *v, int status, const char *next, const char *email_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email"), *out, *reset;

	TRY(http_query(v->q, "signed_out", &out));
	TRY(http_query(v->q, "reset", &reset));
	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin"));
	json_put(doc, "signup", visit_path(v, "/signup"));
	json_put(doc, "register", visit_path(v, "/register"));
	json_put(doc, "reset", visit_path(v, "/reset"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_put(doc, "next", target_allowed(next));
	json_put(doc, "email_error", email_error);
	remember_put(v, doc);
	providers_put(v, doc);
	json_put(doc, "passkey_action", visit_path(v, "/signin/passkey"));
	json_put_true(doc, "passkey_remember");
	passkey_offer(v, doc);
	if (out != NULL && !v->has_session)	/* else the database may have failed to say who is signed in */
		page_news(doc, strcmp(out, "deletion") == 0 ? "news_deletion" : "news_signed_out");
	else if (reset != NULL)
		page_news(doc, "news_reset");
	return page_status(v, status, "signin", doc);
}

static enum err
signin_show(struct visit *v, struct db_visitor *me)
{
	const char	*next;

	(void)me;
	TRY(visit_shown(v, "next", &next));
	if (identity_is_member(v))
		return http_redirect(v->r, visit_path(v, target_allowed(next)));
	return signin_form(v, v->status, next, NULL);
}

/* The reason is the asker's network, whatever the address. */
static enum err
signin_refused(struct visit *v, const char *next)
{
	v->fault = "fault_links";
	return signin_form(v, 429, next, NULL);
}

/* Without a password a link is what is wanted, also where nobody pressed a button. */
static bool
wants_password(struct visit *v)
{
	const char	*password = form_get(&v->form, "password"), *way = form_get(&v->form, "way");

	return password != NULL && *password != '\0' && (way == NULL || strcmp(way, "link") != 0);
}

/* The answer and the database's work are the same whether or not the address belongs to a user. */
static enum err
signin_send(struct visit *v, struct db_visitor *me)
{
	const char	*given = form_get(&v->form, "email"), *next = form_get(&v->form, "next"), *email;
	enum err	e;

	if (visit_fields(v, "email password remember way next") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	if (!text_is_email(email))
		return signin_form(v, 422, next, *email == '\0' ? "email_missing" : "email_wrong");
	if (wants_password(v))
		return password_sign_in(v, me, email, next);
	e = db_visitor(me, NULL, "api.request_link($1, $2, $3, $4, $5::inet, $6)",
	    ARGS(TEXT(email), identity_flow(v), TEXT(target_allowed(next)), TEXT(v->language), TEXT(v->q->remote_addr),
	    device_digest(v)));
	if (throttle_note(v, "link", e) == ERR_LIMIT)
		return signin_refused(v, next);
	TRY(e);
	return http_redirect(v->r, visit_path(v, "/signin/code"));
}

/* A code that is wrong is typed anew, one whose form was too old is not. */
static const char *
code_again(const struct visit *v)
{
	return v->fault != NULL ? form_get(&v->form, "code") : NULL;
}

static enum err
code_form(struct visit *v, int status, const char *code_error)
{
	struct json_object	*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin/code"));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "code", code_again(v));
	json_put(doc, "code_error", code_error);
	remember_put(v, doc);
	return page_status(v, status, "code", doc);
}

static enum err
code_show(struct visit *v, struct db_visitor *me)
{
	(void)me;
	return code_form(v, v->status, NULL);
}

static enum err
link_form(struct visit *v, int status, const char *state, const char *token, const char *code_error)
{
	struct json_object	*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin/link"));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "token", token);
	json_put(doc, "code", code_again(v));
	json_put(doc, "code_error", code_error);
	remember_put(v, doc);
	json_put_true(doc, state);
	json_put(doc, "title", strcmp(state, "unusable") == 0 ? "link_unusable" : NULL);
	return page_status(v, status, "link", doc);
}

/*
 * Mail scanners follow links, so a GET changes nothing: only the button signs in. After a form that was too old
 * (v->fault), the token comes from that form.
 */
static enum err
link_show(struct visit *v, struct db_visitor *me)
{
	const char		*token, *state;
	struct json_object	*doc;
	struct db_arg		hash;

	TRY(visit_shown(v, "t", &token));
	if (!identity_link(v, token, &hash))
		return link_form(v, v->fault == NULL ? 404 : v->status, "unusable", NULL, NULL);
	TRY(db_visitor(me, &doc, "api.link_state($1, $2)", ARGS(hash, identity_flow(v))));
	state = json_text(doc, "/state");
	if (state == NULL)
		return ERR_INTERNAL;
	return link_form(v, json_is(doc, "/state", "unusable") ? 410 : v->status, state, token, NULL);
}

/*
 * Proof is the link in the browser that requested it, the link with the code, or the code in that browser. The new
 * session's token is made here, and the database gets only a digest: so a call whose reply was lost may be repeated.
 */
static enum err
session_begin(struct visit *v, struct db_visitor *me, struct db_arg link, struct json_object **verdict)
{
	const char	*code = form_get(&v->form, "code");
	struct entrance	entry;

	TRY(entrance_new(v, &entry));
	TRY(db_visitor_repeat(me, verdict, "api.sign_in($1, $2, $3, $4, $5::inet, $6, $7, $8)",
	    ARGS(link, TEXT(code), identity_flow(v), BYTES(entry.stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr),
	    TEXT(visit_agent(v)), identity_digest(v, &entry.device), BOOL(entry.remember))));
	if (!json_true(*verdict, "/ok"))
		return OK;
	if (json_true(*verdict, "/second"))
		return entrance_ask_second(v, &entry);
	return entrance_grant(v, &entry, json_text(*verdict, "/next"));
}

static enum err
code_send(struct visit *v, struct db_visitor *me)
{
	struct json_object	*verdict;

	if (visit_fields(v, "code remember") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	if (form_get(&v->form, "code") == NULL || *form_get(&v->form, "code") == '\0')
		return code_form(v, 422, "code_missing");
	TRY(session_begin(v, me, SQL_NULL, &verdict));
	return json_true(verdict, "/ok") ? OK : code_form(v, 422, "code_wrong");
}

static enum err
link_send(struct visit *v, struct db_visitor *me)
{
	const char		*token = form_get(&v->form, "t");
	struct json_object	*verdict;
	struct db_arg		hash;

	if (visit_fields(v, "t code remember") != OK || !identity_link(v, token, &hash))
		return link_form(v, 422, "unusable", NULL, NULL);
	TRY(session_begin(v, me, hash, &verdict));
	if (json_true(verdict, "/ok"))
		return OK;
	if (json_int(verdict, "/attempts_left", 0) > 0)
		return link_form(v, 422, "code_needed", token, "code_wrong");
	return link_form(v, 410, "unusable", NULL, NULL);
}

const struct route link_routes[] = {
	VISITOR("GET",  "/signin", signin_show),
	VISITOR("POST", "/signin", signin_send),
	VISITOR("GET",  "/signin/code", code_show),
	VISITOR("POST", "/signin/code", code_send),
	VISITOR("GET",  "/signin/link", link_show),
	VISITOR("POST", "/signin/link", link_send),
	{ 0 }
};
