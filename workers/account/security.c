/* security: what a tenant demands of its members, and the way to the user's own second factor. */
#include <string.h>

#include "account.h"
#include "db.h"
#include "json.h"
#include "page.h"
#include "text.h"

static enum err
security(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*tenant;

	TRY(visit_tenant(v, &tenant));
	TRY(db_user(me, &doc, "api.security_page($1::uuid)", ARGS(TEXT(tenant))));
	json_put(doc, "action", visit_path(v, visit_here(v, "/settings/security")));
	return page(v, "security", doc);
}

/* Who demands it of others must have one: else the page is out of date, and adding one comes first. */
static enum err
demand(struct visit *v, struct db_user *me)
{
	const char	*tenant = form_get(&v->form, "tenant");
	bool		on;
	enum err	e;

	TRY(visit_fields(v, "tenant on"));
	TRY(visit_switch(v, "on", &on));
	if (tenant == NULL || !text_is_uuid(tenant, strlen(tenant)))
		return ERR_INVALID;
	e = db_user(me, NULL, "api.demand_factor($1::uuid, $2)", ARGS(TEXT(tenant), BOOL(on)));
	if (e == ERR_CONFLICT)
		return http_redirect(v->r, visit_path(v, "/settings/two-factor"));
	TRY(e);
	return http_redirect(v->r, visit_path(v, visit_here(v, "/settings/security")));
}

const struct route security_routes[] = {
	USER("GET",  "/settings/security", security),
	USER("POST", "/settings/security", demand),
	{ 0 }
};
