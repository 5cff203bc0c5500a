/*
 * pages: the templates of one program and the catalogues of their texts, read once at start and constant afterwards.
 * Texts of a language are partials of its templates: {{>signup_title}}.
 */
#ifndef TOLLGATE_PAGES_H
#define TOLLGATE_PAGES_H

#include "config.h"
#include "err.h"
#include "mem.h"
#include "mustache.h"

struct entry {
	const char		*name;
	const struct mustache	*text;
};

struct entries {
	struct entry	*rows;
	size_t		n;
};

struct language {
	const char		*code;		/* "en" */
	const char		*label;		/* "English" */
	const char		*date_pattern;	/* "d MMMM y", of ICU */
	struct entries		texts;
	const struct entries	*templates;
};

struct pages {
	struct entries	templates;	/* "signup" for signup.mustache, "signin.txt" for signin.txt.mustache */
	struct language	*languages;	/* the first is the default */
	size_t		n_languages;
	const char	*style;		/* the style sheet */
	const char	*style_version;	/* changes when the style sheet does */
	const char	*icon;		/* of the site, as SVG */
	const char	*icon_version;
	const char	*script;	/* for pages that ask for a passkey */
	const char	*script_version;
	const char	*chat;		/* the script of the page that chats */
	const char	*chat_version;
};

/*
 * Loads the templates in site.pages' common/ and FOLDER/, and each language's common.json and FOLDER.json. A
 * template, style sheet or icon in site.own_pages goes before it, and so does each text of a catalogue there. Prints
 * every fault on stderr, those in a file as FILE:LINE: REASON. ERR_NOT_FOUND: the first of them is a file that cannot
 * be read; else ERR_INVALID.
 */
enum err pages_load(mem_ctx *ctx, const struct config *config, const char *folder, const struct pages **out) MUST_CHECK;

/*
 * Loads the pages of each folder, the last of which is NULL, and prints every fault once: most are in files that all
 * programs read. Then prints what no program reads of the operator's own files and texts, which is no fault.
 */
enum err pages_check(mem_ctx *ctx, const struct config *config, const char *const *folders) MUST_CHECK;

/* Renders a template without layout; also for mails. ERR_INTERNAL: no template of that name. */
enum err pages_render(const struct pages *p, mem_ctx *mem, const char *language, const char *name,
    struct json_object *doc, char **out) MUST_CHECK;

/* By name. A set is sorted before a name is looked for, because a page looks for dozens. */
void entries_sort(struct entries *set);
const struct mustache *entry_find(const struct entries *set, const char *name);

/* The language with this code, or the default. */
const struct language *pages_language(const struct pages *p, const char *code);

/* The template of that name, or NULL. */
const struct mustache *pages_template(const struct pages *p, const char *name);

/* A mustache_partial over a struct language. */
const struct mustache *pages_partial(const void *set, const char *name);

#endif
