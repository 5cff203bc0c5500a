/*
 * error_pages: the pages that a web server shows when no program answers, as files, and what tells it their languages:
 * LL/STATUS.html and languages.map for nginx, STATUS.var and apache.conf for Apache.
 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "json.h"
#include "pages.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What a web server answers by itself: a body that is too large, too many forms, a program that has died, one that is
 * away. Their pages have no reference.
 */
static const struct refused {
	enum err	why;
	const char	*advice;	/* name of a text */
} refused[] = {
	{ ERR_TOO_LARGE, "advice_too_large" }, { ERR_LIMIT, "advice_limit" }, { ERR_INTERNAL, "advice_again" },
	{ ERR_UNAVAILABLE, "advice_unavailable" },
};

/* The front page in each language. */
static struct json_object *
language_links(const struct pages *p, const struct language *current)
{
	struct json_object	*links = json_object_new_array();

	for (size_t i = 0; i < p->n_languages; i++) {
		struct json_object	*link = json_object_new_object();

		json_put(link, "code", p->languages[i].code);
		json_put(link, "label", p->languages[i].label);
		json_put(link, "path", "/");
		if (&p->languages[i] == current)
			json_put_true(link, "current");
		json_object_array_add(links, link);
	}
	return links;
}

/* The style sheet is in the page: the program that serves it may be the one that is away. */
static struct json_object *
error_doc(const struct operator *o, const struct pages *p, const struct language *l, const struct refused *r)
{
	struct json_object	*doc = json_new(o->mem);

	json_put(doc, "site_name", o->config->site.name);
	json_put(doc, "language", l->code);
	json_put(doc, "prefix", mem_printf(o->mem, "/%s", l->code));
	json_put(doc, "inline_style", p->style);
	json_put(doc, "icon", p->icon_version);
	json_put(doc, "content", "error");
	json_put(doc, "title", mem_printf(o->mem, "error_%s", err_info(r->why)->name));
	json_put(doc, "advice", r->advice);
	json_object_object_add(doc, "languages", language_links(p, l));
	return doc;
}

static enum err
directory_make(const struct operator *o, const char *path)
{
	/* Whatever root's umask: the web server reads it. */
	if ((mkdir(path, 0755) == 0 && chmod(path, 0755) == 0) || errno == EEXIST)
		return OK;
	operator_refused(o, "%s: %s", path, strerror(errno));
	return ERR_INVALID;
}

/* By a rename, since a web server reads the file meanwhile. */
static enum err
file_put(const struct operator *o, const char *path, const char *text)
{
	char	*fresh = mem_printf(o->mem, "%s.new", path);
	FILE	*f = fopen(fresh, "we");
	bool	written = f != NULL && fputs(text, f) >= 0;

	if (f != NULL && fclose(f) != 0)
		written = false;
	if (written && chmod(fresh, 0644) == 0 && rename(fresh, path) == 0)
		return OK;
	operator_refused(o, "%s: %s", path, strerror(errno));
	return ERR_INVALID;
}

/* The page in each language, and the list of them from which Apache chooses. */
static enum err
status_write(const struct operator *o, const struct pages *p, const struct refused *r)
{
	int		status = err_info(r->why)->status;
	struct buf	map = { .ctx = o->mem };
	char		*html;

	for (size_t i = 0; i < p->n_languages; i++) {
		const struct language	*l = &p->languages[i];

		TRY(pages_render(p, o->mem, l->code, "layout", error_doc(o, p, l, r), &html));
		TRY(file_put(o, mem_printf(o->mem, "%s/%s/%d.html", o->subject, l->code, status), html));
		buf_printf(&map, "URI: %s/%d.html\nContent-language: %s\nContent-type: text/html; charset=utf-8\n\n", l->code,
		    status, l->code);
	}
	return file_put(o, mem_printf(o->mem, "%s/%d.var", o->subject, status), map.data);
}

static const char *
languages_join(const struct operator *o, const struct pages *p, const char *between)
{
	struct buf	b = { .ctx = o->mem };

	for (size_t i = 0; i < p->n_languages; i++)
		buf_printf(&b, "%s%s", i ? between : "", p->languages[i].code);
	return b.data;
}

/* The address's language, else the first of ours that the browser names, else the site's first. */
static enum err
nginx_write(const struct operator *o, const struct pages *p)
{
	const char	*any = languages_join(o, p, "|");

	return file_put(o, mem_printf(o->mem, "%s/languages.map", o->subject), mem_printf(o->mem,
	    "# Written by tollgate pages, and read by nginx at a reload.\n"
	    "default %s;\n"
	    "\"~^/(?<named>%s)(/| )\" $named;\n"
	    "\"~^[^ ]* .*?\\b(?<asked>%s)\\b\" $asked;\n", p->languages[0].code, any, any));
}

static enum err
apache_write(const struct operator *o, const struct pages *p)
{
	struct buf	b = { .ctx = o->mem };

	buf_printf(&b, "# Written by tollgate pages, and read by Apache at a reload.\n"
	    "LanguagePriority %s\nForceLanguagePriority Prefer Fallback\n", languages_join(o, p, " "));
	for (size_t i = 0; i < N(refused); i++)
		buf_printf(&b, "ErrorDocument %1$d /tollgate-pages/%1$d.var\n", err_info(refused[i].why)->status);
	return file_put(o, mem_printf(o->mem, "%s/apache.conf", o->subject), b.data);
}

static enum err
all_write(const struct operator *o, const struct pages *p)
{
	TRY(directory_make(o, o->subject));
	for (size_t i = 0; i < p->n_languages; i++)
		TRY(directory_make(o, mem_printf(o->mem, "%s/%s", o->subject, p->languages[i].code)));
	for (size_t i = 0; i < N(refused); i++)
		TRY(status_write(o, p, &refused[i]));
	TRY(nginx_write(o, p));
	return apache_write(o, p);
}

int
error_pages_write(const struct operator *o)
{
	const struct pages	*p;

	if (pages_load(o->mem, o->config, "account", &p) != OK)
		return EX_CONFIG;
	return all_write(o, p) == OK ? EX_OK : EX_CANTCREAT;
}
