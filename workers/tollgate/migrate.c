#include "commands.h"

#include <stdlib.h>
#include <sysexits.h>

#include "chat.h"
#include "json.h"
#include "schema.h"
#include "usage.h"

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

#define LIMIT(name) { #name, offsetof(struct config, limits.name) }

static const struct limit {
	const char	*kind;		/* in auth.limits */
	size_t		offset;
} limits[] = {
	LIMIT(link_stranger), LIMIT(link_known), LIMIT(link_global), LIMIT(confirm), LIMIT(second_totp),
	LIMIT(second_recovery), LIMIT(address_change), LIMIT(invite_tenant), LIMIT(invite_address),
	LIMIT(link_near), LIMIT(link_wide), LIMIT(link_far), LIMIT(draft_near), LIMIT(draft_wide), LIMIT(draft_far),
	LIMIT(call_near), LIMIT(call_wide), LIMIT(call_far), LIMIT(password_near), LIMIT(password_wide),
	LIMIT(password_far), LIMIT(password_global), LIMIT(password_tries), LIMIT(password_address),
	LIMIT(flow_near), LIMIT(flow_wide), LIMIT(flow_far), { 0 }
};

static const char *
settings_json(const struct operator *o)
{
	struct json_object	*settings = json_new(o->mem), *all = json_object_new_object();

	for (const struct limit *l = limits; l->kind; l++)
		json_object_object_add(all, l->kind, json_object_new_int(*(const int *)((const char *)o->config + l->offset)));
	json_object_object_add(settings, "limits", all);
	json_object_object_add(settings, "receipts", json_object_new_boolean(o->config->mail.receipts));
	return json_object_to_json_string_ext(settings, JSON_C_TO_STRING_PLAIN);
}

int
schema_migrate(const struct operator *o)
{
	return operator_code(schema_apply(o->mem, &(struct schema_options){
		.conninfo = o->config->database.conninfo, .schema = o->config->database.schema, .plans = plans_json(o),
		.settings = settings_json(o), .usage = usage_json(o), .chat = chat_json(o),
		.environment = o->config->site.environment, .dry_run = o->dry_run, .stamp = o->stamp,
		.passwords = o->config->database.passwords,
	}));
}
