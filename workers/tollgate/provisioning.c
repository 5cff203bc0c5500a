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

/* As a fault of `check`, with what to do. What is to be created is there already, and differs, when it has fields. */
static void
check_print(enum change c, const char *what, const char *name, const char *why, bool differs)
{
	printf("%s %s: %s%s\n", what, name, c != CHANGE_CREATE ? why : differs ? "differs" : "does not exist at Stripe",
	    c != CHANGE_BY_HAND ? ": run tollgate stripe apply" : "");
}

static void
text_print(const struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields)
{
	mem_ctx	*mem = pr->o->mem;

	if (pr->check)
		check_print(c, what, name, why, fields != NULL);
	else
		printf("%s%s%s %s %s%s%s\n", operator_colour(kinds[c].colour), kinds[c].sign, operator_colour(COLOUR_NONE),
		    what, name, why ? ": " : "", why ? why : "");
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

enum err
plans_check(struct provisioning *pr)
{
	bool	missing = false;

	pr->meters = json_new(pr->o->mem);
	pr->prices = talloc_zero_array(pr->o->mem, struct json_object *, pr->o->config->n_plans + 1);
	TRY(db_service(operator_as(pr->o, pr->o->mem), &pr->known, "ops.plan_prices()", NO_ARGS));
	for (size_t i = 0; i < pr->o->config->n_plans; i++) {
		const char	*id = pr->o->config->plans[i].id;

		if (json_object_object_get_ex(pr->known, id, NULL))
			continue;
		provisioning_differs(pr, CHANGE_BY_HAND, "plan", id, "is not in the database: run tollgate migrate first",
		    NULL);
		missing = true;
	}
	return missing && pr->apply ? ERR_CLOSED : OK;
}

static enum err
all_keep(struct provisioning *pr)
{
	TRY(plans_check(pr));
	TRY(endpoint_keep(pr));
	for (size_t i = 0; i < pr->o->config->n_plans; i++)
		TRY(price_keep(pr, i));
	TRY(meters_keep(pr));
	for (size_t i = 0; i < pr->o->config->n_quotas; i++)
		TRY(metered_keep(pr, i));
	return portal_keep(pr);
}

static int
provisioning_run(const struct operator *o, bool apply)
{
	struct provisioning	pr = { .o = o, .apply = apply };
	enum err		e = all_keep(&pr);

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

/* Says that nothing differs when nothing has been said since the count before. */
static void
ok_print(const struct provisioning *pr, unsigned before, const char *what)
{
	if (pr->changes == before)
		printf("%s: ok\n", what);
}

static enum err
check_run(struct provisioning *pr)
{
	const struct config	*c = pr->o->config;
	unsigned		before;

	TRY(plans_check(pr));
	for (size_t i = 0; i < c->n_plans; i++) {
		before = pr->changes;
		TRY(price_keep(pr, i));
		ok_print(pr, before, mem_printf(pr->o->mem, "plan %s", c->plans[i].id));
	}
	before = pr->changes;
	TRY(meters_keep(pr));
	for (size_t i = 0; i < c->n_quotas; i++)
		TRY(metered_keep(pr, i));
	if (c->n_meters > 0)
		ok_print(pr, before, "meters");
	before = pr->changes;
	TRY(portal_keep(pr));
	ok_print(pr, before, "portal");
	return OK;
}

int
provisioning_check(const struct operator *o)
{
	struct provisioning	pr = { .o = o, .check = true };
	enum err		e = check_run(&pr);

	if (e != OK)
		return operator_failed(o, e);
	return pr.changes ? EXIT_FAILURE : EX_OK;
}
