/* reset: a new password for who reads the mailbox. It ends every session and begins none. */
#include "chosen.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "proof.h"
#include "signin.h"
#include "text.h"
#include "throttle.h"

static enum err
reset_form(struct visit *v, int status, const char *email_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email");

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/reset"));
	json_put(doc, "signin", visit_path(v, "/signin"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_put(doc, "email_error", email_error);
	return page_status(v, status, "reset", doc);
}

static enum err
reset_show(struct visit *v, struct db_visitor *me)
{
	(void)me;
	return reset_form(v, v->status, NULL);
}

/* The answer and the work are the same whether or not the address is a user's. */
static enum err
reset_send(struct visit *v, struct db_visitor *me)
{
	const char	*given = form_get(&v->form, "email"), *email;
	enum err	e;

	if (visit_fields(v, "email") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	if (!text_is_email(email))
		return reset_form(v, 422, *email == '\0' ? "email_missing" : "email_wrong");
	e = db_visitor(me, NULL, "api.request_reset($1, $2, $3, $4::inet, $5)", ARGS(TEXT(email), identity_flow(v),
	    TEXT(v->language), TEXT(v->q->remote_addr), device_digest(v)));
	if (throttle_note(v, "link", e) == ERR_LIMIT) {
		v->fault = "fault_links";
		return reset_form(v, 429, NULL);
	}
	TRY(e);
	return http_redirect(v->r, visit_path(v, "/reset/link"));
}

static enum err
link_show(struct visit *v, struct db_visitor *me)
{
	return proof_show(v, me, "reset");
}

static enum err
password_put(struct visit *v, struct db_visitor *me, const struct proof *p, const struct chosen *c, bool *done)
{
	struct json_object	*verdict;

	TRY(db_visitor_repeat(me, &verdict, "api.reset_password($1, $2, $3, $4, $5::int[], $6)",
	    ARGS(p->link, TEXT(p->code), identity_flow(v), CHOSEN(c))));
	*done = json_true(verdict, "/ok");
	if (*done)
		log_line(LOG_INFO, "session_ended", LOG_TEXT("session", "all"), LOG_TEXT("reason", "password"));
	return OK;
}

static enum err
link_send(struct visit *v, struct db_visitor *me)
{
	struct proof	p;
	struct chosen	c;
	const char	*why;
	bool		done;

	TRY(proof_check(v, me, "reset", &p, &done));
	if (!done)
		return OK;
	TRY(chosen_judge(v, p.email, &c, &why));
	if (why != NULL)
		return proof_again(v, &p, why);
	TRY(chosen_stretch(v, &c));
	TRY(password_put(v, me, &p, &c, &done));
	return done ? http_redirect(v->r, visit_path(v, "/signin?reset=yes")) : proof_over(v, p.purpose);
}

const struct route reset_routes[] = {
	VISITOR("GET",  "/reset", reset_show),
	VISITOR("POST", "/reset", reset_send),
	VISITOR("GET",  "/reset/link", link_show),
	VISITOR("POST", "/reset/link", link_send),
	{ 0 }
};
