/* What the operator's own pages have that no program reads: a name is misspelt, or of an earlier version. */
#include "private/pages_loader.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "nearest.h"

static bool
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
ends(const char *s, const char *suffix)
{
	size_t	n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

static const char *
hint_of(mem_ctx *ctx, const struct nearest *n)
{
	return n->found ? mem_printf(ctx, ": did you mean %s?", n->found) : "";
}

/* The paths that a program may look for, below a directory of pages. */
static struct lines
paths_known(struct loader *l, const char *const *folders)
{
	struct file_list	installed;
	struct lines		known = { 0 };

	line_add(l->ctx, &known, "style.css");
	line_add(l->ctx, &known, "favicon.svg");
	line_add(l->ctx, &known, "passkey.js");
	line_add(l->ctx, &known, "chat.js");
	if (file_tree(l->ctx, l->config->site.pages, ".mustache", &installed) != OK)
		return known;
	for (size_t i = 0; i < installed.n; i++)
		line_add(l->ctx, &known, installed.names[i]);
	for (size_t i = 0; i < l->config->site.languages.n; i++) {
		const char	*code = l->config->site.languages.items[i];

		line_add(l->ctx, &known, mem_printf(l->ctx, "languages/%s/common.json", code));
		for (const char *const *folder = folders; *folder; folder++)
			line_add(l->ctx, &known, mem_printf(l->ctx, "languages/%s/%s.json", code, *folder));
	}
	return known;
}

/* The installed catalogue that has the names for an own one: of its language, else of any that is installed. */
static const char *
names_of(struct loader *l, const char *file)
{
	const char	*path = mem_printf(l->ctx, "%s/%s", l->config->site.pages, file), *name = strrchr(file, '/') + 1;

	for (size_t i = 0; access(path, R_OK) != 0 && i < l->config->site.languages.n; i++)
		path = mem_printf(l->ctx, "%s/languages/%s/%s", l->config->site.pages, l->config->site.languages.items[i],
		    name);
	return path;
}

/* plan_ID is of a plan. Any other name that is not installed may only be meant for a template of the operator's own. */
static void
texts_check(struct loader *l, const char *file)
{
	const char		*own = mem_printf(l->ctx, "%s/%s", l->config->site.own_pages, file), *text, *unread;
	struct json_object	*mine, *installed;

	if (catalogue_read(l, own, &mine, &text) != OK || catalogue_read(l, names_of(l, file), &installed, &unread) != OK)
		return;
	json_object_object_foreach(mine, name, value) {
		struct nearest	n = { .wanted = name };

		(void)value;
		if (begins(name, "plan_") || json_object_object_get_ex(installed, name, NULL))
			continue;
		json_object_object_foreach(installed, known, shown) {
			(void)shown;
			nearest_offer(&n, known);
		}
		(void)page_fault(l, own, catalogue_line(l->ctx, text, name), "%s is a text of no installed page%s", name,
		    hint_of(l->ctx, &n));
	}
}

static bool
language_is_spoken(const struct loader *l, const char *code, size_t n)
{
	const struct config_list	*spoken = &l->config->site.languages;
	size_t				i = 0;

	while (i < spoken->n && (strlen(spoken->items[i]) != n || strncmp(spoken->items[i], code, n) != 0))
		i++;
	return i < spoken->n;
}

/* Why no program reads the file. */
static const char *
unread_reason(struct loader *l, const char *file, const struct nearest *n)
{
	const char	*code = begins(file, "languages/") ? file + strlen("languages/") : NULL;

	if (code != NULL && !language_is_spoken(l, code, strcspn(code, "/")))
		return "is of a language that is not in site.languages";
	return mem_printf(l->ctx, "is read by no program%s", hint_of(l->ctx, n));
}

static void
file_check(struct loader *l, const struct lines *known, const char *file)
{
	struct nearest	n = { .wanted = file };

	for (size_t i = 0; i < known->n; i++) {
		if (strcmp(known->items[i], file) == 0) {
			if (ends(file, ".json"))
				texts_check(l, file);
			return;
		}
		nearest_offer(&n, known->items[i]);
	}
	(void)page_fault(l, mem_printf(l->ctx, "%s/%s", l->config->site.own_pages, file), 0, "%s",
	    unread_reason(l, file, &n));
}

void
pages_own_check(struct loader *l, const char *const *folders)
{
	struct lines		known;
	struct file_list	own;
	struct stat		st;

	if (page_own(l->ctx, l->config, ".") == NULL || stat(l->config->site.own_pages, &st) != 0 ||
	    file_tree(l->ctx, l->config->site.own_pages, "", &own) != OK)
		return;
	known = paths_known(l, folders);
	for (size_t i = 0; i < own.n; i++)
		file_check(l, &known, own.names[i]);
}
