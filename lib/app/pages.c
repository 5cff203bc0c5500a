#include "pages.h"

#include <stdlib.h>
#include <string.h>

#define PLAN "plan_"
#define ABOUT "_about"

/* What the partials of one page are found by, and where those that are made live. */
struct shown {
	const struct language	*language;
	mem_ctx			*mem;
};

static int
entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

void
entries_sort(struct entries *set)
{
	qsort(set->rows, set->n, sizeof(*set->rows), entry_compare);
}

const struct mustache *
entry_find(const struct entries *set, const char *name)
{
	const struct entry	*e;

	e = bsearch(&(struct entry){ name, NULL }, set->rows, set->n, sizeof(*set->rows), entry_compare);
	return e == NULL ? NULL : e->text;
}

/* Texts of the language first, then shared template pieces. */
const struct mustache *
pages_partial(const void *set, const char *name)
{
	const struct language	*l = set;
	const struct mustache	*t = entry_find(&l->texts, name);

	return t != NULL ? t : entry_find(l->templates, name);
}

/*
 * What a page or a mail shows where it names a partial. A plan that is sold no more may have lost its text, and its
 * tenants keep it: its id then stands for its name. A description that is missing stays away. An id has no character
 * that means anything to a template or to HTML.
 */
static const struct mustache *
partial_shown(const void *arg, const char *name)
{
	const struct shown	*s = arg;
	const struct mustache	*t = pages_partial(s->language, name);
	size_t			n = strlen(name);

	if (t != NULL || strncmp(name, PLAN, strlen(PLAN)) != 0 ||
	    (n > strlen(ABOUT) && strcmp(name + n - strlen(ABOUT), ABOUT) == 0))
		return t;
	return mustache_parse_text(s->mem, name + strlen(PLAN), &t, NULL) == OK ? t : NULL;
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
	const struct shown	s = { pages_language(p, language), mem };
	struct buf		b = { .ctx = mem };

	if (t == NULL)
		return ERR_INTERNAL;
	TRY(mustache_render(t, doc, partial_shown, &s, &b));
	*out = b.data == NULL ? mem_copy(mem, "", 0) : b.data;
	return OK;
}
