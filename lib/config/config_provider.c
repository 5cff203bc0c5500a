#include "private/config_reader.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 32 };

static const char *
check_name(const char *s)
{
	size_t	n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	return s[n] == '\0' && n > 0 && n <= NAME_MAX_LENGTH ? NULL : "must be 1 to 32 lower-case letters";
}

static const char *
check_pages(const char *s)
{
	return *s ? config_check_origin(s) : NULL;
}

#define TEXT(p, member, otherwise, test, once) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct config_provider, member), .text = otherwise, .check = test, .unique = once }

static const struct config_key provider_keys[] = {
	TEXT("providers.name", name, NULL, check_name, true),
	TEXT("providers.label", label, "", NULL, false),
	TEXT("providers.issuer", issuer, "", NULL, true),
	TEXT("providers.pages", pages, "", check_pages, false),
	TEXT("providers.client_id", client_id, NULL, config_check_filled, false),
	{ .path = "providers.secret_file", .kind = KIND_SECRET, .need = NEED_PROVIDERS,
	    .offset = offsetof(struct config_provider, client_secret) },
	{ 0 }
};

/* What the providers of these names need not be told. Each tenant of Microsoft's is an issuer of its own. */
static const struct {
	const char	*name, *label, *issuer;
} presets[] = {
	{ "google", "Google", "https://accounts.google.com" },
	{ "github", "GitHub", "https://github.com" },
	{ "microsoft", "Microsoft", "" },
	{ "apple", "Apple", "https://appleid.apple.com" },
};

static void
preset_take(struct config_provider *p)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].name, p->name) != 0)
			continue;
		p->label = *p->label ? p->label : presets[i].label;
		p->issuer = *p->issuer ? p->issuer : presets[i].issuer;
	}
	if (*p->label == '\0')
		p->label = p->name;
}

/* An issuer is compared byte by byte with what it says of itself, so a slash at its end matters. */
static const char *
issuer_fault(mem_ctx *ctx, const char *s)
{
	static const char *const	shared[] = { "/common", "/organizations", "/consumers" };
	const char			*host = strstr(s, "://");
	size_t				n = host ? (size_t)(host - s) + 3 : 0;

	if (*s == '\0')
		return "is missing: it begins with https://";
	if (strpbrk(s, "?#@\\ \"<>") != NULL)
		return "must have no query and no fragment";
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (strncmp(s, "https://login.microsoftonline.com/", 34) == 0 && strstr(s, shared[i]) != NULL)
			return "must be of one tenant: https://login.microsoftonline.com/ID-OF-THE-TENANT/v2.0";
	}
	n += strcspn(s + n, "/");
	return config_check_origin(mem_copy(ctx, s, n));
}

static void
provider_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	struct config_provider	*p = item;
	const char		*wrong;

	preset_take(p);
	wrong = issuer_fault(r->ctx, p->issuer);
	if (wrong)
		config_fault(r, at, "providers.issuer", "\"%s\" %s", p->issuer, wrong);
}

const struct config_groups config_providers = {
	provider_keys, sizeof(struct config_provider), offsetof(struct config, n_providers), provider_check,
	"must be a list of { name = \"google\"; client_id = \"...\"; secret_file = \"/etc/tollgate/google.secret\"; }",
	false
};
