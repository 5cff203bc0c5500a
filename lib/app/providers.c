#include "providers.h"

#include <string.h>

#include "json.h"
#include "origin.h"

const struct config_provider *
providers_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_providers; i++) {
		if (strcmp(c->providers[i].name, name) == 0)
			return &c->providers[i];
	}
	return NULL;
}

void
providers_put(struct visit *v, struct json_object *doc)
{
	const struct config	*c = v->app->config;
	struct json_object	*all = json_object_new_array();

	for (size_t i = 0; i < c->n_providers; i++) {
		struct json_object	*one = json_object_new_object();

		json_put(one, "name", c->providers[i].name);
		json_put(one, "label", c->providers[i].label);
		json_object_array_add(all, one);
	}
	json_object_object_add(doc, "providers", all);
}

static const char *
provider_origin(mem_ctx *ctx, const struct config_provider *p)
{
	return *p->pages ? p->pages : origin_of(ctx, mem_printf(ctx, "%s/", p->issuer));
}

/* Whether a provider before number n has the same origin. */
static bool
is_named(mem_ctx *ctx, const struct config *c, size_t n, const char *origin)
{
	size_t	i = 0;

	while (i < n && strcmp(provider_origin(ctx, &c->providers[i]), origin) != 0)
		i++;
	return i < n;
}

char *
providers_origins(mem_ctx *ctx, const struct config *c)
{
	struct buf	b = { .ctx = ctx };

	buf_puts(&b, "");
	for (size_t i = 0; i < c->n_providers; i++) {
		const char	*origin = provider_origin(ctx, &c->providers[i]);

		if (!is_named(ctx, c, i, origin))
			buf_printf(&b, "%s%s", b.len ? " " : "", origin);
	}
	return b.data;
}
