/* chosen: a password that somebody sets. */
#include "chosen.h"

#include <ctype.h>
#include <string.h>

#include "signin.h"
#include "weakness.h"

enum { WORDS = 16 };

/* What in a password anybody can guess who knows the user: the site's name, the address and its parts. */
static const char **
words_of(struct visit *v, const char *email)
{
	const char	**words = talloc_zero_array(v->q->mem, const char *, WORDS + 1);
	char		*parts = mem_printf(v->q->mem, "%s", email), *rest, *word;
	int		n = 0;

	words[n++] = mem_printf(v->q->mem, "%s", v->app->config->site.name);
	words[n++] = mem_printf(v->q->mem, "%s", email);
	words[n++] = mem_copy(v->q->mem, email, strcspn(email, "@"));
	for (word = strtok_r(parts, "@.-_+", &rest); word != NULL && n < WORDS; word = strtok_r(NULL, "@.-_+", &rest))
		words[n++] = word;
	for (int i = 0; i < n; i++) {
		for (char *c = (char *)words[i]; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	return words;
}

enum err
chosen_judge(struct visit *v, const char *email, struct chosen *out, const char **why)
{
	const struct signin	*s = v->app->own;
	const char		*given = form_get(&v->form, "password");
	enum err		e = password_prepare(v->q->mem, given == NULL ? "" : given, &out->prepared);

	if (e == ERR_INVALID) {
		*why = "password_unreadable";
		return OK;
	}
	TRY(e);
	*why = given == NULL || *given == '\0' ? "password_missing" :
	    weakness_of(out->prepared, &s->breached, words_of(v, email));
	return OK;
}

enum err
chosen_stretch(struct visit *v, struct chosen *c)
{
	const struct signin	*s = v->app->own;

	TRY(secret_random(&c->salt));
	c->cost = cost_text(v->q->mem, &password_cost);
	return password_stretch(&s->slots, c->prepared, &c->salt, &password_cost, &c->key);
}

const char *
cost_text(mem_ctx *mem, const struct password_cost *c)
{
	return mem_printf(mem, "{%u,%u,%u}", c->memory, c->passes, c->lanes);
}
