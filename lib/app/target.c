#include "target.h"

#include <string.h>

#include "text.h"

/* The pages that a sign-in may redirect to, for a tenant or not; any other path is replaced by the first. */
static const char *const targets[] = {
	"/workspace", "/settings/billing", "/settings/sessions", "/settings/password", "/settings/two-factor",
	"/settings/profile", "/settings/team", "/settings/audit", "/settings/email", "/settings/security",
	"/settings/account", "/settings/account/export", "/settings/connections", "/settings/keys", "/settings/usage",
	"/settings/passkeys", "/chat", "/admin", "/admin/tenants", "/admin/alerts", NULL
};

/* The pages of one thing, whose id follows. */
static const char *const things[] = { "/admin/users/", "/admin/tenants/", NULL };

static const char tenant[] = "?tenant=";

static bool
names_tenant(const char *query)
{
	size_t	n = strlen(tenant);

	return strncmp(query, tenant, n) == 0 && text_is_uuid(query + n, strlen(query + n));
}

static bool
names_thing(const char *path)
{
	size_t	i = 0, n = 0;

	while (things[i] != NULL && strncmp(path, things[i], n = strlen(things[i])) != 0)
		i++;
	return things[i] != NULL && text_is_uuid(path + n, strlen(path + n));
}

const char *
target_allowed(const char *path)
{
	if (path != NULL && names_thing(path))
		return path;
	for (size_t i = 0; targets[i] != NULL; i++) {
		size_t	n = strlen(targets[i]);

		if (path != NULL && strncmp(path, targets[i], n) == 0 && (path[n] == '\0' || names_tenant(path + n)))
			return path;
	}
	return targets[0];
}
