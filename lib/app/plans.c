#include "plans.h"

#include <string.h>

#include "json.h"
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

		json_put(feature, has ? "label" : "word", has ? text : word);
		json_object_array_add(named, feature);
	}
	return named;
}

bool
plans_sell(const struct config *c, const char *id)
{
	const struct config_plan	*p = id == NULL ? NULL : config_plan(c, id);

	return p != NULL && !p->free;
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
		json_object_object_add(plan, "features", features_named(v, json_at(plan, "/features")));
		if (chosen != NULL && strcmp(chosen, id) == 0)
			json_put_true(plan, "chosen");
		json_object_array_add(plans, json_object_get(plan));
	}
	if (json_object_array_length(plans) == 1)
		json_put_true(json_object_array_get_idx(plans, 0), "chosen");
	return plans;
}
