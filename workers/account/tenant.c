/* tenant: which of the user's tenants the pages show. */
#include <string.h>

#include "account.h"
#include "db.h"
#include "text.h"
#include "visit.h"

static enum err
choose(struct visit *v, struct db_user *me)
{
	const char	*tenant = form_get(&v->form, "tenant"), *next = form_get(&v->form, "next");
	bool		billing = next != NULL && strcmp(next, "/settings/billing") == 0;

	if (visit_fields(v, "tenant next") != OK || tenant == NULL || !text_is_uuid(tenant, strlen(tenant)))
		return ERR_INVALID;
	TRY(db_user(me, NULL, "api.choose_tenant($1::uuid)", ARGS(TEXT(tenant))));
	return http_redirect(v->r, visit_path(v, billing ? "/settings/billing" : "/workspace"));
}

const struct route tenant_routes[] = {
	USER("POST", "/tenant", choose),
	{ 0 }
};
