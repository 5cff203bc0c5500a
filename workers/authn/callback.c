/* callback: the way back from another party. What it vouches for is checked here, and judged by the database. */
#include <string.h>

#include "answer.h"
#include "claims.h"
#include "device.h"
#include "entrance.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "preset.h"
#include "providers.h"
#include "throttle.h"

/* Whatever the address says, each at most once. */
static enum err
query_read(struct visit *v, struct callback *c, const char **error, const char **iss)
{
	const char	*state;

	c->why = "its parameters cannot be read, or are given twice";
	TRY(http_query(v->q, "state", &state));
	TRY(http_query(v->q, "code", &c->code));
	TRY(http_query(v->q, "error", error));
	TRY(http_query(v->q, "iss", iss));
	TRY(http_query(v->q, "name", &c->name));
	c->why = "state is missing, or this browser has begun nothing";
	return flow_read(v, state, &c->flow) ? OK : ERR_BAD_REQUEST;
}

/* The pages to come are in the language of the page that it began on. */
static void
language_take(struct visit *v, struct json_object *flow)
{
	const struct config_list	*known = &v->app->config->site.languages;

	for (size_t i = 0; i < known->n; i++) {
		if (json_is(flow, "/language", known->items[i]))
			v->language = known->items[i];
	}
	v->prefixed = !json_is(flow, "/prefix", "");
}

/*
 * A party that says who it is (RFC 9207) must be the one that this visit was to: else a code of one may be redeemed at
 * another. Who announces to say so must.
 */
static enum err
issuer_check(struct visit *v, struct callback *c, const char *iss)
{
	const char		*name = c->provider->issuer, *base = preset_of(c->provider)->base;
	struct issuer_ends	ends = { 0 };

	if (base != NULL)
		name = mem_printf(v->q->mem, "%s%s", name, base);
	else
		TRY(issuer_ends(c->issuer, v->q->mem, true, &ends, &c->why));
	c->why = iss == NULL ? "it does not say who it is" : "iss is another issuer";
	if (iss == NULL)
		return ends.names_itself ? ERR_INVALID : OK;
	return strcmp(iss, name) == 0 ? OK : ERR_INVALID;
}

static enum err
person_read(struct visit *v, struct callback *c, const char *error, const char *iss, struct json_object **person,
    const char **nonce)
{
	TRY(issuer_check(v, c, iss));
	c->why = error != NULL ? mem_printf(v->q->mem, "it says: %.100s", error) : "it brings neither a code nor an error";
	if (error != NULL || c->code == NULL || *c->code == '\0')
		return ERR_INVALID;
	return preset_of(c->provider)->person(v, c, person, nonce);
}

/* As who is signed in, if anybody is: who connects an identity must be. */
static enum err
verdict_ask(struct visit *v, struct callback *c, struct json_object *person, const char *nonce,
    const struct entrance *entry, struct json_object **verdict)
{
	struct db_user	*me = identity_user(v);

	return db_user_repeat(me, verdict, "api.finish_flow($1, $2, $3, $4::jsonb, $5, $6, $7::inet, $8, $9)",
	    ARGS(TEXT(c->provider->name), flow_state(v, &c->flow), identity_flow(v),
	    TEXT(json_object_to_json_string_ext(person, JSON_C_TO_STRING_PLAIN)), TEXT(nonce),
	    BYTES(entry->stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr), TEXT(visit_agent(v)),
	    identity_digest(v, &entry->device)));
}

static enum err
finish(struct visit *v, struct callback *c, struct json_object *flow, struct json_object *person, const char *nonce)
{
	struct json_object	*verdict;
	struct entrance		entry;
	const char		*next;
	enum err		e;

	TRY(entrance_new(v, &entry));
	entry.remember = json_true(flow, "/remember");
	e = verdict_ask(v, c, person, nonce, &entry, &verdict);
	if (e != OK)
		flow_close(v, &c->flow);
	if (throttle_note(v, "link", e) == ERR_LIMIT)
		return failed(v, 429, c->provider, "too many links");
	TRY(e);
	if (!json_true(verdict, "/ok"))
		return failed(v, 400, c->provider,
		    mem_printf(v->q->mem, "the database refuses: %s", json_text(verdict, "/why")));
	if (json_true(verdict, "/connected"))
		return http_redirect(v->r, visit_path(v, "/settings/connections?connected=yes"));
	if (json_text(verdict, "/mailed") != NULL)
		return http_redirect(v->r, visit_path(v, "/signin/connect"));
	if (json_true(verdict, "/second"))
		return entrance_ask_second(v, &entry);
	next = json_text(verdict, "/next");
	return entrance_grant(v, &entry, next != NULL ? next : json_text(flow, "/next"));
}

static enum err
callback(struct visit *v, struct db_visitor *me)
{
	struct callback		c = { 0 };
	struct json_object	*flow, *person;
	const char		*error, *iss, *nonce;
	enum err		e;

	if (!provider_asked(v, &c.provider, &c.issuer))
		return ERR_NOT_FOUND;
	if (query_read(v, &c, &error, &iss) != OK)
		return failed(v, 400, c.provider, c.why);
	e = db_visitor(me, &flow, "api.open_flow($1, $2, $3, $4::int)", ARGS(TEXT(c.provider->name),
	    flow_state(v, &c.flow), identity_flow(v), INT(provider_calls(v))));
	TRY(e);
	if (flow == NULL)
		return failed(v, 400, c.provider, "this browser has begun no such visit, or it is over");
	language_take(v, flow);
	e = person_read(v, &c, error, iss, &person, &nonce);
	provider_report(v, c.provider, c.issuer);
	if (e == OK)
		return finish(v, &c, flow, person, nonce);
	flow_close(v, &c.flow);
	return failed(v, e == ERR_UNAVAILABLE ? 503 : 400, c.provider, c.why);
}

/*
 * Apple tells the name of its user once, beside its answer and not in the token. NULL: it does not, or in no form that
 * we know.
 */
static const char *
name_told(struct visit *v, const struct form *form)
{
	const char		*told = form_get(form, "user"), *first, *last;
	struct json_object	*user;

	if (told == NULL || json_parse_unique(v->q->mem, told, strlen(told), &user) != OK)
		return NULL;
	first = claims_text(user, "/name/firstName");
	last = claims_text(user, "/name/lastName");
	if (first == NULL || last == NULL)
		return first != NULL ? first : last;
	return mem_printf(v->q->mem, "%s %s", first, last);
}

/*
 * A party that posts its answer (Apple) sends a form of another site, with which browsers send no cookie of ours. They
 * do with the address that it is led to. What the form has is believed no more than an address.
 */
static void
posted(struct visit *v)
{
	static const char *const	names[] = { "state", "code", "error", "iss" };
	struct buf			url = { .ctx = v->q->mem };
	struct form			form;
	const char			*name;

	if (!http_content_is(v->q, "application/x-www-form-urlencoded") ||
	    form_parse(v->q->mem, v->q->body, v->q->body_len, &form) != OK) {
		answer_error(v, ERR_BAD_REQUEST);
		return;
	}
	buf_printf(&url, "%s?", v->path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (form_get(&form, names[i]) != NULL)
			form_put(&url, names[i], form_get(&form, names[i]));
	}
	name = name_told(v, &form);
	if (name != NULL && strlen(name) <= PERSON_NAME_MAX)
		form_put(&url, "name", name);
	answer_headers(v);
	(void)http_redirect(v->r, url.data);
}

static void
posted_all(struct visit **all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		posted(all[i]);
}

const struct route callback_routes[] = {
	VISITOR("GET", "/signin/callback/:name(word)", callback),
	{ .method = "POST", .path = "/signin/callback/:name(word)", .kind = &kind_raw, .raw = posted_all,
	    .body = FORM_BODY },
	{ 0 }
};
