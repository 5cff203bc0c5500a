#include "private/config_reader.h"

#include <string.h>

/* The APIs that are spoken, with what a provider of each is taken to want. */
static const struct api {
	const char	*kind, *auth, *version, *max_tokens_field;
} apis[] = {
	{ "openai-chat", "bearer", "", "max_completion_tokens" },
	{ "openai-responses", "bearer", "", "" },
	{ "anthropic", "x-api-key", "2026-10-21", "" },
};

static const struct api *
api_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++) {
		if (strcmp(apis[i].kind, kind) == 0)
			return &apis[i];
	}
	return NULL;
}

static const char *
check_kind(const char *s)
{
	return api_of(s) ? NULL : "must be openai-chat, openai-responses or anthropic";
}

static const char *
check_auth(const char *s)
{
	return *s == '\0' || strcmp(s, "bearer") == 0 || strcmp(s, "x-api-key") == 0 ? NULL :
	    "must be bearer or x-api-key";
}

static const char *
check_field(const char *s)
{
	return *s == '\0' || strcmp(s, "max_tokens") == 0 || strcmp(s, "max_completion_tokens") == 0 ? NULL :
	    "must be max_tokens or max_completion_tokens";
}

static const char *
check_version(const char *s)
{
	return strspn(s, "0123456789-") == strlen(s) ? NULL : "must be a date, as in \"2026-10-21\"";
}

/* Of a model, ours: it stands in addresses and forms. */
static const char *
check_model(const char *s)
{
	size_t	n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return s[n] == '\0' && n > 0 && n <= 64 ? NULL : "must be 1 to 64 letters, digits, \".\", \"_\" and \"-\"";
}

#define TEXT(p, type, member, otherwise, test, once) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct type, member), .text = otherwise, .check = test, .unique = once }
#define INT(p, type, member, otherwise, least, most) { .path = p, .kind = KIND_NUMBER, \
	.offset = offsetof(struct type, member), .number = otherwise, .min = least, .max = most }

static const struct config_key provider_keys[] = {
	TEXT("model_providers.name", config_model_provider, name, NULL, config_check_name, true),
	TEXT("model_providers.kind", config_model_provider, kind, NULL, check_kind, false),
	TEXT("model_providers.url", config_model_provider, url, NULL, config_check_filled, false),
	TEXT("model_providers.auth", config_model_provider, auth, "", check_auth, false),
	TEXT("model_providers.version", config_model_provider, version, "", check_version, false),
	TEXT("model_providers.max_tokens_field", config_model_provider, max_tokens_field, "", check_field, false),
	{ .path = "model_providers.stream_options", .kind = KIND_SWITCH,
	    .offset = offsetof(struct config_model_provider, stream_options), .number = true },
	{ .path = "model_providers.key_file", .kind = KIND_SECRET, .need = NEED_MODEL_KEYS,
	    .offset = offsetof(struct config_model_provider, key), .text = "" },
	{ 0 }
};

static const struct config_key model_keys[] = {
	TEXT("models.name", config_model, name, NULL, check_model, true),
	TEXT("models.display_name", config_model, display_name, "", NULL, false),
	TEXT("models.provider", config_model, provider, NULL, config_check_name, false),
	TEXT("models.model", config_model, model, NULL, config_check_filled, false),
	INT("models.max_tokens", config_model, max_tokens, 4096, 16, 1000000),
	INT("models.context", config_model, context, 128000, 1024, 100000000),
	TEXT("models.fallback", config_model, fallback, "", NULL, false),
	{ .path = "models.plans", .kind = KIND_WORDS, .offset = offsetof(struct config_model, plans), .text = "",
	    .check = config_check_name },
	{ 0 }
};

/* The key goes to this address: TLS, or this machine. */
static const char *
url_fault(mem_ctx *ctx, const char *s)
{
	const char	*host = strstr(s, "://");
	size_t		n = host ? (size_t)(host - s) + 3 : 0;

	if (strpbrk(s, "?#@\\ \"<>") != NULL)
		return "must have no query, no fragment and no user";
	if (s[strlen(s) - 1] == '/')
		return "must have no slash at the end";
	n += strcspn(s + n, "/");
	return config_check_origin(mem_copy(ctx, s, n));
}

static void
provider_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	struct config_model_provider	*p = item;
	const struct api		*api = api_of(p->kind);
	const char			*wrong = url_fault(r->ctx, p->url);

	if (wrong)
		config_fault(r, at, "model_providers.url", "\"%s\" %s", p->url, wrong);
	if (api == NULL)
		return;
	if (*p->version && *api->version == '\0')
		config_fault(r, at, "model_providers.version", "has no effect: kind is not anthropic");
	if (*p->max_tokens_field && *api->max_tokens_field == '\0')
		config_fault(r, at, "model_providers.max_tokens_field", "has no effect: kind is not openai-chat");
	p->auth = *p->auth ? p->auth : api->auth;
	p->version = *p->version ? p->version : api->version;
	p->max_tokens_field = *p->max_tokens_field ? p->max_tokens_field : api->max_tokens_field;
}

static void
model_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	struct config_model	*m = item;

	if (strcmp(m->fallback, m->name) == 0)
		config_fault(r, at, "models.fallback", "is the model itself");
	if (m->context <= m->max_tokens)
		config_fault(r, at, "models.context", "must be above models.max_tokens, which is %d", m->max_tokens);
	m->display_name = *m->display_name ? m->display_name : m->name;
}

const struct config_groups config_model_providers = {
	provider_keys, sizeof(struct config_model_provider), offsetof(struct config, n_model_providers), provider_check,
	"must be a list of { name = \"openai\"; kind = \"openai-responses\"; url = \"https://api.openai.com/v1\"; "
	"key_file = \"/etc/tollgate/openai.secret\"; }", false
};
const struct config_groups config_models = {
	model_keys, sizeof(struct config_model), offsetof(struct config, n_models), model_check,
	"must be a list of { name = \"small\"; provider = \"openai\"; model = \"...\"; plans = [\"starter\"]; }", false
};

const struct config_model_provider *
config_model_provider(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_model_providers; i++) {
		if (strcmp(c->model_providers[i].name, name) == 0)
			return &c->model_providers[i];
	}
	return NULL;
}

const struct config_model *
config_model(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_models; i++) {
		if (strcmp(c->models[i].name, name) == 0)
			return &c->models[i];
	}
	return NULL;
}

static bool
has_quota(const struct config *c, const char *plan, const char *meter)
{
	for (size_t i = 0; i < c->n_quotas; i++) {
		if (strcmp(c->quotas[i].plan, plan) == 0 && strcmp(c->quotas[i].meter, meter) == 0)
			return true;
	}
	return false;
}

static bool
has_cost(const struct config *c, const struct config_model *m, const char *class)
{
	for (size_t i = 0; i < c->n_costs; i++) {
		const struct config_cost	*k = &c->costs[i];

		if (strcmp(k->provider, m->provider) == 0 && strcmp(k->model, m->model) == 0 && strcmp(k->class, class) == 0)
			return true;
	}
	return false;
}

/*
 * Nothing begins that has no price, and a plan without a quota of the meter has none of it. Where there is no such
 * meter or provider, that alone is the fault.
 */
static void
means_check(struct reader *r, const config_setting_t *at, const struct config_model *m)
{
	static const char *const	classes[] = { "input", "output" };
	const struct config		*c = r->out;
	bool				counted = config_meter(c, c->chat.meter) != NULL;
	bool				priced = config_model_provider(c, m->provider) != NULL;

	for (size_t i = 0; i < m->plans.n; i++) {
		if (config_plan(c, m->plans.items[i]) == NULL)
			config_fault(r, at, "models.plans", "\"%s\" is not one of plans", m->plans.items[i]);
		else if (counted && !has_quota(c, m->plans.items[i], c->chat.meter))
			config_fault(r, at, "models.plans", "\"%s\" has no quota of \"%s\", which counts what models use",
			    m->plans.items[i], c->chat.meter);
	}
	for (size_t i = 0; priced && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!has_cost(c, m, classes[i]))
			config_fault(r, at, "models.model", "costs have no \"%s\" of \"%s\" of provider \"%s\"", classes[i],
			    m->model, m->provider);
	}
}

static void
names_check(struct reader *r, const config_setting_t *at, const struct config_model *m)
{
	if (config_model_provider(r->out, m->provider) == NULL)
		config_fault(r, at, "models.provider", "\"%s\" is not one of model_providers", m->provider);
	if (*m->fallback && config_model(r->out, m->fallback) == NULL)
		config_fault(r, at, "models.fallback", "\"%s\" is not one of models", m->fallback);
}

static void
choice_check(struct reader *r, const config_t *tree, const char *key, const char *name, bool required)
{
	if (*name ? config_model(r->out, name) == NULL : required)
		config_fault(r, config_lookup(tree, key), key, "\"%s\" is not one of models", name);
}

void
config_chat_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;
	bool			means = (r->needs & NEED_USAGE) && (r->needs & NEED_PLANS);

	if (r->faults || !(r->needs & NEED_CHAT))
		return;
	for (size_t i = 0; i < c->n_models; i++) {
		const config_setting_t	*at = config_setting_get_elem(config_lookup(tree, "models"), (unsigned)i);

		names_check(r, at, &c->models[i]);
		if (means)
			means_check(r, at, &c->models[i]);
	}
	choice_check(r, tree, "chat.model", c->chat.model, *c->chat.meter != '\0');
	choice_check(r, tree, "chat.title_model", c->chat.title_model, false);
	if (means && *c->chat.meter && config_meter(c, c->chat.meter) == NULL)
		config_fault(r, config_lookup(tree, "chat.meter"), "chat.meter", "\"%s\" is not one of meters", c->chat.meter);
}
