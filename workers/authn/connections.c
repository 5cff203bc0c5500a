/* connections: which accounts elsewhere sign a user in. */
#include <string.h>

#include "authn.h"
#include "flow.h"
#include "form.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "page.h"
#include "start.h"
#include "text.h"

static bool
is_connected(struct json_object *identities, const char *provider)
{
	for (size_t i = 0; i < json_object_array_length(identities); i++) {
		if (json_is(json_object_array_get_idx(identities, i), "/provider", provider))
			return true;
	}
	return false;
}

/* The ones that can still be connected. */
static void
offers_put(struct visit *v, struct json_object *doc)
{
	const struct config	*c = v->app->config;
	struct json_object	*offers = json_object_new_array(), *identities = json_at(doc, "/identities");

	for (size_t i = 0; i < c->n_providers; i++) {
		struct json_object	*one = json_object_new_object();

		json_put(one, "name", c->providers[i].name);
		json_put(one, "label", c->providers[i].label);
		if (is_connected(identities, c->providers[i].name))
			json_object_put(one);
		else
			json_object_array_add(offers, one);
	}
	json_object_object_add(doc, "offers", offers);
}

static enum err
connections_show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*news;

	TRY(http_query(v->q, "connected", &news));
	TRY(db_user(me, &doc, "api.connections_page()", NO_ARGS));
	if (news != NULL)
		page_news(doc, "news_connected");
	TRY(http_query(v->q, "disconnected", &news));
	if (news != NULL)
		page_news(doc, "news_disconnected");
	if (json_object_array_length(json_at(doc, "/identities")) == 0)
		json_put_true(doc, "none");
	offers_put(v, doc);
	return page(v, "connections", doc);
}

/* As a sign-in begins, for the user of this session. */
static enum err
connect_begin(struct visit *v, struct db_user *me, const struct config_provider *p, struct issuer *i)
{
	const char	*page, *why, *csrf = v->csrf;
	struct flow	f;

	TRY(flow_new(v, &f));
	v->csrf = csrf;
	TRY(db_user(me, NULL, "api.begin_connection($1, $2, $3, $4, $5, $6)", ARGS(TEXT(p->name), flow_state(v, &f),
	    identity_flow(v), TEXT("/settings/connections"), TEXT(v->prefixed ? visit_path(v, "") : ""),
	    TEXT(v->language))));
	if (provider_page(v, p, i, &f, &page, &why) != OK) {
		flow_close(v, &f);
		return failed(v, 503, p, why);
	}
	return start_redirect(v, p, page, &f);
}

static enum err
disconnect(struct visit *v, struct db_user *me, const char *identity)
{
	enum err	e;

	if (!text_is_uuid(identity, strlen(identity)))
		return ERR_NOT_FOUND;
	e = db_user(me, NULL, "api.disconnect($1::uuid)", ARGS(TEXT(identity)));
	if (e == ERR_CONFLICT)
		return visit_again(v, v->path, 409, "fault_last_way");
	TRY(e);
	return http_redirect(v->r, visit_path(v, "/settings/connections?disconnected=yes"));
}

static enum err
connections_send(struct visit *v, struct db_user *me)
{
	const char			*identity = form_get(&v->form, "identity"), *name = form_get(&v->form, "provider");
	const struct config_provider	*p;
	struct issuer			*i;

	if (visit_fields(v, "identity provider") != OK || (identity == NULL) == (name == NULL))
		return visit_again(v, v->path, 422, "fault_unknown_field");
	if (identity != NULL)
		return disconnect(v, me, identity);
	return provider_named(v, name, &p, &i) ? connect_begin(v, me, p, i) : ERR_NOT_FOUND;
}

const struct route connections_routes[] = {
	FRESH("GET",  "/settings/connections", connections_show),
	FRESH("POST", "/settings/connections", connections_send),
	{ 0 }
};
