/*
 * The customer portal's configuration. One that differs from all there are is made anew and known by a digest of what it
 * allows, so that sessions already handed out keep theirs; one that somebody changed at Stripe is put right.
 */
#include <string.h>

#include "json.h"
#include "secret.h"
#include "upkeep.h"
#include "wanted.h"

static const char	what[] = "portal configuration";

enum { DIGEST = 16 };

static struct json_object *
feature_add(struct json_object *features, const char *name, bool enabled)
{
	struct json_object	*feature = json_object_new_object();

	json_object_object_add(feature, "enabled", json_object_new_boolean(enabled));
	json_object_object_add(features, name, feature);
	return feature;
}

static struct json_object *
words(const struct config_list *list)
{
	struct json_object	*array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	return array;
}

/* The list of this product's prices among the products; a new one where there is none. */
static struct json_object *
prices_of(struct json_object *products, const char *product)
{
	struct json_object	*entry, *prices = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(products); i++) {
		entry = json_object_array_get_idx(products, i);
		if (json_is(entry, "/product", product)) {
			json_object_put(prices);
			return json_at(entry, "/prices");
		}
	}
	entry = json_object_new_object();
	json_put(entry, "product", product);
	json_object_object_add(entry, "prices", prices);
	json_object_array_add(products, entry);
	return prices;
}

static void
plans_add(const struct upkeep *u, struct json_object *features)
{
	struct json_object	*change = feature_add(features, "subscription_update", u->o->config->portal.change_plan);
	struct json_object	*products, *allowed;

	if (!u->o->config->portal.change_plan)
		return;
	products = json_object_new_array();
	for (size_t i = 0; i < u->o->config->n_plans; i++)
		json_object_array_add(prices_of(products, json_id(u->prices[i], "/product")),
		    json_object_new_string(json_text(u->prices[i], "/id")));
	allowed = json_object_new_array();
	json_object_array_add(allowed, json_object_new_string("price"));
	json_object_object_add(change, "default_allowed_updates", allowed);
	json_put(change, "proration_behavior", "create_prorations");
	json_object_object_add(change, "products", products);
}

static struct json_object *
portal_wanted(const struct upkeep *u)
{
	const struct config	*c = u->o->config;
	struct json_object	*wanted = json_new(u->o->mem), *features = json_object_new_object(), *feature;
	bool			cancels = strcmp(c->portal.cancel, "no") != 0;

	json_object_object_add(wanted, "features", features);
	feature_add(features, "invoice_history", c->portal.invoices);
	feature_add(features, "payment_method_update", c->portal.payment_method);
	feature = feature_add(features, "customer_update", c->portal.customer_update.n > 0);
	if (c->portal.customer_update.n > 0)
		json_object_object_add(feature, "allowed_updates", words(&c->portal.customer_update));
	feature = feature_add(features, "subscription_cancel", cancels);
	json_put(feature, "mode", cancels ? c->portal.cancel : NULL);
	plans_add(u, features);
	json_put(wanted, "name", c->portal.name);
	return wanted;
}

static const char *
digest_of(mem_ctx *mem, struct json_object *wanted)
{
	const char	*text = json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN);
	struct secret	sum = secret_sha256("", text, strlen(text));

	return mem_copy(mem, secret_hex(mem, &sum), DIGEST);
}

static struct json_object *
version_find(struct json_object *all, const char *digest)
{
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*c = json_object_array_get_idx(all, i);
		const char		*is = json_text(c, "/metadata/tollgate");

		if (is && strcmp(is, digest) == 0)
			return c;
	}
	return NULL;
}

/* *id: of the one there is in the end; NULL when none is and none was made. */
static enum err
version_keep(struct upkeep *u, struct json_object *wanted, struct json_object *actual, const char *digest, const char **id)
{
	mem_ctx			*mem = u->o->mem;
	struct json_object	*fields, *done;

	*id = json_text(actual, "/id");
	if (actual == NULL) {
		if (!upkeep_differs(u, CHANGE_CREATE, what, u->o->config->portal.name, digest, NULL))
			return OK;
		TRY(operator_post(u->o, "/v1/billing_portal/configurations",
		    mem_printf(mem, "%s&metadata[tollgate]=%s", wanted_form(mem, wanted), digest), &done));
		*id = json_text(done, "/id");
		return *id ? OK : ERR_UPSTREAM;
	}
	json_put_true(wanted, "active");
	fields = wanted_differences(mem, wanted, actual);
	if (json_object_array_length(fields) == 0 || !upkeep_differs(u, CHANGE_UPDATE, what, *id, "was changed at Stripe", fields))
		return OK;
	return operator_post(u->o, mem_printf(mem, "/v1/billing_portal/configurations/%s", *id), wanted_form(mem, wanted), &done);
}

/* The database watches it from now on; whether billing uses it is for the configuration to say. */
static enum err
version_use(struct upkeep *u, struct json_object *wanted, const char *id)
{
	mem_ctx			*mem = u->o->mem;
	struct json_object	*none;

	if (strcmp(u->o->config->stripe.portal_configuration, id) != 0)
		upkeep_differs(u, CHANGE_BY_HAND, "stripe.portal_configuration", u->o->path,
		    mem_printf(mem, "is \"%s\", should be \"%s\"", u->o->config->stripe.portal_configuration, id), NULL);
	if (!u->apply)
		return OK;
	json_put_true(wanted, "active");
	return db_service(operator_as(u->o, mem), &none, "ops.put_portal_configuration($1, $2::jsonb)",
	    ARGS(TEXT(id), TEXT(json_object_to_json_string(wanted))));
}

/* Not ours to keep, but what the configuration names must be there. */
static enum err
named_check(struct upkeep *u)
{
	const char		*id = u->o->config->stripe.portal_configuration;
	struct json_object	*actual;
	enum err		e;

	if (*id == '\0')
		return OK;
	e = stripe_call(u->o->stripe, u->o->mem, "GET", mem_printf(u->o->mem, "/v1/billing_portal/configurations/%s", id), NULL,
	    NULL, &actual);
	if (e == ERR_NOT_FOUND)
		upkeep_differs(u, CHANGE_BY_HAND, what, id, "is not at Stripe", NULL);
	else if (e == OK && !json_true(actual, "/active"))
		upkeep_differs(u, CHANGE_BY_HAND, what, id, "is not active", NULL);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
portal_keep(struct upkeep *u)
{
	const struct config	*c = u->o->config;
	struct json_object	*all, *wanted;
	const char		*digest, *id;

	if (*c->portal.name == '\0')
		return named_check(u);
	for (size_t i = 0; c->portal.change_plan && i < c->n_plans; i++) {
		if (u->prices[i] == NULL) {
			upkeep_differs(u, CHANGE_BY_HAND, what, c->portal.name, "waits for the prices it offers", NULL);
			return OK;
		}
	}
	wanted = portal_wanted(u);
	digest = digest_of(u->o->mem, wanted);
	TRY(operator_list(u->o, "/v1/billing_portal/configurations",
	    "expand[0]=data.features.subscription_update.products", &all));
	TRY(version_keep(u, wanted, version_find(all, digest), digest, &id));
	return id ? version_use(u, wanted, id) : OK;
}
