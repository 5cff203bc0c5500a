#include "plans.h"

#include <string.h>

#include "json.h"
#include "meters.h"
#include "pages.h"

/* feature_NAME is the operator's text for a feature, whose bare name is shown where there is none. */
static struct json_object *
features_named(struct visit *v, struct json_object *features)
{
	struct json_object	*named = json_object_new_array();

	for (size_t i = 0; features != NULL && i < json_object_array_length(features); i++) {
		const char		*word = json_object_get_string(json_object_array_get_idx(features, i));
		const char		*text = mem_printf(v->q->mem, "feature_%s", word);
		struct json_object	*feature = json_object_new_object();
		bool			has = pages_partial(pages_language(v->app->pages, v->language), text) != NULL;

		json_put(feature, has ? "called" : "word", has ? text : word);
		json_object_array_add(named, feature);
	}
	return named;
}

/* What they are called, and "each" where a price is of one unit. */
static void
meters_offered(struct visit *v, struct json_object *meters)
{
	meters_call(v, meters);
	for (size_t i = 0; meters != NULL && i < json_object_array_length(meters); i++) {
		struct json_object	*m = json_object_array_get_idx(meters, i);

		if (json_int(m, "/per/figure", 0) == 1)
			json_put_true(m, "each");
	}
}

/* What Stripe's page adds or takes off, as the configuration says. */
static void
conditions_put(const struct config *c, struct json_object *plan)
{
	const struct config_plan	*p = config_plan(c, json_text(plan, "/id"));
	const char			*behavior = json_text(plan, "/tax_behavior");

	if (p->trial_days > 0 && !json_true(plan, "/had_trial"))
		json_object_object_add(plan, "trial_days", json_object_new_int(p->trial_days));
	if (p->quantity_max > 1)
		json_object_object_add(plan, "quantity_min", json_object_new_int(p->quantity_min));
	if (p->quantity_max > p->quantity_min)
		json_object_object_add(plan, "quantity_max", json_object_new_int(p->quantity_max));
	if (!c->checkout.automatic_tax)
		json_put(plan, "tax", "tax_none");
	else if (behavior != NULL && strcmp(behavior, "inclusive") == 0)
		json_put(plan, "tax", "tax_included");
	else
		json_put(plan, "tax", "tax_added");
}

bool
plans_sell(const struct config *c, const char *id)
{
	const struct config_plan	*p = id == NULL ? NULL : config_plan(c, id);

	return p != NULL && !p->free;
}

struct json_object *
plans_configured(struct visit *v)
{
	const struct config	*c = v->app->config;
	struct json_object	*doc = json_new(v->q->mem), *plans = json_object_new_array();

	json_object_object_add(doc, "plans", plans);
	for (size_t i = 0; i < c->n_plans; i++) {
		struct json_object	*plan = json_object_new_object();

		json_put(plan, "id", c->plans[i].id);
		json_put(plan, "label", mem_printf(v->q->mem, "plan_%s", c->plans[i].id));
		json_put(plan, "about", mem_printf(v->q->mem, "plan_%s_about", c->plans[i].id));
		json_object_array_add(plans, plan);
	}
	return plans;
}

struct json_object *
plans_offered(struct visit *v, struct json_object *offered, const char *chosen)
{
	struct json_object	*plans = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(offered); i++) {
		struct json_object	*plan = json_object_array_get_idx(offered, i);
		const char		*id = json_text(plan, "/id");

		if (!plans_sell(v->app->config, id))
			continue;
		conditions_put(v->app->config, plan);
		json_object_object_add(plan, "features", features_named(v, json_at(plan, "/features")));
		meters_offered(v, json_at(plan, "/meters"));
		if (chosen != NULL && strcmp(chosen, id) == 0)
			json_put_true(plan, "chosen");
		json_object_array_add(plans, json_object_get(plan));
	}
	if (json_object_array_length(plans) == 1)
		json_put_true(json_object_array_get_idx(plans, 0), "chosen");
	return plans;
}
