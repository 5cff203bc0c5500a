/* overview: the billing page. */
#include <string.h>

#include "billing.h"
#include "json.h"
#include "meters.h"
#include "page.h"
#include "plans.h"
#include "tenant.h"

char *
billing_back(mem_ctx *mem, const char *page, const char *from)
{
	const char	*path = page != NULL ? page : "/settings/billing";

	return mem_printf(mem, "%s%cfrom=%s", path, strchr(path, '?') != NULL ? '&' : '?', from);
}

/* Back from Stripe's page: what came of it. The address only asks for it; what is said is the database's. */
static enum err
news_put(struct visit *v, struct db_user *me, struct json_object *doc, const char *plan)
{
	struct db_arg		tenant = TEXT(json_text(doc, "/tenant"));
	struct json_object	*news = NULL;
	const char		*from;

	TRY(http_query(v->q, "from", &from));
	if (from == NULL || v->fault != NULL)
		return OK;
	if (strcmp(from, "portal") == 0)
		TRY(db_user(me, &news, "api.portal_news($1::uuid)", ARGS(tenant)));
	else if (strcmp(from, "checkout") == 0)
		TRY(db_user(me, &news, "api.checkout_news($1::uuid, $2)", ARGS(tenant, TEXT(plan))));
	json_object_object_add(doc, "news", json_object_get(news));
	return OK;
}

static void
usage_show(struct visit *v, struct json_object *usage)
{
	if (usage == NULL)
		return;
	meters_show(v, json_at(usage, "/meters"));
	meters_figures(v, usage);
}

/* Without a tenant there is no list. */
static void
invoices_show(struct visit *v, struct json_object *invoices)
{
	for (size_t i = 0; invoices != NULL && i < json_object_array_length(invoices); i++)
		meters_call(v, json_at(json_object_array_get_idx(invoices, i), "/metered"));
}

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc, *offered;
	const char		*tenant, *plan;

	TRY(visit_tenant(v, &tenant));
	TRY(visit_shown(v, "plan", &plan));
	if (v->status == 409)
		tenant = NULL;	/* the user does not belong to it any more */
	TRY(db_user(me, &doc, "api.billing_page($1::uuid)", ARGS(TEXT(tenant))));
	if (json_true(doc, "/closed"))
		return http_redirect(v->r, visit_path(v, "/workspace"));	/* which says what the tenant demands */
	json_put(doc, "at", tenant == NULL ? "" : visit_here(v, ""));
	json_put(doc, "here", visit_path(v, visit_here(v, "/settings/billing")));	/* not a button's own address */
	json_put(doc, "switched", "/settings/billing");
	TRY(news_put(v, me, doc, plan));
	invoices_show(v, json_at(doc, "/invoices"));
	usage_show(v, json_at(doc, "/usage_card"));
	if (json_true(doc, "/account/can_subscribe")) {
		TRY(db_user(me, &offered, "api.offered_plans($1::uuid)", ARGS(TEXT(json_text(doc, "/tenant")))));
		if (v->app->config->checkout.promotion_codes)
			json_put_true(doc, "promotion_codes");
		json_object_object_add(doc, "plans", plans_offered(v, offered, plan));
	}
	return page(v, "billing", doc);
}

enum err
billing_again(struct visit *v, int status, const char *fault)
{
	TRY(visit_again(v, "/settings/billing", status, fault));
	if (status >= 500)
		http_header(v->r, "Retry-After", "5");
	return OK;
}

/* Marks a notice as seen, which removes it from the page. */
static enum err
notice(struct visit *v, struct db_user *me)
{
	const char		*id = form_get(&v->form, "id"), *tenant;
	bool			answered;

	if (visit_fields(v, "id tenant") != OK || id == NULL || strspn(id, "0123456789") != strlen(id) ||
	    strlen(id) - 1 > 17)
		return ERR_INVALID;
	TRY(tenant_of_form(v, me, "/settings/billing", &tenant, &answered));
	if (answered)
		return OK;
	TRY(db_user(me, NULL, "api.see_notice($1::bigint, $2::uuid)", ARGS(TEXT(id), TEXT(tenant))));
	return http_redirect(v->r, visit_path(v, visit_here(v, "/settings/billing")));
}

const struct route overview_routes[] = {
	USER("GET",  "/settings/billing", show),
	USER("POST", "/settings/billing/notice", notice),
	{ 0 }
};
