/* form: takes an address and a plan, and redirects to Stripe Checkout. */
#include <string.h>

#include "identity.h"
#include "json.h"
#include "page.h"
#include "plans.h"
#include "signup.h"
#include "text.h"

/*
 * Back from Checkout: *email is the address that this browser had typed, or stays. The address of the page says which
 * plan alone; the browser's cookie finds the draft.
 */
static enum err
form_left(struct visit *v, struct db_visitor *me, const char *plan, struct json_object *doc, const char **email)
{
	struct json_object	*left = NULL;
	const char		*from;

	TRY(http_query(v->q, "from", &from));
	if (from == NULL || strcmp(from, "checkout") != 0 || plan == NULL || v->fault != NULL || *email != NULL)
		return OK;
	if (db_visitor(me, &left, "api.left_draft($1, $2)", ARGS(identity_flow(v), TEXT(plan))) == OK)
		*email = json_text(left, "/email");
	if (*email != NULL)
		page_news(doc, "news_uncharged");
	return OK;
}

/* While the database is away the form is there, as is what was typed; it has what is configured, without amounts. */
static struct json_object *
offered_find(struct visit *v, struct db_visitor *me)
{
	struct json_object	*offered;

	return db_visitor(me, &offered, "api.offered_plans(null)", NO_ARGS) == OK ? offered : plans_configured(v);
}

/* The form, empty or as it was sent; email_error and plan_error name texts of the catalogue, or are NULL. */
static enum err
form_show(struct visit *v, struct db_visitor *me, int status, const char *email_error, const char *plan_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email"), *plan = form_get(&v->form, "plan");

	if (plan == NULL)
		TRY(http_query(v->q, "plan", &plan));
	TRY(form_left(v, me, plan, doc, &email));
	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signup"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_object_object_add(doc, "plans", plans_offered(v, offered_find(v, me), plan));
	if (v->app->config->checkout.promotion_codes)
		json_put_true(doc, "promotion_codes");
	json_put(doc, "email_error", email_error);
	json_put(doc, "plan_error", plan_error);
	return page_status(v, status, "signup", doc);
}

/* A user without a tenant may buy one: the workspace would lead back here. */
static bool
has_tenant(struct visit *v)
{
	struct json_object	*known = NULL;

	return v->has_session && db_user(identity_user(v), &known, "api.has_tenant()", NO_ARGS) == OK &&
	    json_true(known, "");
}

static enum err
form_get_page(struct visit *v, struct db_visitor *me)
{
	if (has_tenant(v))
		return http_redirect(v->r, visit_path(v, "/workspace"));
	return form_show(v, me, v->status, NULL, NULL);
}

static enum err
form_again(struct visit *v, struct db_visitor *me)
{
	return form_show(v, me, v->status, NULL, NULL);
}

static enum err
form_post(struct visit *v, struct db_visitor *me)
{
	const char	*given = form_get(&v->form, "email"), *plan = form_get(&v->form, "plan"), *email;
	const char	*email_error = NULL, *plan_error = NULL;
	enum err	e;

	if (visit_fields(v, "email plan") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	if (*email == '\0')
		email_error = "email_missing";
	else if (!text_is_email(email))
		email_error = "email_wrong";
	if (plan == NULL || *plan == '\0')
		plan_error = "plan_missing";
	else if (!plans_sell(v->app->config, plan))
		plan_error = "plan_unknown";
	if (email_error != NULL || plan_error != NULL)
		return form_show(v, me, 422, email_error, plan_error);
	e = draft_begin(v, me, &(struct wish){ .email = email, .plan = plan });
	if (e == ERR_BAD_REQUEST)
		return form_show(v, me, 422, "email_refused", NULL);
	return draft_again(v, me, e, form_again);
}

const struct route form_routes[] = {
	VISITOR("GET",  "/signup", form_get_page),
	VISITOR("POST", "/signup", form_post),
	{ 0 }
};
