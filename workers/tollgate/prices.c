/*
 * Prices of plans, and what is common to all prices. Stripe cannot change a price's amount: another amount needs a new
 * price, to which the lookup key is transferred. So does another product. Existing subscriptions keep the old price.
 */
#include <ctype.h>
#include <string.h>

#include "form.h"
#include "json.h"
#include "provisioning.h"
#include "desired.h"

/* The id at Stripe of the product that the plan's price is made for. */
static const char *
product_of(mem_ctx *mem, const struct config_plan *p)
{
	return mem_printf(mem, "tollgate_%s", *p->product ? p->product : p->id);
}

/*
 * A plan's price in the configuration; empty when it gives no amount. Without a configured product the price is left
 * on the one that it is on.
 */
static struct json_object *
price_desired(const struct provisioning *pr, const struct config_plan *p)
{
	struct json_object	*desired = json_new(pr->o->mem), *recurring;

	if (p->amount == 0)
		return desired;
	recurring = json_object_new_object();
	json_object_object_add(desired, "unit_amount", json_object_new_int(p->amount));
	json_put(desired, "currency", *p->currency ? p->currency : NULL);
	json_put(recurring, "interval", p->interval);
	json_object_object_add(recurring, "interval_count", json_object_new_int(1));
	json_object_object_add(desired, "recurring", recurring);
	if (*p->product)
		json_put(desired, "product", product_of(pr->o->mem, p));
	return desired;
}

/* A price with a configured ID is only compared, and activated if it is not active. */
static enum err
named_keep(struct provisioning *pr, const struct wanted_price *w, struct json_object **price)
{
	mem_ctx			*mem = pr->o->mem;
	const char		*path = mem_printf(mem, "/v1/prices/%s", w->price);
	struct json_object	*fields;
	enum err		e = stripe_call(pr->o->stripe, mem, "GET", path, "expand[0]=tiers", NULL, price);

	if (e == ERR_NOT_FOUND) {
		provisioning_differs(pr, CHANGE_BY_HAND, "price", w->price, "does not exist at Stripe", NULL);
		*price = NULL;
		return OK;
	}
	TRY(e);
	fields = desired_differences(mem, w->desired, *price);
	if (json_object_array_length(fields) > 0)
		provisioning_differs(pr, CHANGE_BY_HAND, "price", w->price,
		    "Stripe cannot change a price: configure a lookup_key, which can move to a new one", fields);
	if (json_at(*price, "/recurring") == NULL)
		provisioning_differs(pr, CHANGE_BY_HAND, "price", w->price, "is paid once: a plan's price recurs", NULL);
	if (!json_true(*price, "/active") &&
	    provisioning_differs(pr, CHANGE_UPDATE, "price", w->price, "is not active", NULL))
		return operator_post(pr->o, path, "active=true&expand[0]=tiers", price);
	return OK;
}

/* Our own id makes the product once. Its name is only set then: the operator may change it at Stripe. */
static enum err
product_find(struct provisioning *pr, const struct wanted_price *w)
{
	mem_ctx			*mem = pr->o->mem;
	struct json_object	*product, *desired = json_new(mem);
	enum err		e;

	e = stripe_call(pr->o->stripe, mem, "GET", mem_printf(mem, "/v1/products/%s", w->product), NULL, NULL, &product);
	if (e != ERR_NOT_FOUND)
		return e;
	json_put(desired, "id", w->product);
	json_put(desired, "name", mem_printf(mem, "%s %c%s", pr->o->config->site.name, toupper((unsigned char)*w->called),
	    w->called + 1));
	return operator_post(pr->o, "/v1/products", desired_form(mem, desired), &product);
}

static enum err
price_create(struct provisioning *pr, const struct wanted_price *w, struct json_object *old, struct json_object **price)
{
	const char	*product = json_at(w->desired, "/product") ? NULL : json_id(old, "/product");

	if (product == NULL)
		TRY(product_find(pr, w));
	json_put(w->made, "product", product ? product : w->product);
	json_put(w->made, "lookup_key", w->lookup_key);
	json_put_true(w->made, "transfer_lookup_key");
	return operator_post(pr->o, "/v1/prices", mem_printf(pr->o->mem, "%s&expand[0]=tiers",
	    desired_form(pr->o->mem, w->made)), price);
}

/* A price with a lookup key is the active one with that key. */
static enum err
keyed_keep(struct provisioning *pr, const struct wanted_price *w, struct json_object **price)
{
	mem_ctx			*mem = pr->o->mem;
	struct buf		form = { .ctx = mem };
	struct json_object	*found, *fields = NULL;

	form_put(&form, "lookup_keys[0]", w->lookup_key);
	form_put(&form, "active", "true");
	form_put(&form, "expand[0]", "data.tiers");
	TRY(operator_list(pr->o, "/v1/prices", form.data, &found));
	*price = json_object_array_length(found) ? json_object_array_get_idx(found, 0) : NULL;
	if (*price)
		fields = desired_differences(mem, w->desired, *price);
	if (*price && json_object_array_length(fields) == 0)
		return OK;
	if (provisioning_differs(pr, CHANGE_CREATE, "price", w->lookup_key, *price ? "replaces the current one" : NULL,
	    fields))
		return price_create(pr, w, *price, price);
	*price = NULL;
	return OK;
}

/* Stores the price's id in the database, from which sign-ups take it. */
static enum err
price_store(struct provisioning *pr, const struct wanted_price *w, struct json_object *price)
{
	mem_ctx			*mem = pr->o->mem;
	struct db_service	*db = operator_as(pr->o, mem);
	struct json_object	*is = NULL;
	const char		*id = json_text(price, "/id"), *text = json_object_to_json_string(price);
	const char		*name = w->meter ? mem_printf(mem, "%s/%s", w->plan, w->meter) : w->plan;

	if (!json_object_object_get_ex(pr->known, name, &is))
		return OK;		/* plans_check has said it */
	if (is && strcmp(json_object_get_string(is), id) == 0)
		return OK;
	if (!provisioning_differs(pr, CHANGE_UPDATE, w->meter ? "quota" : "plan", name,
	    mem_printf(mem, "has %s in the database, should have %s", is ? json_object_get_string(is) : "no price", id),
	    NULL))
		return OK;
	if (w->meter == NULL)
		return db_service(db, NULL, "ops.put_price($1, $2::jsonb)", ARGS(TEXT(w->plan), TEXT(text)));
	return db_service(db, NULL, "ops.put_metered_price($1, $2, $3::jsonb)", ARGS(TEXT(w->plan), TEXT(w->meter),
	    TEXT(text)));
}

/* Stripe sells no price of a product that is not active. */
static enum err
product_keep(struct provisioning *pr, struct json_object *price)
{
	mem_ctx			*mem = pr->o->mem;
	const char		*id = json_id(price, "/product"), *path = mem_printf(mem, "/v1/products/%s", id);
	struct json_object	*product;
	enum err		e = stripe_call(pr->o->stripe, mem, "GET", path, NULL, NULL, &product);

	if (e == ERR_NOT_FOUND) {
		provisioning_differs(pr, CHANGE_BY_HAND, "product", id, "does not exist at Stripe", NULL);
		return OK;
	}
	TRY(e);
	if (!json_true(product, "/active") &&
	    provisioning_differs(pr, CHANGE_UPDATE, "product", id, "is not active", NULL))
		return operator_post(pr->o, path, "active=true", &product);
	return OK;
}

enum err
wanted_keep(struct provisioning *pr, const struct wanted_price *w, struct json_object **price)
{
	TRY(*w->price ? named_keep(pr, w, price) : keyed_keep(pr, w, price));
	if (*price == NULL)
		return OK;
	if (json_text(*price, "/id") == NULL || json_id(*price, "/product") == NULL)
		return ERR_UPSTREAM;
	TRY(product_keep(pr, *price));
	return price_store(pr, w, *price);
}

enum err
price_keep(struct provisioning *pr, size_t plan)
{
	const struct config_plan	*p = &pr->o->config->plans[plan];

	if (p->free)
		return OK;
	return wanted_keep(pr, &(struct wanted_price){
		.plan = p->id, .price = p->price, .lookup_key = p->lookup_key, .product = product_of(pr->o->mem, p),
		.called = *p->product ? p->product : p->id, .desired = price_desired(pr, p), .made = price_desired(pr, p),
	}, &pr->prices[plan]);
}
