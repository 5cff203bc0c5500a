#include "pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "secret.h"

enum { PAGE_MAX_BYTES = 256 * 1024 };

static int
entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Sorted for binary search: a page looks up dozens of names. */
static void
entries_sort(struct entries *set)
{
	qsort(set->rows, set->n, sizeof(*set->rows), entry_compare);
}

static const struct mustache *
entry_find(const struct entries *set, const char *name)
{
	const struct entry	*e;

	e = bsearch(&(struct entry){ name, NULL }, set->rows, set->n, sizeof(*set->rows), entry_compare);
	return e == NULL ? NULL : e->text;
}

static void
entry_add(mem_ctx *ctx, struct entries *set, const char *name, const struct mustache *text)
{
	set->rows = talloc_realloc(ctx, set->rows, struct entry, set->n + 1);
	set->rows[set->n++] = (struct entry){ mem_printf(ctx, "%s", name), text };
}

/* Replaces the entry of that name among those from number first on, or adds one. */
static void
entry_put(mem_ctx *ctx, struct entries *set, size_t first, const char *name, const struct mustache *text)
{
	for (size_t i = first; i < set->n; i++) {
		if (strcmp(set->rows[i].name, name) == 0) {
			set->rows[i].text = text;
			return;
		}
	}
	entry_add(ctx, set, name, text);
}

/* Texts of the language first, then shared template pieces. */
const struct mustache *
pages_partial(const void *set, const char *name)
{
	const struct language	*l = set;
	const struct mustache	*t = entry_find(&l->texts, name);

	return t != NULL ? t : entry_find(l->templates, name);
}

static enum err
page_fault(const char *file, const char *why)
{
	fprintf(stderr, "%s: %s\n", file, why);
	return ERR_INVALID;
}

/* The operator's own file, or NULL. One that cannot be looked at counts: reading it fails and tells the reason. */
static const char *
own_file(mem_ctx *ctx, const struct config *config, const char *file)
{
	struct stat	st;
	const char	*path;

	if (config->site.own_pages == NULL || *config->site.own_pages == '\0')
		return NULL;
	path = mem_printf(ctx, "%s/%s", config->site.own_pages, file);
	return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR) ? path : NULL;
}

/* The operator's own file, else the one that was installed. */
static const char *
file_choose(mem_ctx *ctx, const struct config *config, const char *file)
{
	const char	*own = own_file(ctx, config, file);

	return own != NULL ? own : mem_printf(ctx, "%s/%s", config->site.pages, file);
}

static enum err
template_load(mem_ctx *ctx, struct pages *p, const char *path, const char *name)
{
	const struct mustache	*t;
	const char		*why;
	char			*text;
	size_t			n;

	TRY(file_read(ctx, path, PAGE_MAX_BYTES, &text, &n));
	if (mustache_parse(ctx, text, &t, &why) != OK)
		return page_fault(path, why);
	entry_add(ctx, &p->templates, name, t);
	return OK;
}

/* Every NAME.mustache that the installed folder has, as NAME. */
static enum err
templates_load(mem_ctx *ctx, struct pages *p, const struct config *config, const char *folder)
{
	static const char	suffix[] = ".mustache";
	struct file_list	files;

	TRY(file_list(ctx, mem_printf(ctx, "%s/%s", config->site.pages, folder), suffix, &files));
	for (size_t i = 0; i < files.n; i++)
		TRY(template_load(ctx, p, file_choose(ctx, config, mem_printf(ctx, "%s/%s", folder, files.names[i])),
		    mem_printf(ctx, "%.*s", (int)(strlen(files.names[i]) - strlen(suffix)), files.names[i])));
	return OK;
}

/* Texts replace those of the same name from number first on. */
static enum err
texts_read(mem_ctx *ctx, const char *path, size_t first, struct language *l)
{
	const struct mustache	*t;
	struct json_object	*doc;
	const char		*why;
	char			*text;
	size_t			n;

	TRY(file_read(ctx, path, PAGE_MAX_BYTES, &text, &n));
	if (json_parse_unique(ctx, text, n, &doc) != OK || !json_object_is_type(doc, json_type_object))
		return page_fault(path, "is not a JSON object, or has a name twice");
	json_object_object_foreach(doc, name, value) {
		if (!json_object_is_type(value, json_type_string))
			return page_fault(path, mem_printf(ctx, "%s is not a string", name));
		if (mustache_parse(ctx, json_object_get_string(value), &t, &why) != OK)
			return page_fault(path, mem_printf(ctx, "%s: %s", name, why));
		entry_put(ctx, &l->texts, first, name, t);
		if (strcmp(name, "language_name") == 0)
			l->label = json_object_get_string(value);
		if (strcmp(name, "date_pattern") == 0)
			l->date_pattern = json_object_get_string(value);
	}
	return OK;
}

/* A catalogue as installed, and over it the operator's own. A language that was not installed has only the latter. */
static enum err
texts_load(mem_ctx *ctx, const struct config *config, const char *name, struct language *l)
{
	const char	*file = mem_printf(ctx, "languages/%s/%s.json", l->code, name);
	const char	*path = mem_printf(ctx, "%s/%s", config->site.pages, file), *own = own_file(ctx, config, file);
	size_t		first = l->texts.n;

	if (own == NULL || access(path, F_OK) == 0)
		TRY(texts_read(ctx, path, first, l));
	return own != NULL ? texts_read(ctx, own, first, l) : OK;
}

static enum err
language_load(mem_ctx *ctx, struct pages *p, const struct config *config, const char *folder, const char *code,
    struct language *l)
{
	const char	*path = file_choose(ctx, config, mem_printf(ctx, "languages/%s", code));

	*l = (struct language){ .code = code, .templates = &p->templates };
	TRY(texts_load(ctx, config, "common", l));
	TRY(texts_load(ctx, config, folder, l));
	entries_sort(&l->texts);
	for (size_t i = 1; i < l->texts.n; i++)
		if (strcmp(l->texts.rows[i - 1].name, l->texts.rows[i].name) == 0)
			return page_fault(path, mem_printf(ctx, "%s is in common.json and in %s.json",
			    l->texts.rows[i].name, folder));
	if (l->label == NULL || l->date_pattern == NULL)
		return page_fault(path, "language_name or date_pattern is missing");
	return OK;
}

/* A catalogue for the operator to add texts to. */
static const char *
catalogue_own(mem_ctx *ctx, const struct config *config, const char *code)
{
	const char	*own = config->site.own_pages;

	return mem_printf(ctx, "%s/languages/%s/common.json", own != NULL && *own ? own : config->site.pages, code);
}

/* Whether the text is there and shows something. */
static bool
text_is_filled(mem_ctx *ctx, const struct language *l, const char *name)
{
	const struct mustache	*t = entry_find(&l->texts, name);
	struct buf		b = { .ctx = ctx };

	return t != NULL && mustache_render(t, NULL, pages_partial, l, &b) == OK && b.data != NULL &&
	    strspn(b.data, " \t\r\n") < strlen(b.data);
}

/* A plan without a name would be sold as an empty line of the form. Prints each. */
static enum err
plans_name(mem_ctx *ctx, const struct config *config, const struct language *l)
{
	enum err	e = OK;

	for (size_t i = 0; i < config->n_plans; i++) {
		const char	*id = config->plans[i].id;

		if (!text_is_filled(ctx, l, mem_printf(ctx, "plan_%s", id)))
			e = page_fault(mem_printf(ctx, "plan %s", id), mem_printf(ctx,
			    "has no name in language %s: add \"plan_%s\" to %s", l->code, id, catalogue_own(ctx, config, l->code)));
	}
	return e;
}

/* Prints each text that a has and b lacks: pages in b would have a gap there. */
static enum err
languages_compare(mem_ctx *ctx, const struct language *a, const struct language *b)
{
	enum err	e = OK;

	for (size_t i = 0; i < a->texts.n; i++)
		if (entry_find(&b->texts, a->texts.rows[i].name) == NULL)
			e = page_fault(mem_printf(ctx, "language %s", b->code),
			    mem_printf(ctx, "lacks %s", a->texts.rows[i].name));
	return e;
}

static enum err
languages_load(mem_ctx *ctx, struct pages *p, const struct config *config, const char *folder)
{
	enum err	e = OK;

	p->n_languages = config->site.languages.n;
	p->languages = talloc_array(ctx, struct language, p->n_languages);
	for (size_t i = 0; i < p->n_languages; i++)
		TRY(language_load(ctx, p, config, folder, config->site.languages.items[i], &p->languages[i]));
	for (size_t i = 1; i < p->n_languages; i++) {
		if (languages_compare(ctx, &p->languages[0], &p->languages[i]) != OK)
			e = ERR_INVALID;
		if (languages_compare(ctx, &p->languages[i], &p->languages[0]) != OK)
			e = ERR_INVALID;
	}
	for (size_t i = 0; i < p->n_languages; i++) {
		if (plans_name(ctx, config, &p->languages[i]) != OK)
			e = ERR_INVALID;
	}
	return e;
}

enum err
pages_load(mem_ctx *ctx, const struct config *config, const char *folder, const struct pages **out)
{
	struct pages	*p = talloc_zero(ctx, struct pages);
	struct secret	digest;
	char		*style;
	size_t		n;

	TRY(templates_load(p, p, config, "common"));
	TRY(templates_load(p, p, config, folder));
	entries_sort(&p->templates);
	TRY(languages_load(p, p, config, folder));
	TRY(file_read(p, file_choose(p, config, "style.css"), PAGE_MAX_BYTES, &style, &n));
	digest = secret_sha256("", style, n);
	p->style = style;
	p->style_version = talloc_strndup(p, secret_hex(p, &digest), 12);
	*out = p;
	return OK;
}

const struct language *
pages_language(const struct pages *p, const char *code)
{
	for (size_t i = 0; i < p->n_languages; i++)
		if (code != NULL && strcmp(p->languages[i].code, code) == 0)
			return &p->languages[i];
	return &p->languages[0];
}

const struct mustache *
pages_template(const struct pages *p, const char *name)
{
	return entry_find(&p->templates, name);
}

enum err
pages_render(const struct pages *p, mem_ctx *mem, const char *language, const char *name, struct json_object *doc,
    char **out)
{
	const struct mustache	*t = pages_template(p, name);
	struct buf		b = { .ctx = mem };

	if (t == NULL)
		return ERR_INTERNAL;
	TRY(mustache_render(t, doc, pages_partial, pages_language(p, language), &b));
	*out = b.data == NULL ? mem_copy(mem, "", 0) : b.data;
	return OK;
}
