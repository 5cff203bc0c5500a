/* factor: the user's second factor: adding one, new recovery codes, removing it. */
#include <string.h>

#include "db.h"
#include "json.h"
#include "page.h"
#include "qr.h"
#include "signin.h"

static const char place[] = "/settings/two-factor";

struct db_arg
seed_key(struct visit *v)
{
	return TEXT(config_seed_keys(v->q->mem, v->app->config));
}

/* "ABCD EFGH ...": a key that is typed is read in groups. */
static char *
groups_of(mem_ctx *mem, const char *secret)
{
	struct buf	b = { .ctx = mem };

	for (size_t i = 0; secret[i] != '\0'; i++)
		buf_printf(&b, "%s%c", i > 0 && i % 4 == 0 ? " " : "", secret[i]);
	return b.data;
}

/* As authenticators read it; SHA-1, six digits and 30 seconds go without saying. */
static char *
uri_of(struct visit *v, const char *email, const char *secret)
{
	struct buf	b = { .ctx = v->q->mem };

	buf_puts(&b, "otpauth://totp/");
	form_escape(&b, v->app->config->site.name);
	buf_puts(&b, ":");
	form_escape(&b, email);
	buf_printf(&b, "?secret=%s&issuer=", secret);
	form_escape(&b, v->app->config->site.name);
	return b.data;
}

static enum err
secret_put(struct visit *v, struct json_object *doc, const char *secret)
{
	const char	*uri = uri_of(v, json_text(doc, "/email"), secret), *path;
	int		size;

	TRY(qr_path(v->q->mem, uri, &path, &size));
	json_put(doc, "uri", uri);
	json_put(doc, "path", path);
	json_put(doc, "groups", groups_of(v->q->mem, secret));
	json_object_object_add(doc, "size", json_object_new_int(size));
	return OK;
}

static enum err
factor_page(struct visit *v, struct db_user *me, int status, const char *code_error)
{
	struct json_object	*doc;
	const char		*removed, *secret;

	TRY(db_user(me, &doc, "api.factor_page($1)", ARGS(seed_key(v))));
	TRY(http_query(v->q, "removed", &removed));
	secret = json_text(doc, "/secret");
	if (secret != NULL)
		TRY(secret_put(v, doc, secret));
	else if (removed != NULL && !json_true(doc, "/on"))
		page_news(doc, "news_factor_removed");
	json_put(doc, "action", visit_path(v, place));
	json_put(doc, "code_error", code_error);
	return page_status(v, status, "two_factor", doc);
}

static enum err
factor_show(struct visit *v, struct db_user *me)
{
	return factor_page(v, me, v->status, NULL);
}

/* The only time that the codes are seen: what is stored of them cannot be shown again. */
static enum err
codes_page(struct visit *v, struct json_object *doc)
{
	json_put(doc, "action", visit_path(v, place));
	return page_status(v, 200, "recovery", doc);
}

static enum err
factor_begin(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.begin_factor($1)", ARGS(seed_key(v))));
	return http_redirect(v->r, visit_path(v, place));
}

static enum err
factor_confirm(struct visit *v, struct db_user *me)
{
	const char		*code = form_get(&v->form, "code");
	struct json_object	*doc;
	enum err		e;

	if (code == NULL || *code == '\0')
		return factor_page(v, me, 422, "second_missing");
	e = db_user(me, &doc, "api.confirm_factor($1, $2)", ARGS(TEXT(code), seed_key(v)));
	if (e == ERR_LIMIT) {
		v->fault = "fault_second";
		return factor_page(v, me, 429, NULL);
	}
	TRY(e);
	return json_true(doc, "/ok") ? codes_page(v, doc) : factor_page(v, me, 422, "second_wrong");
}

static enum err
codes_renew(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.renew_codes($1)", ARGS(seed_key(v))));
	json_put_true(doc, "renewed");
	return codes_page(v, doc);
}

static enum err
factor_remove(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.remove_factor()", NO_ARGS));
	return http_redirect(v->r, mem_printf(v->q->mem, "%s?removed=yes", visit_path(v, place)));
}

static const struct {
	const char	*name;
	user_handler	*run;
} actions[] = {
	{ "begin", factor_begin },
	{ "confirm", factor_confirm },
	{ "renew", codes_renew },
	{ "remove", factor_remove },
};

/* A form of a page that is out of date, since another one has added or removed the factor, leads to the page. */
static enum err
factor_act(struct visit *v, struct db_user *me)
{
	const char	*action = form_get(&v->form, "action");
	enum err	e = ERR_INVALID;

	if (action == NULL || visit_fields(v, "action code") != OK)
		return ERR_INVALID;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(action, actions[i].name) == 0)
			e = actions[i].run(v, me);
	return e == ERR_CONFLICT ? http_redirect(v->r, visit_path(v, place)) : e;
}

const struct route factor_routes[] = {
	FRESH("GET",  "/settings/two-factor", factor_show),
	FRESH("POST", "/settings/two-factor", factor_act),
	{ 0 }
};
