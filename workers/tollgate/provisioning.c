#include "provisioning.h"

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
text_print(const struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	mem_ctx	*mem = pr->o->mem;

	printf("%s%s%s %s %s%s%s\n", operator_colour(kinds[c].colour), kinds[c].sign, operator_colour(COLOUR_NONE), what,
	    name, why ? ": " : "", why ? why : "");
	for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
		struct json_object	*f = json_object_array_get_idx(fields, i);

		printf("    %s is %s, should be %s\n", json_text(f, "/field"), table_text(mem, json_at(f, "/is")),
		    table_text(mem, json_at(f, "/should")));
	}
}

static void
json_print(const struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	struct json_object	*line = json_new(pr->o->mem);

	json_put(line, "change", kinds[c].name);
	json_put(line, "object", what);
	json_put(line, "name", name);
	json_put(line, "why", why);
	if (fields)
		json_object_object_add(line, "fields", json_object_get(fields));
	operator_json(line);
}

bool
provisioning_differs(struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	bool	make = pr->apply && c != CHANGE_BY_HAND;

	pr->changes++;
	pr->left += !make;
	if (pr->o->json)
		json_print(pr, c, what, name, why, fields);
	else
		text_print(pr, c, what, name, why, fields);
	fflush(stdout);
	return make;
}

/* A plan that migrate has not written yet could not learn its price: apply stops before it makes one. */
static enum err
plans_check(struct provisioning *pr)
{
	bool	missing = false;

	TRY(db_service(operator_as(pr->o, pr->o->mem), &pr->known, "ops.plan_prices()", NO_ARGS));
	for (size_t i = 0; i < pr->o->config->n_plans; i++) {
		const char	*id = pr->o->config->plans[i].id;

		if (json_object_object_get_ex(pr->known, id, NULL))
			continue;
		provisioning_differs(pr, CHANGE_BY_HAND, "plan", id, "is not in the database: run tollgate migrate first", NULL);
		missing = true;
	}
	return missing && pr->apply ? ERR_CLOSED : OK;
}

static enum err
all_keep(struct provisioning *pr)
{
	TRY(plans_check(pr));
	TRY(endpoint_keep(pr));
	TRY(prices_keep(pr));
	TRY(meters_keep(pr));
	return portal_keep(pr);
}

static int
provisioning_run(const struct operator *o, bool apply)
{
	struct provisioning	pr = { .o = o, .apply = apply,
	    .prices = talloc_zero_array(o->mem, struct json_object *, o->config->n_plans + 1) };
	enum err	e = all_keep(&pr);

	if (e != OK)
		return operator_failed(o, e);
	fprintf(stderr, apply ? "differences: %u; left: %u\n" : "differences: %u\n", pr.changes, pr.left);
	return pr.left ? EXIT_FAILURE : EX_OK;
}

int
provisioning_diff(const struct operator *o)
{
	return provisioning_run(o, false);
}

int
provisioning_apply(const struct operator *o)
{
	return provisioning_run(o, true);
}
