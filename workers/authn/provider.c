#include "authn.h"

#include "flow.h"
#include "identity.h"
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

static void
news_report(struct visit *v, const char *subject, const char *why)
{
	(void)!db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.report_provider($1, $2)",
	    ARGS(TEXT(subject), TEXT(why)));
}

void
provider_report(struct visit *v, const struct config_provider *p, struct issuer *i)
{
	const char	*why;

	if (issuer_news(i, v->q->mem, &why))
		news_report(v, p->name, why);
	if (!issuer_keys_news(i, v->q->mem, &why))
		return;
	if (why != NULL)
		why = mem_printf(v->q->mem, "%s: %s", p->issuer, why);
	news_report(v, mem_printf(v->q->mem, "keys:%s", p->name), why);
}

int
provider_calls(const struct visit *v)
{
	int	threads = v->app->threads, calls = v->app->config->serve.calls;

	return threads > 1 && calls >= threads ? threads - 1 : calls;
}

/* Whether the thread may wait for the issuer; place_leave() then. */
static bool
place_take(struct visit *v, const struct flow *f)
{
	return db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.take_place($1, $2, $3::int)",
	    ARGS(flow_state(v, f), identity_flow(v), INT(provider_calls(v)))) == OK;
}

static void
place_leave(struct visit *v, const struct flow *f)
{
	(void)!db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.leave_place($1, $2)",
	    ARGS(flow_state(v, f), identity_flow(v)));
}

enum err
provider_page(struct visit *v, const struct config_provider *p, struct issuer *i, const struct flow *f,
    const char **url, const char **why)
{
	bool			placed;
	const char		*base = preset_of(p)->base;
	struct issuer_ends	ends;
	enum err		e;

	if (base != NULL) {
		*url = mem_printf(v->q->mem, "%s%s/authorize", p->issuer, base);
		return OK;
	}
	placed = issuer_waits(i) && place_take(v, f);
	e = issuer_ends(i, v->q->mem, placed, &ends, why);
	if (placed)
		place_leave(v, f);
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
