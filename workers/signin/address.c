/* address: a user's change of the own address. The new mailbox is proven first, and the earlier one can undo it. */
#include <string.h>

#include "db.h"
#include "help.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "signin.h"
#include "text.h"

#define EMAIL "/settings/email"

static enum err
email_form(struct visit *v, struct db_user *me, int status, const char *email_error)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.address_page()", NO_ARGS));
	json_put(doc, "wanted", form_get(&v->form, "email"));
	json_put(doc, "email_error", email_error);
	return page_status(v, status, "email", doc);
}

static enum err
email_show(struct visit *v, struct db_user *me)
{
	return email_form(v, me, v->status, NULL);
}

/* The answer is the same whether or not the address is another user's. */
static enum err
email_send(struct visit *v, struct db_user *me)
{
	const char	*given = form_get(&v->form, "email"), *email = text_trim(v->q->mem, given == NULL ? "" : given);
	enum err	e;

	TRY(visit_fields(v, "email"));
	if (!text_is_email(email))
		return email_form(v, me, 422, *email == '\0' ? "email_missing" : "email_wrong");
	e = db_user(me, NULL, "api.ask_address($1, $2, $3)", ARGS(TEXT(email), identity_flow(v), TEXT(v->language)));
	if (e == ERR_INVALID)
		return email_form(v, me, 422, "email_same");
	if (e == ERR_LIMIT)
		return visit_again(v, EMAIL, 429, "fault_addresses");
	TRY(e);
	log_line(LOG_INFO, "proof_asked", LOG_TEXT("purpose", "address"));
	return http_redirect(v->r, visit_path(v, EMAIL));
}

/* The two pages that mailed links lead to. */
struct address_link {
	const char	*path, *purpose, *page;
	const char	*done;		/* name of the title once it is done */
};

static const struct address_link	proof = { EMAIL "/link", "address", "email_link", "email_done" };
static const struct address_link	undo = { EMAIL "/undo", "undo", "email_undo", "email_undone" };

static enum err
state_page(struct visit *v, const struct address_link *l, int status, const char *state, const char *title)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put_true(doc, state);
	json_put_true(doc, l->purpose);
	json_put(doc, "title", title);
	help_put(v->q->mem, v->app->config, doc);
	return page_status(v, status, l->page, doc);
}

/* code_error: of a code that was wrong, or NULL. */
static enum err
link_form(struct visit *v, struct db_visitor *me, const struct address_link *l, int status, const char *token,
    const char *code_error)
{
	struct json_object	*doc;
	struct db_arg		hash;

	if (!identity_link(v, token, &hash))
		return state_page(v, l, status == 200 ? 404 : status, "gone", "address_gone");
	TRY(db_visitor(me, &doc, "api.address_link($1, $2, $3)", ARGS(hash, identity_flow(v), TEXT(l->purpose))));
	if (json_is(doc, "/state", "gone"))
		return state_page(v, l, 410, "gone", "address_gone");
	TRY(visit_form(v));
	json_put_true(doc, "form");
	json_put_true(doc, json_text(doc, "/state"));
	json_put(doc, "action", visit_path(v, l->path));
	json_put(doc, "token", token);
	json_put(doc, "code_error", code_error);
	return page_status(v, status, l->page, doc);
}

static enum err
link_show(struct visit *v, struct db_visitor *me, const struct address_link *l)
{
	const char	*token;

	TRY(visit_shown(v, "t", &token));
	return link_form(v, me, l, v->status, token, NULL);
}

/* e, verdict: of the call that uses the link up. */
static enum err
link_done(struct visit *v, struct db_visitor *me, const struct address_link *l, enum err e, struct json_object *verdict)
{
	const char	*token = form_get(&v->form, "t");

	if (e == ERR_INVALID)
		return state_page(v, l, 422, "taken", "address_taken");
	TRY(e);
	if (json_true(verdict, "/taken"))
		return state_page(v, l, 200, "kept", "address_kept");
	if (json_true(verdict, "/ok"))
		return state_page(v, l, 200, "done", l->done);
	if (json_int(verdict, "/attempts_left", 0) > 0)
		return link_form(v, me, l, 422, token, "code_wrong");
	return state_page(v, l, 410, "gone", "address_gone");
}

static enum err
proof_show(struct visit *v, struct db_visitor *me)
{
	return link_show(v, me, &proof);
}

static enum err
proof_send(struct visit *v, struct db_visitor *me)
{
	struct json_object	*verdict = NULL;
	struct db_arg		hash;
	enum err		e;

	if (visit_fields(v, "t code") != OK || !identity_link(v, form_get(&v->form, "t"), &hash))
		return state_page(v, &proof, 422, "gone", "address_gone");
	e = db_visitor(me, &verdict, "api.take_address($1, $2, $3)",
	    ARGS(hash, TEXT(form_get(&v->form, "code")), identity_flow(v)));
	return link_done(v, me, &proof, e, verdict);
}

static enum err
undo_show(struct visit *v, struct db_visitor *me)
{
	return link_show(v, me, &undo);
}

static enum err
undo_send(struct visit *v, struct db_visitor *me)
{
	struct json_object	*verdict = NULL;
	struct db_arg		hash;
	enum err		e;

	if (visit_fields(v, "t code") != OK || !identity_link(v, form_get(&v->form, "t"), &hash))
		return state_page(v, &undo, 422, "gone", "address_gone");
	e = db_visitor(me, &verdict, "api.undo_address($1, $2)", ARGS(hash, TEXT(form_get(&v->form, "code"))));
	if (e == OK && json_true(verdict, "/ok"))
		log_line(LOG_INFO, "session_ended", LOG_TEXT("session", "all"), LOG_TEXT("reason", "address"));
	return link_done(v, me, &undo, e, verdict);
}

const struct route address_routes[] = {
	FRESH("GET",  "/settings/email", email_show),
	FRESH("POST", "/settings/email", email_send),
	VISITOR("GET",  "/settings/email/link", proof_show),
	VISITOR("POST", "/settings/email/link", proof_send),
	VISITOR("GET",  "/settings/email/undo", undo_show),
	VISITOR("POST", "/settings/email/undo", undo_send),
	{ 0 }
};
