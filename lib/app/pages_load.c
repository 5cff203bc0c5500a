#include "private/pages_loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "date_pattern.h"
#include "file.h"
#include "json.h"
#include "secret.h"

enum { PAGE_MAX_BYTES = 256 * 1024 };

/* What a loader does goes on after a fault, so that all are told: the first decides. */
static enum err
either(enum err first, enum err second)
{
	return first != OK ? first : second;
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

void
line_add(mem_ctx *ctx, struct lines *list, const char *line)
{
	list->items = talloc_realloc(ctx, list->items, const char *, list->n + 1);
	list->items[list->n++] = line;
}

/* Whether the list has it. It has from now on. */
static bool
was_there(mem_ctx *ctx, struct lines *list, const char *line)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], line) == 0)
			return true;
	}
	line_add(ctx, list, line);
	return false;
}

enum err
page_fault(struct loader *l, const char *file, unsigned line, const char *format, ...)
{
	va_list	ap;
	char	*why;

	va_start(ap, format);
	why = talloc_vasprintf(l->ctx, format, ap);
	va_end(ap);
	why = line ? mem_printf(l->ctx, "%s:%u: %s", file, line, why) : mem_printf(l->ctx, "%s: %s", file, why);
	if (!was_there(l->ctx, &l->said, why))
		fprintf(stderr, "%s\n", why);
	return ERR_INVALID;
}

enum err
page_read(struct loader *l, const char *path, size_t max, char **text, size_t *n)
{
	enum err	e;

	for (size_t i = 0; i < l->unread.n; i++) {
		if (strcmp(l->unread.items[i], path) == 0)
			return ERR_NOT_FOUND;
	}
	e = file_read(l->ctx, path, max, text, n);
	if (e != OK)
		(void)was_there(l->ctx, &l->unread, path);
	return e;
}

const char *
page_own(mem_ctx *ctx, const struct config *config, const char *file)
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
file_choose(struct loader *l, const char *file)
{
	const char	*own = page_own(l->ctx, l->config, file);

	return own != NULL ? own : mem_printf(l->ctx, "%s/%s", l->config->site.pages, file);
}

/* Behind "line N: ", with which mustache_parse() begins the reason. */
static const char *
reason_of(const char *why)
{
	return strchr(why, ':') + 2;
}

static enum err
template_load(struct loader *l, struct pages *p, const char *path, const char *name)
{
	const struct mustache	*t;
	const char		*why;
	char			*text;
	size_t			n;

	TRY(page_read(l, path, PAGE_MAX_BYTES, &text, &n));
	if (mustache_parse(l->ctx, text, &t, &why) != OK)
		return page_fault(l, path, (unsigned)strtoul(why + strlen("line "), NULL, 10), "%s", reason_of(why));
	entry_add(l->ctx, &p->templates, name, t);
	return OK;
}

/* Every NAME.mustache that the installed folder has, as NAME. */
static enum err
templates_load(struct loader *l, struct pages *p, const char *folder)
{
	static const char	suffix[] = ".mustache";
	struct file_list	files;
	enum err		e = OK;

	TRY(file_list(l->ctx, mem_printf(l->ctx, "%s/%s", l->config->site.pages, folder), suffix, &files));
	for (size_t i = 0; i < files.n; i++)
		e = either(e, template_load(l, p, file_choose(l, mem_printf(l->ctx, "%s/%s", folder, files.names[i])),
		    mem_printf(l->ctx, "%.*s", (int)(strlen(files.names[i]) - strlen(suffix)), files.names[i])));
	return e;
}

static enum err
text_take(struct loader *l, const char *path, unsigned line, const char *name, struct json_object *value, size_t first,
    struct language *into)
{
	const struct mustache	*t;
	const char		*why = NULL, *text = json_text(value, "");

	if (text == NULL)
		return page_fault(l, path, line, "%s is not a string", name);
	if (mustache_parse_text(l->ctx, text, &t, &why) != OK)
		return page_fault(l, path, line, "%s: %s", name, reason_of(why));
	entry_put(l->ctx, &into->texts, first, name, t);
	if (strcmp(name, "language_name") == 0)
		into->label = text;
	if (strcmp(name, "date_pattern") == 0) {
		into->date_pattern = text;
		why = date_pattern_fault(l->ctx, text);
	}
	return why != NULL ? page_fault(l, path, line, "%s \"%s\" %s", name, text, why) : OK;
}

/* Texts replace those of the same name from number first on. */
static enum err
texts_read(struct loader *l, const char *path, size_t first, struct language *into)
{
	struct json_object	*doc;
	const char		*text;
	enum err		e = OK;

	TRY(catalogue_read(l, path, &doc, &text));
	json_object_object_foreach(doc, name, value)
		e = either(e, text_take(l, path, catalogue_line(l->ctx, text, name), name, value, first, into));
	return e;
}

/* A catalogue as installed, and over it the operator's own. A language that was not installed has only the latter. */
static enum err
texts_load(struct loader *l, const char *name, struct language *into)
{
	const char	*file = mem_printf(l->ctx, "languages/%s/%s.json", into->code, name);
	const char	*path = mem_printf(l->ctx, "%s/%s", l->config->site.pages, file);
	const char	*own = page_own(l->ctx, l->config, file);
	size_t		first = into->texts.n;
	enum err	e = own == NULL || access(path, F_OK) == 0 ? texts_read(l, path, first, into) : OK;

	return own != NULL ? either(e, texts_read(l, own, first, into)) : e;
}

/* Folders whose pages also use the texts of another program: admin tells of the log in the words of account. */
static const struct {
	const char	*folder, *texts;
} borrowed[] = { { "admin", "account" } };

static enum err
language_load(struct loader *l, struct pages *p, const char *folder, const char *code, struct language *into)
{
	const char	*path = file_choose(l, mem_printf(l->ctx, "languages/%s", code));
	enum err	e;

	*into = (struct language){ .code = code, .templates = &p->templates };
	e = texts_load(l, "common", into);
	for (size_t i = 0; i < sizeof(borrowed) / sizeof(borrowed[0]); i++) {
		if (strcmp(folder, borrowed[i].folder) == 0)
			e = either(e, texts_load(l, borrowed[i].texts, into));
	}
	e = either(e, texts_load(l, folder, into));
	entries_sort(&into->texts);
	for (size_t i = 1; i < into->texts.n; i++) {
		if (strcmp(into->texts.rows[i - 1].name, into->texts.rows[i].name) == 0)
			e = either(e, page_fault(l, path, 0, "%s is in common.json and in %s.json", into->texts.rows[i].name,
			    folder));
	}
	if (e == OK && (into->label == NULL || into->date_pattern == NULL))
		return page_fault(l, path, 0, "language_name or date_pattern is missing");
	return e;
}

/* A catalogue for the operator to add texts to. */
static const char *
catalogue_own(const struct loader *l, const char *code)
{
	const char	*own = l->config->site.own_pages;

	return mem_printf(l->ctx, "%s/languages/%s/common.json", own != NULL && *own ? own : l->config->site.pages, code);
}

/* Whether the text is there and shows something. */
static bool
text_is_filled(mem_ctx *ctx, const struct language *language, const char *name)
{
	const struct mustache	*t = entry_find(&language->texts, name);
	struct buf		b = { .ctx = ctx };

	return t != NULL && mustache_render(t, NULL, pages_partial, language, &b) == OK && b.data != NULL &&
	    strspn(b.data, " \t\r\n") < strlen(b.data);
}

/* A plan without a name would be sold as an empty line of the form. Prints each. */
static enum err
plans_name(struct loader *l, const struct language *language)
{
	enum err	e = OK;

	for (size_t i = 0; i < l->config->n_plans; i++) {
		const char	*id = l->config->plans[i].id;

		if (id != NULL && !text_is_filled(l->ctx, language, mem_printf(l->ctx, "plan_%s", id)))
			e = page_fault(l, mem_printf(l->ctx, "plan %s", id), 0,
			    "has no name in language %s: add \"plan_%s\" to %s", language->code, id,
			    catalogue_own(l, language->code));
	}
	return e;
}

/* Prints each text that a has and b lacks: pages in b would have a gap there. */
static enum err
languages_compare(struct loader *l, const struct language *a, const struct language *b)
{
	enum err	e = OK;

	for (size_t i = 0; i < a->texts.n; i++) {
		if (entry_find(&b->texts, a->texts.rows[i].name) == NULL)
			e = page_fault(l, mem_printf(l->ctx, "language %s", b->code), 0, "lacks %s: language %s has it",
			    a->texts.rows[i].name, a->code);
	}
	return e;
}

/* Languages with faults are not compared: what could not be read is not missing. */
static enum err
languages_load(struct loader *l, struct pages *p, const char *folder)
{
	enum err	e = OK;

	p->n_languages = l->config->site.languages.n;
	p->languages = talloc_zero_array(l->ctx, struct language, p->n_languages);
	for (size_t i = 0; i < p->n_languages; i++)
		e = either(e, language_load(l, p, folder, l->config->site.languages.items[i], &p->languages[i]));
	if (e != OK)
		return e;
	for (size_t i = 1; i < p->n_languages; i++) {
		e = either(e, languages_compare(l, &p->languages[0], &p->languages[i]));
		e = either(e, languages_compare(l, &p->languages[i], &p->languages[0]));
	}
	for (size_t i = 0; i < p->n_languages; i++)
		e = either(e, plans_name(l, &p->languages[i]));
	return e;
}

/* A file that browsers fetch by itself, and a word that changes when it does. */
static enum err
asset_load(struct loader *l, const char *name, const char **text, const char **version)
{
	struct secret	digest;
	char		*bytes;
	size_t		n;

	TRY(page_read(l, file_choose(l, name), PAGE_MAX_BYTES, &bytes, &n));
	digest = secret_sha256("", bytes, n);
	*text = bytes;
	*version = talloc_strndup(l->ctx, secret_hex(l->ctx, &digest), 12);
	return OK;
}

static enum err
folder_load(struct loader *l, struct pages *p, const char *folder)
{
	enum err	e = templates_load(l, p, "common");

	e = either(e, templates_load(l, p, folder));
	entries_sort(&p->templates);
	e = either(e, languages_load(l, p, folder));
	e = either(e, asset_load(l, "style.css", &p->style, &p->style_version));
	e = either(e, asset_load(l, "favicon.svg", &p->icon, &p->icon_version));
	e = either(e, asset_load(l, "passkey.js", &p->script, &p->script_version));
	return either(e, asset_load(l, "chat.js", &p->chat, &p->chat_version));
}

enum err
pages_load(mem_ctx *ctx, const struct config *config, const char *folder, const struct pages **out)
{
	struct pages	*p = talloc_zero(ctx, struct pages);
	struct loader	l = { .ctx = p, .config = config };

	TRY(folder_load(&l, p, folder));
	*out = p;
	return OK;
}

enum err
pages_check(mem_ctx *ctx, const struct config *config, const char *const *folders)
{
	struct loader	l = { .ctx = ctx, .config = config };
	enum err	e = OK;

	for (const char *const *folder = folders; *folder != NULL; folder++)
		e = either(e, folder_load(&l, talloc_zero(ctx, struct pages), *folder));
	pages_own_check(&l, folders);
	return e;
}
