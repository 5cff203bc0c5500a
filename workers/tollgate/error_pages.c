/* error_pages: the pages that a web server shows when no program answers, as files. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "json.h"
#include "pages.h"

/* What a web server refuses by itself: a body that is too large, too many forms, a program that is away. */
static const enum err	refused[] = { ERR_TOO_LARGE, ERR_LIMIT, ERR_UNAVAILABLE };

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
error_doc(const struct operator *o, const struct pages *p, const struct language *l, const struct err_info *info)
{
	struct json_object	*doc = json_new(o->mem);

	json_put(doc, "site_name", o->config->site.name);
	json_put(doc, "language", l->code);
	json_put(doc, "prefix", mem_printf(o->mem, "/%s", l->code));
	json_put(doc, "inline_style", p->style);
	json_put(doc, "icon", p->icon_version);
	json_put(doc, "content", "error");
	json_put(doc, "title", mem_printf(o->mem, "error_%s", info->name));
	json_put(doc, "advice", mem_printf(o->mem, "advice_%s", info->name));
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

static enum err
language_write(const struct operator *o, const struct pages *p, const struct language *l)
{
	const char	*directory = mem_printf(o->mem, "%s/%s", o->subject, l->code);
	char		*html;

	TRY(directory_make(o, directory));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct err_info	*info = err_info(refused[i]);

		TRY(pages_render(p, o->mem, l->code, "layout", error_doc(o, p, l, info), &html));
		TRY(file_put(o, mem_printf(o->mem, "%s/%d.html", directory, info->status), html));
	}
	return OK;
}

int
error_pages_write(const struct operator *o)
{
	const struct pages	*p;

	if (pages_load(o->mem, o->config, "account", &p) != OK)
		return EX_CONFIG;
	if (directory_make(o, o->subject) != OK)
		return EX_CANTCREAT;
	for (size_t i = 0; i < p->n_languages; i++) {
		if (language_write(o, p, &p->languages[i]) != OK)
			return EX_CANTCREAT;
	}
	return EX_OK;
}
