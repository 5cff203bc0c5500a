/* billing: what a customer sees of the subscription, the way into Stripe's portal, and back to a plan. */
#include <string.h>

#include "checkout.h"
#include "dispatch.h"
#include "json.h"
#include "session.h"
#include "worker.h"

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.billing_page()", NO_ARGS));
	json_object_object_add(doc, "plans", checkout_plans(v, form_get(&v->form, "plan")));
	return page(v, "billing", doc);
}

/* The page as it is, with the reason why what was asked could not be done. */
static enum err
show_fault(struct visit *v, struct db_user *me, int status, const char *fault)
{
	v->status = status;
	v->fault = fault;
	v->route = route_find(v->routes, "/settings/billing", "GET");
	if (status >= 500)
		http_header(v->r, "Retry-After", "5");
	return show(v, me);
}

/* The customer comes from the session's tenant, the return address from our configuration: nothing from the form. */
static enum err
portal_open(struct visit *v, struct db_user *me, const char **url)
{
	struct json_object	*doc;
	const char		*customer;

	TRY(db_user(me, &doc, "api.portal_customer()", NO_ARGS));
	customer = json_text(doc, "/customer");
	if (customer == NULL)
		return ERR_INTERNAL;
	return stripe_portal(v->app->stripe, v->q->mem, customer, visit_url(v, "/settings/billing"), v->language, url) == OK ?
	    OK : ERR_UPSTREAM;
}

static enum err
portal(struct visit *v, struct db_user *me)
{
	const char	*url;
	enum err	e = portal_open(v, me, &url);

	if (e == OK)
		return http_redirect(v->r, url);
	if (e == ERR_BAD_REQUEST)
		return show_fault(v, me, 400, "fault_no_customer");
	return e == ERR_UPSTREAM ? show_fault(v, me, 503, "fault_portal") : e;
}

static enum err
answer(struct visit *v, int status, const char *name, const char *text)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put(doc, name, text);
	return page_json(v, status, doc);
}

static enum err
portal_json(struct visit *v, struct db_user *me)
{
	const char	*url;
	enum err	e = portal_open(v, me, &url);

	if (e == OK)
		return answer(v, 200, "redirectUrl", url);
	if (e == ERR_BAD_REQUEST)
		return answer(v, 400, "error", "Billing profile not initialized");
	if (err_info(e)->status < 500)
		return e;
	http_header(v->r, "Retry-After", "5");
	return answer(v, 503, "error", "Billing service unavailable");
}

/* ERR_CONFLICT: Stripe keeps a failure under this key. The next one has another. */
static enum err
customer_make(struct visit *v, struct db_user *me, const char *key, struct json_object *draft, struct json_object **customer)
{
	const char		*own = json_text(draft, "/customer_key");
	struct buf		form = { .ctx = v->q->mem };
	struct json_object	*nothing;
	enum err		e;

	form_put(&form, "email", json_text(draft, "/email"));
	form_put(&form, "metadata[tenant_id]", json_text(draft, "/tenant"));
	e = stripe_call(v->app->stripe, v->q->mem, "POST", "/v1/customers", form.data, own, customer);
	if (e == ERR_CONFLICT)
		TRY(db_user(me, &nothing, "api.customer_spent($1::bytea, $2)", ARGS(TEXT(key), TEXT(own))));
	TRY(e);
	return json_text(*customer, "/id") != NULL ? OK : ERR_UPSTREAM;
}

/* A tenant has one customer: made before the first session that needs it, keyed by the checkout, first recorded wins. */
static enum err
customer_ensure(struct visit *v, struct db_user *me, const char *key, struct json_object *draft)
{
	struct json_object	*customer, *bound;

	if (json_text(draft, "/customer") != NULL)
		return OK;
	TRY(customer_make(v, me, key, draft, &customer));
	TRY(db_user(me, &bound, "api.checkout_customer($1::bytea, $2)", ARGS(TEXT(key), TEXT(json_text(customer, "/id")))));
	json_put(draft, "customer", json_text(bound, "/customer"));
	return json_text(draft, "/customer") != NULL ? OK : ERR_CONFLICT;
}

/*
 * A session for another plan may still be open: it is closed first, so that a tenant never has two to pay. *url stays NULL
 * when there is nothing to pay just now: what was paid is being written down. ERR_CONFLICT: begin again.
 */
static enum err
session_open(struct visit *v, struct db_user *me, struct json_object *draft, const char **url)
{
	const char		*key = mem_printf(v->q->mem, "\\x%s", json_text(draft, "/key")), *id;
	const char		*attempt = checkout_attempt(v, draft), *other = json_text(draft, "/expire");
	struct json_object	*nothing;
	enum err		e;

	TRY(customer_ensure(v, me, key, draft));
	e = other != NULL ? checkout_close(v, other) : OK;
	if (e == ERR_CONFLICT)
		return OK;
	TRY(e);
	e = checkout_open(v, draft, "/settings/billing", "/settings/billing", &id, url);
	if (e == ERR_CONFLICT)
		TRY(db_user(me, &nothing, "api.checkout_expired($1::bytea, $2::int)", ARGS(TEXT(key), TEXT(attempt))));
	if (e == ERR_NOT_FOUND) {
		TRY(db_user(me, &nothing, "api.customer_gone($1::bytea, $2)", ARGS(TEXT(key), TEXT(json_text(draft, "/customer")))));
		return ERR_CONFLICT;
	}
	TRY(e);
	return db_user(me, &nothing, "api.checkout_opened($1::bytea, $2::int, $3)", ARGS(TEXT(key), TEXT(attempt), TEXT(id)));
}

static enum err
subscribe(struct visit *v, struct db_user *me, const char *plan, const char **url)
{
	const char		*key = mem_printf(v->q->mem, "\\x%s", session_key(v->q->mem, &v->session, "subscribe", plan));
	struct json_object	*draft;
	enum err		e = ERR_CONFLICT;

	*url = NULL;
	for (int attempt = 0; attempt < 2 && e == ERR_CONFLICT; attempt++) {
		TRY(db_user(me, &draft, "api.open_checkout($1::bytea, $2, $3)", ARGS(TEXT(key), TEXT(plan), TEXT(v->language))));
		if (json_is(draft, "/state", "portal"))
			return portal_open(v, me, url);
		if (!json_is(draft, "/state", "open"))
			return OK;
		e = session_open(v, me, draft, url);
	}
	return e;
}

static enum err
checkout(struct visit *v, struct db_user *me)
{
	const char	*plan = form_get(&v->form, "plan"), *url;
	enum err	e;

	if (visit_fields(v, "plan") != OK)
		return show_fault(v, me, 422, "fault_unknown_field");
	if (plan == NULL || config_plan(v->app->config, plan) == NULL)
		return show_fault(v, me, 422, plan == NULL || *plan == '\0' ? "plan_missing" : "plan_unknown");
	e = subscribe(v, me, plan, &url);
	if (e == OK)
		return http_redirect(v->r, url != NULL ? url : "/settings/billing");
	return e == ERR_CONFLICT || err_info(e)->status >= 500 ? show_fault(v, me, 503, "fault_checkout") : e;
}

/* "I have seen this": the notice leaves the page. */
static enum err
notice(struct visit *v, struct db_user *me)
{
	const char		*id = form_get(&v->form, "id");
	struct json_object	*nothing;

	if (visit_fields(v, "id") != OK || id == NULL || strspn(id, "0123456789") != strlen(id) || strlen(id) - 1 > 17)
		return ERR_INVALID;
	TRY(db_user(me, &nothing, "api.see_notice($1::bigint)", ARGS(TEXT(id))));
	return http_redirect(v->r, "/settings/billing");
}

static const struct route routes[] = {
	USER("GET",  "/settings/billing", show),
	USER("POST", "/settings/billing", portal),
	USER("POST", "/settings/billing/checkout", checkout),
	USER("POST", "/settings/billing/notice", notice),
	USER_JSON("POST", "/api/billing/session", portal_json),
	{ 0 }
};

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		"billing", "The billing page, Stripe's portal, and a plan for who has none.", NEED_STRIPE | NEED_PLANS,
		.routes = routes,
	}, argc, argv);
}
