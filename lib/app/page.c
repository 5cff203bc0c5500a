#include "page.h"

#include <string.h>

#include "answer.h"
#include "json.h"
#include "pages.h"
#include "picture.h"

/* This page in each language: path without prefix, and label. */
static struct json_object *
language_links(struct visit *v)
{
	const struct pages	*p = v->app->pages;
	struct json_object	*links = json_object_new_array();

	for (size_t i = 0; i < p->n_languages; i++) {
		struct json_object	*link = json_object_new_object();

		json_put(link, "code", p->languages[i].code);
		json_put(link, "label", p->languages[i].label);
		json_put(link, "path", v->route == NULL ? "/" : visit_here(v, v->path));
		/* Said of each: a name that is not there is looked up in the page. */
		json_object_object_add(link, "current",
		    json_object_new_boolean(strcmp(p->languages[i].code, v->language) == 0));
		json_object_array_add(links, link);
	}
	return links;
}

/* The text of the page's language, or NULL when there is none of that name. */
static const char *
page_text(struct visit *v, const char *name)
{
	const struct language	*l = pages_language(v->app->pages, v->language);
	const struct mustache	*t = pages_partial(l, name);
	struct json_object	*doc = json_new(v->q->mem);
	struct buf		b = { .ctx = v->q->mem };

	json_put(doc, "site_name", v->app->config->site.name);
	return t != NULL && mustache_render(t, doc, pages_partial, l, &b) == OK ? b.data : NULL;
}

/* What a page with a text NAME_description tells of itself where a link to it is shown. Its address has no query. */
static void
shown_as(struct visit *v, const char *name, struct json_object *all)
{
	const char		*description = page_text(v, mem_printf(v->q->mem, "%s_description", name));
	const char		*title = page_text(v, mem_printf(v->q->mem, "%s_title", name));
	struct json_object	*shown = json_object_new_object();

	if (description == NULL || title == NULL) {
		json_object_put(shown);
		return;
	}
	json_put(shown, "description", description);
	json_put(shown, "title", title);
	json_put(shown, "url", visit_url(v, mem_printf(v->q->mem, "/%s%s", v->language, v->path)));
	json_put(shown, "image", picture_url(v->q->mem, v->app->config,
	    &(struct picture){ .heading = title, .type = "page", .mode = "light" }));
	json_object_object_add(shown, "width", json_object_new_int(PICTURE_WIDTH));
	json_object_object_add(shown, "height", json_object_new_int(PICTURE_HEIGHT));
	json_object_object_add(all, "shown", shown);
}

/* Billing is beside the settings, in the head of a page too. */
static bool
is_settings(const char *path)
{
	static const char	settings[] = "/settings/", billing[] = "/settings/billing";

	return strncmp(path, settings, sizeof(settings) - 1) == 0 && strncmp(path, billing, sizeof(billing) - 1) != 0;
}

/* A copy of doc, plus the members that every template may use. A page with states names the text of its title. */
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
	json_put(all, "icon", p->icon_version);
	json_put(all, "script", p->script_version);
	json_put(all, "language", v->language);
	json_put(all, "prefix", visit_path(v, ""));
	json_put(all, "csrf", v->csrf);
	json_put(all, "request", v->q->id);
	json_put(all, "fault", v->fault);
	json_put(all, "content", name);
	if (json_text(all, "/title") == NULL)
		json_put(all, "title", mem_printf(v->q->mem, "%s_title", name));
	json_put_true(all, mem_printf(v->q->mem, "on_%s", name));
	json_object_object_add(all, "languages", language_links(v));
	if (v->route != NULL)
		shown_as(v, name, all);
	if (v->route != NULL && v->route->kind->session)
		json_put_true(all, "signed_in");
	if (v->app->config->n_providers > 0)
		json_put_true(all, "any_provider");
	if (v->app->config->n_meters > 0)
		json_put_true(all, "any_meter");
	if (v->app->config->n_models > 0)
		json_put_true(all, "any_chat");
	if (v->route != NULL && is_settings(v->path))
		json_put_true(all, "in_settings");
	return all;
}

enum err
page_status(struct visit *v, int status, const char *name, struct json_object *doc)
{
	struct json_object	*all = page_doc(v, name, doc);
	char			*html;

	if (status >= 400 && json_text(doc, "/title") == NULL)
		json_put_true(all, "faulty");
	if (v->app->say != NULL)
		TRY(v->app->say(v->app->words, v->language, all));
	TRY(pages_render(v->app->pages, v->q->mem, v->language, "layout", all, &html));
	answer_headers(v);
	http_header(v->r, "Content-Language", v->language);
	http_body(v->r, status, "text/html; charset=utf-8", html, strlen(html));
	return OK;
}

enum err
page(struct visit *v, const char *name, struct json_object *doc)
{
	return page_status(v, v->status, name, doc);
}

void
page_news(struct json_object *doc, const char *label)
{
	struct json_object	*news = json_object_new_array(), *one = json_object_new_object();

	json_put(one, "label", label);
	json_object_array_add(news, one);
	json_object_object_add(doc, "news", news);
}

enum err
page_error(struct visit *v, enum err why)
{
	const struct err_info	*info = err_info(why);
	struct json_object	*doc = json_new(v->q->mem);

	json_put(doc, "title", mem_printf(v->q->mem, "error_%s", info->name));
	json_put(doc, "advice", mem_printf(v->q->mem, "advice_%s", info->name));
	json_object_object_add(doc, "status", json_object_new_int(info->status));
	return page_status(v, info->status, "error", doc);
}
