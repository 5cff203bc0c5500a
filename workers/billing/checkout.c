/* checkout: opens Stripe Checkout for a signed-in tenant without a live subscription. */
#include <string.h>

#include "billing.h"
#include "checkout.h"
#include "json.h"
#include "permit.h"
#include "plans.h"
#include "session.h"
#include "stripe.h"
#include "tenant.h"

enum { CLICKS = 4 };	/* how often one click begins again, while others replace its checkout */

/* ERR_CONFLICT: the key is spent, because Stripe stored a failure under it. The next attempt has another key. */
static enum err
customer_make(struct visit *v, struct db_user *me, const char *key, struct json_object *draft,
    struct json_object **customer)
{
	const char		*own = json_text(draft, "/customer_key");
	struct buf		form = { .ctx = v->q->mem };
	struct stripe		*stripe;
	enum err		e;

	form_put(&form, "email", json_text(draft, "/email"));
	form_put(&form, "metadata[tenant_id]", json_text(draft, "/tenant"));
	TRY(permit_take(v, &stripe));
	e = stripe_call(stripe, v->q->mem, "POST", "/v1/customers", form.data, own, customer);
	if (e == ERR_CONFLICT)
		TRY(db_user(me, NULL, "api.customer_spent($1::bytea, $2)", ARGS(TEXT(key), TEXT(own))));
	if (stripe_refuses_email(*customer))
		return ERR_BAD_REQUEST;
	TRY(e);
	return json_text(*customer, "/id") != NULL ? OK : ERR_UPSTREAM;
}

/*
 * A tenant has one customer. It is made before the first checkout session, with a key of the checkout; if two are made,
 * the first recorded is used.
 */
static enum err
customer_ensure(struct visit *v, struct db_user *me, const char *key, struct json_object *draft)
{
	struct json_object	*customer, *bound;

	if (json_text(draft, "/customer") != NULL)
		return OK;
	TRY(customer_make(v, me, key, draft, &customer));
	TRY(db_user(me, &bound, "api.checkout_customer($1::bytea, $2)",
	    ARGS(TEXT(key), TEXT(json_text(customer, "/id")))));
	json_put(draft, "customer", json_text(bound, "/customer"));
	return json_text(draft, "/customer") != NULL ? OK : ERR_CONFLICT;
}

/*
 * The page of a checkout session that is open ("/url") is given again, without a call to Stripe. An earlier session of
 * this checkout ("/expire") is closed first, so that a tenant never has two to pay. *url stays NULL when the earlier
 * one has been paid: jobs stores it. ERR_CONFLICT: read the draft again and repeat.
 */
static enum err
checkout_begin(struct visit *v, struct db_user *me, struct json_object *draft, const char **url)
{
	const char	*key = mem_printf(v->q->mem, "\\x%s", json_text(draft, "/key")), *id;
	const char	*other = json_text(draft, "/expire"), *page = json_text(draft, "/page"), *left;
	int64_t		attempt = checkout_attempt(draft);
	enum err	e;

	if (json_text(draft, "/url") != NULL) {
		*url = json_text(draft, "/url");
		return OK;
	}
	TRY(customer_ensure(v, me, key, draft));
	e = other != NULL ? checkout_close(v, other) : OK;
	if (e == ERR_CONFLICT)
		return OK;
	TRY(e);
	/* The draft's language, not the visit's: a call that is repeated with its key must be the same. */
	page = mem_printf(v->q->mem, "/%s%s", json_text(draft, "/language"), page != NULL ? page : "/settings/billing");
	left = billing_back(v->q->mem, page, mem_printf(v->q->mem, "checkout&plan=%s", json_text(draft, "/plan")));
	e = checkout_open(v, draft, page, left, &id, url);
	if (e == ERR_CONFLICT)
		TRY(db_user(me, NULL, "api.checkout_expired($1::bytea, $2::int)", ARGS(TEXT(key), INT(attempt))));
	if (e == ERR_NOT_FOUND) {
		TRY(db_user(me, NULL, "api.customer_gone($1::bytea, $2)",
		    ARGS(TEXT(key), TEXT(json_text(draft, "/customer")))));
		return ERR_CONFLICT;
	}
	TRY(e);
	e = db_user(me, NULL, "api.checkout_opened($1::bytea, $2::int, $3, $4, $5::boolean)",
	    ARGS(TEXT(key), INT(attempt), TEXT(id), TEXT(*url), BOOL(checkout_trial(v, draft) > 0)));
	return e == OK ? OK : checkout_unrecorded(v, id, e);
}

/* *url stays NULL when there is nothing to pay: an earlier payment is not stored yet. */
static enum err
subscribe(struct visit *v, struct db_user *me, const char *tenant, const char *plan, const char **url)
{
	const char		*key = mem_printf(v->q->mem, "\\x%s",
	    session_key(v->q->mem, &v->session.stable, "subscribe", plan));
	struct json_object	*draft;
	enum err		e = ERR_CONFLICT;

	*url = NULL;
	for (int attempt = 0; attempt < CLICKS && e == ERR_CONFLICT; attempt++) {
		TRY(db_user(me, &draft, "api.open_checkout($1::bytea, $2, $3, $4::uuid)",
		    ARGS(TEXT(key), TEXT(plan), TEXT(v->language), TEXT(tenant))));
		if (json_is(draft, "/state", "portal"))
			return portal_open(v, me, tenant, url);
		if (!json_is(draft, "/state", "open"))
			return OK;
		e = checkout_begin(v, me, draft, url);
	}
	return e;
}

/* *untold: the user pays for another tenant, and the page that the form came from did not say so yet. */
static enum err
elsewhere_untold(struct visit *v, struct db_user *me, const char *tenant, bool *untold)
{
	struct json_object	*elsewhere;

	*untold = false;
	if (tenant == NULL || form_get(&v->form, "another") != NULL)
		return OK;
	TRY(db_user(me, &elsewhere, "api.pays_elsewhere($1::uuid)", ARGS(TEXT(tenant))));
	*untold = json_object_get_boolean(elsewhere);
	return OK;
}

static enum err
checkout(struct visit *v, struct db_user *me)
{
	const char	*plan = form_get(&v->form, "plan"), *tenant, *url;
	bool		answered, untold;
	enum err	e;

	if (visit_fields(v, "plan tenant another") != OK)
		return billing_again(v, 422, "fault_unknown_field");
	TRY(tenant_of_form(v, me, "/settings/billing", &tenant, &answered));
	if (answered)
		return OK;
	if (!plans_sell(v->app->config, plan))
		return billing_again(v, 422, plan == NULL || *plan == '\0' ? "plan_missing" : "plan_unknown");
	TRY(elsewhere_untold(v, me, tenant, &untold));
	if (untold)
		return billing_again(v, 422, "fault_another");
	e = subscribe(v, me, tenant, plan, &url);
	if (e == OK)
		return http_redirect(v->r, url != NULL ? url : visit_path(v, visit_here(v, "/settings/billing")));
	if (e == ERR_LIMIT)
		return billing_again(v, 429, "fault_calls");
	if (e == ERR_BAD_REQUEST)
		return billing_again(v, 422, checkout_fault(e));
	return e == ERR_CONFLICT || err_info(e)->status >= 500 ? billing_again(v, 503, checkout_fault(e)) : e;
}

const struct route checkout_routes[] = {
	USER("POST", "/settings/billing/checkout", checkout),
	{ 0 }
};
