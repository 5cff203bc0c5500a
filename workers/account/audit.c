/* audit: what was done in a tenant, for its owners, as a page and as a JSON API. */
#include <string.h>

#include "account.h"
#include "answer.h"
#include "json.h"
#include "page.h"
#include "tenant.h"

enum { DIGITS = 18 };

/* The parameter "before", a row's number: ERR_NOT_FOUND when it cannot be one. */
static enum err
entries(struct visit *v, struct db_user *me, struct json_object **doc)
{
	const char	*tenant, *before;

	TRY(visit_tenant(v, &tenant));
	TRY(http_query(v->q, "before", &before));
	if (before != NULL && (*before == '\0' || strspn(before, "0123456789") != strlen(before) ||
	    strlen(before) > DIGITS))
		return ERR_NOT_FOUND;
	return db_user(me, doc, "api.audit_page($1::uuid, $2::bigint)", ARGS(TEXT(tenant), TEXT(before)));
}

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*here = visit_here(v, "/settings/audit");

	TRY(entries(v, me, &doc));
	json_put(doc, "here", visit_path(v, here));
	json_put(doc, "more", strchr(here, '?') != NULL ? "&" : "?");
	return page(v, "audit", doc);
}

static enum err
list(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(entries(v, me, &doc));
	return answer_json(v, 200, doc);
}

const struct route audit_routes[] = {
	USER("GET", "/settings/audit", show),
	API("GET", "/api/audit", list),
	{ 0 }
};
