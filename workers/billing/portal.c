/* portal: opens Stripe's customer portal, for a form and as a JSON API. */
#include "answer.h"
#include "billing.h"
#include "json.h"
#include "permit.h"
#include "stripe.h"
#include "tenant.h"

typedef enum err portal_page(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url,
    const char *language, const char **url);

/*
 * Takes nothing from the form but the tenant: the customer is the tenant's in the database, the return URL is ours.
 * ERR_KEY_REFUSED: Stripe refuses the call, as without a default configuration of the portal, and the operator is told.
 */
static enum err
portal_lead(struct visit *v, struct db_user *me, const char *tenant, portal_page *page, const char **url)
{
	struct json_object	*doc;
	struct stripe		*stripe;
	const char		*customer, *back;
	enum err		e;

	TRY(db_user(me, &doc, "api.portal_customer($1::uuid)", ARGS(TEXT(tenant))));
	customer = json_text(doc, "/customer");
	if (customer == NULL)
		return ERR_INTERNAL;
	back = billing_back(v->q->mem, json_text(doc, "/page"), "portal");
	TRY(permit_take(v, &stripe));
	e = page(stripe, v->q->mem, customer, visit_url(v, visit_path(v, back)), v->language, url);
	if (e == ERR_INTERNAL)
		return ERR_KEY_REFUSED;
	return e == OK || e == ERR_KEY_REFUSED ? e : ERR_UPSTREAM;
}

enum err
portal_open(struct visit *v, struct db_user *me, const char *tenant, const char **url)
{
	return portal_lead(v, me, tenant, stripe_portal, url);
}

static enum err
portal_answer(struct visit *v, struct db_user *me, portal_page *page)
{
	const char	*tenant, *url;
	bool		answered;
	enum err	e;

	TRY(tenant_of_form(v, me, "/settings/billing", &tenant, &answered));
	if (answered)
		return OK;
	e = portal_lead(v, me, tenant, page, &url);
	if (e == OK)
		return http_redirect(v->r, url);
	if (e == ERR_BAD_REQUEST)
		return billing_again(v, 400, "fault_no_customer");
	if (e == ERR_LIMIT)
		return billing_again(v, 429, "fault_calls");
	if (e == ERR_KEY_REFUSED)
		return billing_again(v, 503, "fault_portal_told");
	return e == ERR_UPSTREAM || e == ERR_UNAVAILABLE ? billing_again(v, 503, "fault_portal") : e;
}

static enum err
portal(struct visit *v, struct db_user *me)
{
	return portal_answer(v, me, stripe_portal);
}

static enum err
card(struct visit *v, struct db_user *me)
{
	return portal_answer(v, me, stripe_portal_card);
}

/* Of the errors, 400 and 503 have no "code", as 401: callers know these bodies byte for byte. */
static enum err
answer(struct visit *v, int status, const char *name, const char *text)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put(doc, name, text);
	return answer_json(v, status, doc);
}

static enum err
json_open(struct visit *v, struct db_user *me, const char **url, bool *answered)
{
	const char	*tenant;

	TRY(tenant_of_json(v, me, &tenant, answered));
	return *answered ? OK : portal_open(v, me, tenant, url);
}

static enum err
portal_json(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*url;
	bool			answered;
	enum err		e = json_open(v, me, &url, &answered);

	if (e == OK)
		return answered ? OK : answer(v, 200, "redirectUrl", url);
	if (e == ERR_BAD_REQUEST)
		return answer(v, 400, "error", "Billing profile not initialized");
	if (e == ERR_LIMIT) {
		doc = json_new(v->q->mem);
		answer_put_error(doc, err_info(e)->name, err_info(e)->sentence);
		return answer_json(v, 429, doc);
	}
	if (err_info(e)->status < 500)
		return e;
	http_header(v->r, "Retry-After", "5");
	return answer(v, 503, "error", "Billing service unavailable");
}

const struct route portal_routes[] = {
	USER("POST", "/settings/billing", portal),
	USER("POST", "/settings/billing/card", card),
	{ "POST", "/api/billing/session", .kind = &kind_api, .user = portal_json, .bare = true },
	{ 0 }
};
