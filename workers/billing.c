/* billing: what a customer sees of the subscription, and the way into Stripe's portal. */
#include "json.h"
#include "worker.h"

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.billing_page()", NO_ARGS));
	return page(v, "billing", doc);
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
	if (e != ERR_BAD_REQUEST && e != ERR_UPSTREAM)
		return e;
	v->status = e == ERR_UPSTREAM ? 503 : 400;
	v->fault = e == ERR_UPSTREAM ? "fault_portal" : "fault_no_customer";
	if (e == ERR_UPSTREAM)
		http_header(v->r, "Retry-After", "5");
	return show(v, me);
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

static const struct route routes[] = {
	USER("GET",  "/settings/billing", show),
	USER("POST", "/settings/billing", portal),
	USER_JSON("POST", "/api/billing/session", portal_json),
	{ 0 }
};

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		"billing", "The billing page and Stripe's portal.", NEED_STRIPE, routes,
	}, argc, argv);
}
