#include "pages.h"

#include <stdlib.h>
#include <string.h>

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
