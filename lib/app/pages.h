/*
 * pages: every template and language catalogue, read once at start and constant afterwards. Texts of a language are
 * partials of its templates: {{>signup_title}}.
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
	struct entries		texts;
	const struct entries	*templates;
};

struct pages {
	struct entries	templates;	/* "signup" for signup.mustache, "mail/signin.txt" for mail/signin.txt.mustache */
	struct language	*languages;	/* the first is the default */
	size_t		n_languages;
	const char	*style;
	const char	*style_version;	/* changes when the style sheet does */
};

/* Prints every fault (a text that one language lacks included) on stderr and returns ERR_INVALID. */
enum err pages_load(mem_ctx *ctx, const struct config *config, const struct pages **out) MUST_CHECK;

/* The language with this code, or the default. */
const struct language *pages_language(const struct pages *p, const char *code);

/* NULL when there is none. */
const struct mustache *pages_template(const struct pages *p, const char *name);

/* A mustache_partial over a struct language. */
const struct mustache *pages_partial(const void *set, const char *name);

#endif
