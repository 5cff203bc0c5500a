/* start: from a button to the page of another party. */
#include <string.h>

#include "authn.h"
#include "flow.h"
#include "form.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "preset.h"
#include "start.h"
#include "target.h"
#include "throttle.h"

enum err
start_redirect(struct visit *v, const struct config_provider *p, const char *page, const struct flow *f)
{
	struct buf	url = { .ctx = v->q->mem };

	buf_puts(&url, page);
	if (strchr(page, '?') == NULL)
		buf_puts(&url, "?");
	form_put(&url, "response_type", "code");
	form_put(&url, "client_id", p->client_id);
	form_put(&url, "redirect_uri", provider_callback(v, p));
	form_put(&url, "scope", preset_of(p)->scope);
	form_put(&url, "state", secret_base64url(v->q->mem, &f->state));
	form_put(&url, "nonce", flow_nonce(v, f));
	form_put(&url, "code_challenge", flow_challenge(v, f));
	form_put(&url, "code_challenge_method", "S256");
	if (preset_of(p)->mode != NULL)
		form_put(&url, "response_mode", preset_of(p)->mode);
	return http_redirect(v->r, url.data);
}

static enum err
limited(struct visit *v)
{
	return visit_again(v, v->path, 429, "fault_flows");
}

static enum err
start(struct visit *v, struct db_visitor *me)
{
	const struct config_provider	*p;
	const char			*page, *why;
	struct issuer			*i;
	struct flow			f;
	enum err			e;

	if (!provider_asked(v, &p, &i))
		return ERR_NOT_FOUND;
	if (visit_fields(v, "next remember") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	TRY(flow_new(v, &f));
	e = db_visitor(me, NULL, "api.begin_flow($1, $2, $3, $4, $5, $6, $7, $8::inet)", ARGS(TEXT(p->name),
	    flow_state(v, &f), identity_flow(v), TEXT(target_allowed(form_get(&v->form, "next"))),
	    TEXT(v->prefixed ? visit_path(v, "") : ""), TEXT(v->language), BOOL(form_get(&v->form, "remember") != NULL),
	    TEXT(v->q->remote_addr)));
	if (throttle_note(v, "flow", e) == ERR_LIMIT)
		return limited(v);
	TRY(e);
	if (provider_page(v, p, i, &f, &page, &why) != OK) {
		flow_close(v, &f);
		return failed(v, 503, p, why);
	}
	return start_redirect(v, p, page, &f);
}

/* A page of its own for a form that was too old, and for links that lead to one party only. */
static enum err
start_show(struct visit *v, struct db_visitor *me)
{
	const struct config_provider	*p;
	struct json_object		*doc = json_new(v->q->mem);
	struct issuer			*i;
	const char			*next;

	(void)me;
	if (!provider_asked(v, &p, &i))
		return ERR_NOT_FOUND;
	TRY(visit_shown(v, "next", &next));
	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, mem_printf(v->q->mem, "/signin/with/%s", p->name)));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "next", target_allowed(next));
	json_put(doc, "provider", p->label);
	if (form_get(&v->form, "remember") != NULL)
		json_put_true(doc, "remember");
	return page_status(v, v->status, "with", doc);
}

const struct route start_routes[] = {
	VISITOR("GET",  "/signin/with/:name(word)", start_show),
	VISITOR("POST", "/signin/with/:name(word)", start),
	{ 0 }
};
