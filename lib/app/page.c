#include "page.h"

#include <string.h>

#include "json.h"
#include "worker.h"

/* The other languages this page can be had in: path without prefix, and label. */
static struct json_object *
language_links(struct visit *v)
{
	const struct pages	*p = v->app->pages;
	struct json_object	*links = json_object_new_array();

	for (size_t i = 0; i < p->n_languages; i++) {
		struct json_object	*link = json_object_new_object();

		json_put(link, "code", p->languages[i].code);
		json_put(link, "label", p->languages[i].label);
		json_put(link, "path", v->route == NULL ? "/" : v->route->path);
		if (strcmp(p->languages[i].code, v->language) == 0)
			json_put_true(link, "current");
		json_object_array_add(links, link);
	}
	return links;
}

/* What every page may use beside its own document. */
static struct json_object *
page_doc(struct visit *v, const char *name, struct json_object *doc)
{
	const struct pages	*p = v->app->pages;
	struct json_object	*all = json_new(v->q->mem);

	if (json_object_is_type(doc, json_type_object)) {
		json_object_object_foreach(doc, key, value)
			json_object_object_add(all, key, json_object_get(value));
	}
	json_put(all, "site_name", v->app->config->site.name);
	json_put(all, "style", p->style_version);
	json_put(all, "language", v->language);
	json_put(all, "csrf", v->csrf);
	json_put(all, "request", v->q->id);
	json_put(all, "here", http_param(v->q, "REQUEST_URI", NULL));
	json_put(all, "fault", v->fault);
	json_put(all, "content", name);
	json_put(all, "title", mem_printf(v->q->mem, "%s_title", name));
	json_object_object_add(all, "languages", language_links(v));
	if (v->route != NULL && v->route->user != NULL)
		json_put_true(all, "signed_in");
	return all;
}

static void
page_headers(struct visit *v)
{
	http_header(v->r, "Content-Security-Policy", v->app->csp);
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	/* Not "no-referrer": with that, browsers send our own forms with "Origin: null". This one never tells a path. */
	http_header(v->r, "Referrer-Policy", "strict-origin");
	http_header(v->r, "Cross-Origin-Opener-Policy", "same-origin");
	http_header(v->r, "Cross-Origin-Resource-Policy", "same-origin");
	http_header(v->r, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()");
	http_header(v->r, "Cache-Control", "no-store");
	http_header(v->r, "Vary", "Accept, Accept-Language, Cookie");
	if (strncmp(v->app->config->site.url, "https:", 6) == 0)
		http_header(v->r, "Strict-Transport-Security", "max-age=31536000");
}

enum err
page_status(struct visit *v, int status, const char *name, struct json_object *doc)
{
	const struct language	*l = pages_language(v->app->pages, v->language);
	struct buf		out = { .ctx = v->q->mem };
	const struct mustache	*layout = pages_template(v->app->pages, "layout");

	if (layout == NULL)
		return ERR_INTERNAL;
	TRY(mustache_render(layout, page_doc(v, name, doc), pages_partial, l, &out));
	page_headers(v);
	http_header(v->r, "Content-Language", v->language);
	http_body(v->r, status, "text/html; charset=utf-8", out.data, out.len);
	return OK;
}

enum err
page(struct visit *v, const char *name, struct json_object *doc)
{
	return page_status(v, v->status, name, doc);
}

enum err
page_json(struct visit *v, int status, struct json_object *doc)
{
	const char	*text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	page_headers(v);
	http_body(v->r, status, "application/json", text, strlen(text));
	return OK;
}

void
page_error(struct visit *v, enum err why)
{
	const struct err_info	*info = err_info(why);
	struct json_object	*doc = json_new(v->q->mem);

	if (info->retryable)
		http_header(v->r, "Retry-After", "5");
	if (v->app->pages == NULL || (v->route != NULL && v->route->json) || http_wants_json(v->q)) {
		json_put(doc, "error", info->sentence);
		if (page_json(v, info->status, doc) == OK)
			return;
	}
	json_put(doc, "reason", mem_printf(v->q->mem, "error_%s", info->name));
	json_put(doc, "advice", mem_printf(v->q->mem, "advice_%s", info->name));
	json_object_object_add(doc, "status", json_object_new_int(info->status));
	if (page_status(v, info->status, "error", doc) != OK)
		http_body(v->r, info->status, "text/plain; charset=utf-8", info->sentence, strlen(info->sentence));
}

enum err
page_text(const struct pages *p, mem_ctx *mem, const char *language, const char *name, struct json_object *doc, char **out)
{
	const struct language	*l = pages_language(p, language);
	const struct mustache	*t = pages_template(p, name);
	struct buf		b = { .ctx = mem };

	if (t == NULL)
		return ERR_INTERNAL;
	TRY(mustache_render(t, doc, pages_partial, l, &b));
	*out = b.data == NULL ? mem_copy(mem, "", 0) : b.data;
	return OK;
}
