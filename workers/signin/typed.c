#include "typed.h"

#include <string.h>

#include "json.h"
#include "signin.h"

bool
typed_read(struct json_object *doc, struct typed *out)
{
	const char	*salt = json_text(doc, "/salt");

	out->cost = (struct password_cost){
		(uint32_t)json_int(doc, "/cost/0", 0), (uint32_t)json_int(doc, "/cost/1", 0),
		(uint32_t)json_int(doc, "/cost/2", 0)
	};
	return salt != NULL && secret_from_hex(salt, strlen(salt), &out->salt);
}

enum err
typed_stretch(struct visit *v, const struct typed *t, struct secret *key)
{
	const struct signin	*s = v->app->own;
	const char		*given = form_get(&v->form, "password");
	char			*prepared;
	enum err		e = password_prepare(v->q->mem, given, &prepared);

	if (e == ERR_INVALID)
		prepared = mem_printf(v->q->mem, "%s", given);
	else
		TRY(e);
	return password_stretch(&s->slots, prepared, &t->salt, &t->cost, key);
}
