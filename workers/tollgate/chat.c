#include "chat.h"

#include "json.h"

static struct json_object *
model_json(const struct config_model *m, size_t rank)
{
	struct json_object	*model = json_object_new_object(), *plans = json_object_new_array();

	for (size_t i = 0; i < m->plans.n; i++)
		json_object_array_add(plans, json_object_new_string(m->plans.items[i]));
	json_put(model, "name", m->name);
	json_put(model, "label", m->display_name);
	json_put(model, "provider", m->provider);
	json_put(model, "model", m->model);
	json_object_object_add(model, "max_tokens", json_object_new_int(m->max_tokens));
	json_object_object_add(model, "context", json_object_new_int(m->context));
	json_put(model, "fallback", *m->fallback ? m->fallback : NULL);
	json_object_object_add(model, "plans", plans);
	json_object_object_add(model, "rank", json_object_new_int64((int64_t)rank));
	return model;
}

const char *
chat_json(const struct operator *o)
{
	const struct config	*c = o->config;
	struct json_object	*all = json_new(o->mem), *models = json_object_new_array();

	for (size_t i = 0; i < c->n_models; i++)
		json_object_array_add(models, model_json(&c->models[i], i + 1));
	json_put(all, "meter", *c->chat.meter ? c->chat.meter : NULL);
	json_put(all, "model", *c->chat.model ? c->chat.model : NULL);
	json_put(all, "title_model", *c->chat.title_model ? c->chat.title_model : NULL);
	json_put(all, "system", *c->chat.system ? c->chat.system : NULL);
	json_object_object_add(all, "models", models);
	return json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN);
}
