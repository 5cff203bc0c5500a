#include "upkeep.h"

#include <stdlib.h>
#include <sysexits.h>

#include "json.h"
#include "table.h"

static const struct {
	const char	*sign, *name;
	enum colour	colour;
} kinds[] = {
	[CHANGE_CREATE]		= { "+", "create", COLOUR_GOOD },
	[CHANGE_UPDATE]		= { "~", "update", COLOUR_WARN },
	[CHANGE_RETIRE]		= { "-", "retire", COLOUR_WARN },
	[CHANGE_BY_HAND]	= { "!", "by_hand", COLOUR_BAD },
};

static void
text_print(const struct upkeep *u, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	mem_ctx	*mem = u->o->mem;

	printf("%s%s%s %s %s%s%s\n", operator_colour(kinds[c].colour), kinds[c].sign, operator_colour(COLOUR_NONE), what, name,
	    why ? ": " : "", why ? why : "");
	for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
		struct json_object	*f = json_object_array_get_idx(fields, i);

		printf("    %s is %s, should be %s\n", json_text(f, "/field"), table_text(mem, json_at(f, "/is")),
		    table_text(mem, json_at(f, "/should")));
	}
}

static void
json_print(const struct upkeep *u, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	struct json_object	*line = json_new(u->o->mem);

	json_put(line, "change", kinds[c].name);
	json_put(line, "object", what);
	json_put(line, "name", name);
	json_put(line, "why", why);
	if (fields)
		json_object_object_add(line, "fields", json_object_get(fields));
	operator_json(line);
}

bool
upkeep_differs(struct upkeep *u, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	bool	mend = u->apply && c != CHANGE_BY_HAND;

	u->changes++;
	u->left += !mend;
	if (u->o->json)
		json_print(u, c, what, name, why, fields);
	else
		text_print(u, c, what, name, why, fields);
	fflush(stdout);
	return mend;
}

static enum err
all_keep(struct upkeep *u)
{
	TRY(endpoint_keep(u));
	TRY(prices_keep(u));
	TRY(meters_keep(u));
	return portal_keep(u);
}

static int
upkeep_run(const struct operator *o, bool apply)
{
	struct upkeep	u = { .o = o, .apply = apply,
	    .prices = talloc_zero_array(o->mem, struct json_object *, o->config->n_plans + 1) };
	enum err	e = all_keep(&u);

	if (e != OK)
		return operator_failed(o, e);
	fprintf(stderr, apply ? "%u differed, %u left\n" : "%u differ\n", u.changes, u.left);
	return u.left ? EXIT_FAILURE : EX_OK;
}

int
upkeep_diff(const struct operator *o)
{
	return upkeep_run(o, false);
}

int
upkeep_apply(const struct operator *o)
{
	return upkeep_run(o, true);
}
