/* tenant: which of the user's tenants the pages show. */
#include <string.h>

#include "account.h"
#include "db.h"
#include "log.h"
#include "text.h"
#include "visit.h"

/* The page that the switch is on, which it leads back to. */
static const char *
page_of(const char *next)
{
	static const char *const	pages[] = {
		"/settings/billing", "/settings/team", "/settings/audit", "/settings/usage"
	};

	for (size_t i = 0; next != NULL && i < sizeof(pages) / sizeof(*pages); i++)
		if (strcmp(next, pages[i]) == 0)
			return pages[i];
	return "/workspace";
}

static enum err
choose(struct visit *v, struct db_user *me)
{
	const char	*tenant = form_get(&v->form, "tenant"), *next = form_get(&v->form, "next");

	if (visit_fields(v, "tenant next") != OK || tenant == NULL || !text_is_uuid(tenant, strlen(tenant)))
		return ERR_INVALID;
	TRY(db_user(me, NULL, "api.choose_tenant($1::uuid)", ARGS(TEXT(tenant))));
	log_line(LOG_INFO, "tenant_chosen", LOG_TEXT("tenant", tenant));
	return http_redirect(v->r, visit_path(v, page_of(next)));
}

const struct route tenant_routes[] = {
	USER("POST", "/tenant", choose),
	{ 0 }
};
