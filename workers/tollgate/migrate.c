#include "commands.h"

#include <stdlib.h>
#include <sysexits.h>

#include "json.h"
#include "schema.h"

static struct json_object *
plan_json(const struct config_plan *p, size_t rank)
{
	struct json_object	*plan = json_object_new_object(), *features = json_object_new_array();

	for (size_t i = 0; i < p->features.n; i++)
		json_object_array_add(features, json_object_new_string(p->features.items[i]));
	json_put(plan, "id", p->id);
	json_put(plan, "price", *p->price ? p->price : NULL);
	json_put(plan, "lookup_key", *p->lookup_key ? p->lookup_key : NULL);
	if (p->amount > 0)
		json_object_object_add(plan, "amount", json_object_new_int(p->amount));
	json_put(plan, "currency", *p->currency ? p->currency : NULL);
	json_put(plan, "interval", p->interval);
	json_object_object_add(plan, "grace_days", json_object_new_int(p->grace_days));
	json_object_object_add(plan, "features", features);
	if (p->free)
		json_put_true(plan, "free");
	json_object_object_add(plan, "rank", json_object_new_int64((int64_t)rank));
	return plan;
}

/* A plan's rank is its place in the configuration, which lists the smallest plan first. */
static const char *
plans_json(const struct operator *o)
{
	struct json_object	*list = json_hang(o->mem, json_object_new_array());

	for (size_t i = 0; i < o->config->n_plans; i++)
		json_object_array_add(list, plan_json(&o->config->plans[i], i + 1));
	return json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
}

int
schema_migrate(const struct operator *o)
{
	return operator_code(schema_apply(o->mem, &(struct schema_options){
		.conninfo = o->config->database.conninfo, .schema = o->config->database.schema, .plans = plans_json(o),
		.environment = o->config->site.environment, .dry_run = o->dry_run, .stamp = o->stamp,
		.passwords = o->config->database.passwords,
	}));
}
