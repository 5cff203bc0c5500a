#include "authn.h"

#include "preset.h"
#include "providers.h"
#include "visit.h"

bool
provider_named(struct visit *v, const char *name, const struct config_provider **p, struct issuer **i)
{
	struct authn	*own = v->app->own;

	*p = providers_find(v->app->config, name);
	if (*p != NULL)
		*i = own->issuers[*p - v->app->config->providers];
	return *p != NULL;
}

bool
provider_asked(struct visit *v, const struct config_provider **p, struct issuer **i)
{
	return provider_named(v, visit_param(v, "name"), p, i);
}

void
provider_report(struct visit *v, const struct config_provider *p, struct issuer *i)
{
	const char	*why;

	if (issuer_news(i, v->q->mem, &why))
		(void)!db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.report_provider($1, $2)",
		    ARGS(TEXT(p->name), TEXT(why)));
}

enum err
provider_page(struct visit *v, const struct config_provider *p, struct issuer *i, const char **url, const char **why)
{
	const char		*base = preset_of(p)->base;
	struct issuer_ends	ends;
	enum err		e;

	if (base != NULL) {
		*url = mem_printf(v->q->mem, "%s%s/authorize", p->issuer, base);
		return OK;
	}
	e = issuer_ends(i, v->q->mem, &ends, why);
	provider_report(v, p, i);
	TRY(e);
	*url = ends.authorize;
	return OK;
}

const char *
provider_callback(struct visit *v, const struct config_provider *p)
{
	return mem_printf(v->q->mem, "%s/signin/callback/%s", v->app->config->site.url, p->name);
}
