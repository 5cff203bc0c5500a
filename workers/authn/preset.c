#include "preset.h"

#include <string.h>
#include <strings.h>

#include "json.h"

/* Some say true as a text, or as 1. */
static bool
is_so(struct json_object *claims, const char *pointer)
{
	return json_true(claims, pointer) || json_is(claims, pointer, "true") || json_is(claims, pointer, "1") ||
	    json_int(claims, pointer, 0) == 1;
}

static bool
verified_plainly(struct json_object *claims, const char *email)
{
	(void)email;
	return json_true(claims, "/email_verified");
}

/* Google knows who has an address of its own, and a Workspace those of its domain; others may have had other owners. */
static bool
verified_by_google(struct json_object *claims, const char *email)
{
	const char	*at = strrchr(email, '@');

	return json_true(claims, "/email_verified") &&
	    (json_text(claims, "/hd") != NULL || (at != NULL && strcasecmp(at, "@gmail.com") == 0));
}

/* Whoever administers a tenant writes any address into it, but for those whose domain was proven (nOAuth). */
static bool
verified_by_microsoft(struct json_object *claims, const char *email)
{
	(void)email;
	return is_so(claims, "/xms_edov");
}

static bool
verified_by_apple(struct json_object *claims, const char *email)
{
	(void)email;
	return is_so(claims, "/email_verified");
}

static const char	profile[] = "openid email profile";

static const struct preset presets[] = {
	{ .provider = "google", .scope = profile, .also = "accounts.google.com", .verified = verified_by_google,
	    .person = person_by_token },
	{ .provider = "github", .scope = "read:user user:email", .base = "/login/oauth", .person = person_by_github },
	{ .provider = "microsoft", .scope = profile, .verified = verified_by_microsoft, .person = person_by_token },
	{ .provider = "apple", .scope = "openid email name", .mode = "form_post", .verified = verified_by_apple,
	    .person = person_by_token },
	{ .scope = profile, .verified = verified_plainly, .person = person_by_token },
};

const struct preset *
preset_of(const struct config_provider *p)
{
	const struct preset	*found = presets;

	while (found->provider != NULL && strcmp(found->provider, p->name) != 0)
		found++;
	return found;
}
