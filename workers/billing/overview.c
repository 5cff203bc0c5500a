/* overview: the billing page. */
#include <string.h>

#include "billing.h"
#include "checkout.h"
#include "json.h"
#include "page.h"

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.billing_page()", NO_ARGS));
	json_object_object_add(doc, "plans", checkout_plans(v, form_get(&v->form, "plan")));
	return page(v, "billing", doc);
}

enum err
billing_again(struct visit *v, int status, const char *fault)
{
	if (status >= 500)
		http_header(v->r, "Retry-After", "5");
	return visit_again(v, "/settings/billing", status, fault);
}

/* Marks a notice as seen, which removes it from the page. */
static enum err
notice(struct visit *v, struct db_user *me)
{
	const char		*id = form_get(&v->form, "id");

	if (visit_fields(v, "id") != OK || id == NULL || strspn(id, "0123456789") != strlen(id) || strlen(id) - 1 > 17)
		return ERR_INVALID;
	TRY(db_user(me, NULL, "api.see_notice($1::bigint)", ARGS(TEXT(id))));
	return http_redirect(v->r, "/settings/billing");
}

const struct route overview_routes[] = {
	USER("GET",  "/settings/billing", show),
	USER("POST", "/settings/billing/notice", notice),
	{ 0 }
};
