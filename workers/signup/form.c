/* form: takes an address and a plan, and redirects to Stripe Checkout. */
#include <string.h>

#include "checkout.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "session.h"
#include "signup.h"
#include "text.h"

/* The form, empty or as it was sent; email_error and plan_error name texts of the catalogue, or are NULL. */
static enum err
form_show(struct visit *v, int status, const char *email_error, const char *plan_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email"), *plan = form_get(&v->form, "plan");

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signup"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_object_object_add(doc, "plans", checkout_plans(v, plan));
	json_put(doc, "email_error", email_error);
	json_put(doc, "plan_error", plan_error);
	return page_status(v, status, "signup", doc);
}

static enum err
form_get_page(struct visit *v, struct db_visitor *me)
{
	(void)me;
	if (identity_is_member(v))
		return http_redirect(v->r, "/workspace");
	return form_show(v, v->status, NULL, NULL);
}

/*
 * One draft for each browser, address and plan: a second click, a reload and a retry after a time-out have the same
 * key, so they find the existing draft and its checkout session.
 */
static enum err
draft_open(struct visit *v, struct db_visitor *me, const char *email, const char *plan, const char **key,
    struct json_object **draft)
{
	const char	*what = mem_printf(v->q->mem, "%s %s", text_email_canonical(v->q->mem, email), plan);
	struct db_args	args;

	*key = mem_printf(v->q->mem, "\\x%s", session_key(v->q->mem, &v->flow, "signup", what));
	args = ARGS(TEXT(*key), TEXT(email), TEXT(plan), TEXT(v->language), identity_flow(v), TEXT(v->q->remote_addr));
	for (int attempt = 0; attempt < 2; attempt++) {
		enum err	e = db_visitor(me, draft, "api.open_draft($1::bytea, $2, $3, $4, $5, $6::inet)", args);

		if (e != ERR_UNCERTAIN)
			return e;
	}
	return ERR_UNCERTAIN;
}

static const char *
welcome_path(struct visit *v, const char *session)
{
	return visit_path(v, mem_printf(v->q->mem, "/welcome?session_id=%s", session));
}

/*
 * A checkout session of the draft whose day is over ("/expire") is closed first; when it has been paid, *url is its
 * welcome page. ERR_CONFLICT: this attempt's idempotency key is spent, and the draft's next attempt may be tried.
 */
static enum err
checkout_begin(struct visit *v, struct db_visitor *me, const char *key, struct json_object *draft, const char **url)
{
	const char	*language = json_text(draft, "/language"), *other = json_text(draft, "/expire"), *id;
	int64_t		attempt = checkout_attempt(draft);
	enum err	e = other != NULL ? checkout_close(v, other) : OK;

	if (e == ERR_CONFLICT) {
		*url = welcome_path(v, other);
		return OK;
	}
	TRY(e);
	e = checkout_open(v, draft, mem_printf(v->q->mem, "/%s/welcome?session_id={CHECKOUT_SESSION_ID}", language),
	    mem_printf(v->q->mem, "/%s/signup", language), &id, url);
	if (e == ERR_CONFLICT)
		TRY(db_visitor(me, NULL, "api.checkout_expired($1::bytea, $2::int)", ARGS(TEXT(key), INT(attempt))));
	TRY(e);
	e = db_visitor(me, NULL, "api.checkout_opened($1::bytea, $2::int, $3)", ARGS(TEXT(key), INT(attempt), TEXT(id)));
	if (e != OK)
		return checkout_unrecorded(v, id, e);
	return *url == NULL ? ERR_UNAVAILABLE : OK;
}

static enum err
checkout(struct visit *v, struct db_visitor *me, const char *email, const char *plan)
{
	struct json_object	*draft;
	const char		*key, *url;
	enum err		e = ERR_CONFLICT;

	for (int attempt = 0; attempt < 2 && e == ERR_CONFLICT; attempt++) {
		TRY(draft_open(v, me, email, plan, &key, &draft));
		if (json_is(draft, "/state", "complete"))
			return http_redirect(v->r, welcome_path(v, json_text(draft, "/session")));
		e = checkout_begin(v, me, key, draft, &url);
	}
	TRY(e);
	return http_redirect(v->r, url);
}

/*
 * Shows the form instead of an error page when the same form may be sent again: nothing was charged. That includes a
 * refusal of our key or our request by Stripe.
 */
static enum err
form_again(struct visit *v, enum err e)
{
	if (e != ERR_LIMIT && e != ERR_CONFLICT && err_info(e)->status < 500)
		return e;
	http_header(v->r, "Retry-After", e == ERR_LIMIT ? "600" : "5");
	v->fault = e == ERR_LIMIT ? "fault_limit" : "fault_checkout";
	return form_show(v, e == ERR_LIMIT ? 429 : 503, NULL, NULL);
}

static enum err
form_post(struct visit *v, struct db_visitor *me)
{
	const char	*given = form_get(&v->form, "email"), *plan = form_get(&v->form, "plan"), *email;
	const char	*email_error = NULL, *plan_error = NULL;

	if (visit_fields(v, "email plan") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	if (*email == '\0')
		email_error = "email_missing";
	else if (!text_is_email(email))
		email_error = "email_wrong";
	if (plan == NULL || *plan == '\0')
		plan_error = "plan_missing";
	else if (config_plan(v->app->config, plan) == NULL)
		plan_error = "plan_unknown";
	if (email_error != NULL || plan_error != NULL)
		return form_show(v, 422, email_error, plan_error);
	return form_again(v, checkout(v, me, email, plan));
}

const struct route form_routes[] = {
	VISITOR("GET",  "/signup", form_get_page),
	VISITOR("POST", "/signup", form_post),
	{ 0 }
};
