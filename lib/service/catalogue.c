/*
 * Prices and meters. What a price costs is for ever: another amount is another price, to which the lookup key moves; those
 * who pay the old one go on doing so.
 */
#include <ctype.h>
#include <string.h>

#include "form.h"
#include "json.h"
#include "upkeep.h"
#include "wanted.h"

/* What the configuration says of a plan's price. */
static struct json_object *
price_wanted(const struct upkeep *u, const struct config_plan *p)
{
	struct json_object	*wanted = json_new(u->o->mem), *recurring;

	if (p->amount == 0)
		return wanted;
	recurring = json_object_new_object();
	json_object_object_add(wanted, "unit_amount", json_object_new_int(p->amount));
	json_put(wanted, "currency", *p->currency ? p->currency : NULL);
	json_put(recurring, "interval", p->interval);
	json_object_object_add(recurring, "interval_count", json_object_new_int(1));
	json_object_object_add(wanted, "recurring", recurring);
	return wanted;
}

/* One whose price is named: it is looked at, and switched on again at most. */
static enum err
named_keep(struct upkeep *u, const struct config_plan *p, struct json_object **price)
{
	mem_ctx			*mem = u->o->mem;
	const char		*path = mem_printf(mem, "/v1/prices/%s", p->price);
	struct json_object	*fields;
	enum err		e = stripe_call(u->o->stripe, mem, "GET", path, NULL, NULL, price);

	if (e == ERR_NOT_FOUND) {
		upkeep_differs(u, CHANGE_BY_HAND, "price", p->price, "is not at Stripe", NULL);
		*price = NULL;
		return OK;
	}
	TRY(e);
	fields = wanted_differences(mem, price_wanted(u, p), *price);
	if (json_object_array_length(fields) > 0)
		upkeep_differs(u, CHANGE_BY_HAND, "price", p->price, "a price cannot change; a lookup_key can move to a new one",
		    fields);
	if (!json_true(*price, "/active") && upkeep_differs(u, CHANGE_UPDATE, "price", p->price, "is not active", NULL))
		return operator_post(u->o, path, "active=true", price);
	return OK;
}

/* Under an id of ours, so that it is made once; what it is called afterwards is the operator's. */
static enum err
product_find(struct upkeep *u, const struct config_plan *p, const char **id)
{
	mem_ctx			*mem = u->o->mem;
	struct json_object	*product, *wanted = json_new(mem);
	enum err		e;

	*id = mem_printf(mem, "tollgate_%s", p->id);
	e = stripe_call(u->o->stripe, mem, "GET", mem_printf(mem, "/v1/products/%s", *id), NULL, NULL, &product);
	if (e != ERR_NOT_FOUND)
		return e;
	json_put(wanted, "id", *id);
	json_put(wanted, "name", mem_printf(mem, "%s %c%s", u->o->config->site.name, toupper((unsigned char)p->id[0]), p->id + 1));
	return operator_post(u->o, "/v1/products", wanted_form(mem, wanted), &product);
}

static enum err
price_create(struct upkeep *u, const struct config_plan *p, struct json_object *old, struct json_object **price)
{
	struct json_object	*wanted = price_wanted(u, p);
	const char		*product = json_id(old, "/product");

	if (product == NULL)
		TRY(product_find(u, p, &product));
	json_put(wanted, "product", product);
	json_put(wanted, "lookup_key", p->lookup_key);
	json_put_true(wanted, "transfer_lookup_key");
	return operator_post(u->o, "/v1/prices", wanted_form(u->o->mem, wanted), price);
}

/* One that is found by its key. */
static enum err
keyed_keep(struct upkeep *u, const struct config_plan *p, struct json_object **price)
{
	mem_ctx			*mem = u->o->mem;
	struct buf		form = { .ctx = mem };
	struct json_object	*found, *fields = NULL;

	form_put(&form, "lookup_keys[0]", p->lookup_key);
	form_put(&form, "active", "true");
	TRY(operator_list(u->o, "/v1/prices", form.data, &found));
	*price = json_object_array_length(found) ? json_object_array_get_idx(found, 0) : NULL;
	if (*price)
		fields = wanted_differences(mem, price_wanted(u, p), *price);
	if (*price && json_object_array_length(fields) == 0)
		return OK;
	if (upkeep_differs(u, CHANGE_CREATE, "price", p->lookup_key, *price ? "replaces another" : NULL, fields))
		return price_create(u, p, *price, price);
	*price = NULL;
	return OK;
}

/* Sign-ups take the price from the database. */
static enum err
price_learn(struct upkeep *u, const struct config_plan *p, struct json_object *price, struct json_object *known)
{
	mem_ctx			*mem = u->o->mem;
	struct json_object	*is = NULL, *none;
	const char		*id = json_text(price, "/id");

	if (id == NULL)
		return OK;		/* there is none */
	json_object_object_get_ex(known, p->id, &is);
	if (is && strcmp(json_object_get_string(is), id) == 0)
		return OK;
	if (!upkeep_differs(u, CHANGE_UPDATE, "plan", p->id, mem_printf(mem, "is sold in the database at %s, should be at %s",
	    is ? json_object_get_string(is) : "no price", id), NULL))
		return OK;
	return db_service(operator_as(u->o, mem), &none, "ops.put_price($1, $2::jsonb)",
	    ARGS(TEXT(p->id), TEXT(json_object_to_json_string(price))));
}

enum err
prices_keep(struct upkeep *u)
{
	struct json_object	*known;

	TRY(db_service(operator_as(u->o, u->o->mem), &known, "ops.plan_prices()", NO_ARGS));
	for (size_t i = 0; i < u->o->config->n_plans; i++) {
		const struct config_plan	*p = &u->o->config->plans[i];

		TRY(*p->price ? named_keep(u, p, &u->prices[i]) : keyed_keep(u, p, &u->prices[i]));
		if (u->prices[i] && !(json_text(u->prices[i], "/id") && json_id(u->prices[i], "/product")))
			return ERR_UPSTREAM;
		TRY(price_learn(u, p, u->prices[i], known));
	}
	return OK;
}

static struct json_object *
meter_wanted(mem_ctx *mem, const struct config_meter *m)
{
	struct json_object	*wanted = json_new(mem), *customer = json_object_new_object(), *value = json_object_new_object();
	struct json_object	*aggregation = json_object_new_object();

	json_put(customer, "type", "by_id");
	json_put(customer, "event_payload_key", m->customer_key);
	json_put(value, "event_payload_key", m->value_key);
	json_put(aggregation, "formula", "sum");
	json_put(wanted, "event_name", m->event_name);
	json_object_object_add(wanted, "customer_mapping", customer);
	json_object_object_add(wanted, "value_settings", value);
	json_object_object_add(wanted, "default_aggregation", aggregation);
	return wanted;
}

/* Only what a meter is called can change. */
static enum err
meter_compare(struct upkeep *u, const struct config_meter *m, struct json_object *wanted, struct json_object *actual)
{
	mem_ctx			*mem = u->o->mem;
	const char		*id = json_text(actual, "/id"), *called = json_text(actual, "/display_name");
	struct json_object	*fields = wanted_differences(mem, wanted, actual), *done;
	struct buf		form = { .ctx = mem };

	if (json_object_array_length(fields) > 0)
		upkeep_differs(u, CHANGE_BY_HAND, "meter", m->event_name, "a meter cannot change: deactivate it at Stripe first",
		    fields);
	if (called && strcmp(called, m->display_name) == 0)
		return OK;
	if (!upkeep_differs(u, CHANGE_UPDATE, "meter", m->event_name, mem_printf(mem, "is called \"%s\", should be \"%s\"",
	    called ? called : "", m->display_name), NULL))
		return OK;
	form_put(&form, "display_name", m->display_name);
	return operator_post(u->o, mem_printf(mem, "/v1/billing/meters/%s", id), form.data, &done);
}

static enum err
meter_keep(struct upkeep *u, const struct config_meter *m, struct json_object *all)
{
	struct json_object	*wanted = meter_wanted(u->o->mem, m), *done;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*actual = json_object_array_get_idx(all, i);
		const char		*name = json_text(actual, "/event_name");

		if (name && strcmp(name, m->event_name) == 0)
			return meter_compare(u, m, wanted, actual);
	}
	if (!upkeep_differs(u, CHANGE_CREATE, "meter", m->event_name, NULL, NULL))
		return OK;
	json_put(wanted, "display_name", m->display_name);
	return operator_post(u->o, "/v1/billing/meters", wanted_form(u->o->mem, wanted), &done);
}

enum err
meters_keep(struct upkeep *u)
{
	struct json_object	*all;

	if (u->o->config->n_meters == 0)
		return OK;
	TRY(operator_list(u->o, "/v1/billing/meters", "status=active", &all));
	for (size_t i = 0; i < u->o->config->n_meters; i++)
		TRY(meter_keep(u, &u->o->config->meters[i], all));
	return OK;
}
