/* register: an account on the free plan, by an address and a password. Who pays signs up instead. */
#include "chosen.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "proof.h"
#include "providers.h"
#include "signin.h"
#include "text.h"
#include "throttle.h"

static enum err
register_form(struct visit *v, int status, const char *email_error, const char *password_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email");

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/register"));
	json_put(doc, "signin", visit_path(v, "/signin"));
	json_put(doc, "signup", visit_path(v, "/signup"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_put(doc, "email_error", email_error);
	json_put(doc, "password_error", password_error);
	providers_put(v, doc);
	return page_status(v, status, "register", doc);
}

static enum err
register_show(struct visit *v, struct db_visitor *me)
{
	(void)me;
	if (identity_is_member(v))
		return http_redirect(v->r, visit_path(v, target_allowed(NULL)));
	return register_form(v, v->status, NULL, NULL);
}

static enum err
registration_ask(struct visit *v, struct db_visitor *me, const char *email, const struct chosen *c)
{
	enum err	e = db_visitor(me, NULL, "api.request_registration($1, $2, $3, $4::inet, $5, $6, $7::int[], $8)",
	    ARGS(TEXT(email), identity_flow(v), TEXT(v->language), TEXT(v->q->remote_addr), device_digest(v), CHOSEN(c)));

	if (throttle_note(v, "link", e) == ERR_LIMIT) {
		v->fault = "fault_links";
		return register_form(v, 429, NULL, NULL);
	}
	TRY(e);
	return http_redirect(v->r, visit_path(v, "/register/link"));
}

/* True when the network may not register any more, which is answered. It is asked before a password costs anything. */
static bool
registration_refused(struct visit *v, enum err *e)
{
	if (throttle_note(v, "password", *e) != ERR_LIMIT)
		return false;
	v->fault = "fault_passwords";
	*e = register_form(v, 429, NULL, NULL);
	return true;
}

/* The answer and the work are the same whether or not the address is a user's: the mail tells. */
static enum err
register_send(struct visit *v, struct db_visitor *me)
{
	const char	*given = form_get(&v->form, "email"), *email, *why;
	struct chosen	c;
	enum err	e;

	if (visit_fields(v, "email password") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	TRY(chosen_judge(v, email, &c, &why));
	if (!text_is_email(email))
		return register_form(v, 422, *email == '\0' ? "email_missing" : "email_wrong", why);
	if (why != NULL)
		return register_form(v, 422, NULL, why);
	e = db_visitor(me, NULL, "api.begin_registration($1::inet)", ARGS(TEXT(v->q->remote_addr)));
	if (registration_refused(v, &e))
		return e;
	TRY(e);
	TRY(chosen_stretch(v, &c));
	return registration_ask(v, me, email, &c);
}

static enum err
link_show(struct visit *v, struct db_visitor *me)
{
	return proof_show(v, me, "register");
}

/* The token is made here, so a call whose reply was lost may be repeated. */
static enum err
account_make(struct visit *v, struct db_visitor *me, const struct proof *p, const struct chosen *c)
{
	struct json_object	*verdict;
	struct entrance		entry;

	TRY(entrance_new(v, &entry));
	TRY(db_visitor_repeat(me, &verdict, "api.register($1, $2, $3, $4, $5::inet, $6, $7, $8, $9::int[], $10, $11)",
	    ARGS(p->link, TEXT(p->code), identity_flow(v), BYTES(entry.stored.bytes, SECRET_SIZE),
	    TEXT(v->q->remote_addr), TEXT(visit_agent(v)), identity_digest(v, &entry.device),
	    p->own ? SQL_NULL : BYTES(c->salt.bytes, SECRET_SIZE), TEXT(p->own ? NULL : c->cost),
	    p->own ? SQL_NULL : BYTES(c->key.bytes, SECRET_SIZE), BOOL(entry.remember))));
	return json_true(verdict, "/ok") ? entrance_grant(v, &entry, NULL) : proof_over(v, p->purpose);
}

/* In the browser that asked, the password that it sent is taken; in another one it is dropped, and typed here. */
static enum err
link_send(struct visit *v, struct db_visitor *me)
{
	struct proof	p;
	struct chosen	c = { NULL };
	const char	*why;
	bool		proven;

	TRY(proof_check(v, me, "register", &p, &proven));
	if (!proven)
		return OK;
	if (!p.own) {
		TRY(chosen_judge(v, p.email, &c, &why));
		if (why != NULL)
			return proof_again(v, &p, why);
		TRY(chosen_stretch(v, &c));
	}
	return account_make(v, me, &p, &c);
}

const struct route register_routes[] = {
	VISITOR("GET",  "/register", register_show),
	VISITOR("POST", "/register", register_send),
	VISITOR("GET",  "/register/link", link_show),
	VISITOR("POST", "/register/link", link_send),
	{ 0 }
};
