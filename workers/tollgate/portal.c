/*
 * The customer portal's configuration. A digest of the desired state, in the metadata, identifies it at Stripe. A new
 * desired state creates another one, so that open portal sessions keep theirs. One changed at Stripe is restored.
 */
#include <string.h>

#include "json.h"
#include "secret.h"
#include "provisioning.h"
#include "desired.h"

static const char	what[] = "portal configuration";

enum { DIGEST_LENGTH = 16 };	/* hex digits */

static struct json_object *
feature_add(struct json_object *features, const char *name, bool enabled)
{
	struct json_object	*feature = json_object_new_object();

	json_object_object_add(feature, "enabled", json_object_new_boolean(enabled));
	json_object_object_add(features, name, feature);
	return feature;
}

static struct json_object *
texts(const struct config_list *list)
{
	struct json_object	*array = json_object_new_array();

	for (size_t i = 0; i < list->n; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	return array;
}

/* The list of prices of a product in products, to which the product is added when it is not there. */
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

static bool
prices_clash(struct json_object *a, struct json_object *b)
{
	static const char *const	members[] = {
		"/product", "/currency", "/recurring/interval", "/recurring/interval_count", NULL,
	};
	const char *const		*m = members;

	while (*m && json_object_equal(json_at(a, *m), json_at(b, *m)))
		m++;
	return *m == NULL;
}

/* The earlier plan that is offered instead, or NULL: Stripe takes one price of a product for each interval. */
static const struct config_plan *
rival_of(const struct provisioning *pr, size_t plan)
{
	for (size_t i = 0; pr->prices[plan] && i < plan; i++) {
		if (prices_clash(pr->prices[i], pr->prices[plan]))
			return &pr->o->config->plans[i];
	}
	return NULL;
}

static void
rivals_say(struct provisioning *pr)
{
	const struct config	*c = pr->o->config;

	for (size_t i = 0; c->portal.change_plan && i < c->n_plans; i++) {
		const struct config_plan	*rival = rival_of(pr, i);

		if (rival)
			provisioning_differs(pr, CHANGE_BY_HAND, what, c->portal.name, mem_printf(pr->o->mem,
			    "offers no change to plan %s: its price is of the product and interval of plan %s, and Stripe takes "
			    "one: give plan %s a price of another product", c->plans[i].id, rival->id, c->plans[i].id), NULL);
	}
}

/* Stripe's portal adds no metered item, and changes no subscription that has one. */
static bool
is_metered(const struct config *c, const char *plan)
{
	for (size_t i = 0; i < c->n_quotas; i++) {
		if (c->quotas[i].sold && strcmp(c->quotas[i].plan, plan) == 0)
			return true;
	}
	return false;
}

static bool
is_offered(const struct provisioning *pr, size_t plan)
{
	const struct config_plan	*p = &pr->o->config->plans[plan];

	return !p->free && rival_of(pr, plan) == NULL && !is_metered(pr->o->config, p->id);
}

static bool
changes_plans(const struct provisioning *pr)
{
	size_t	n = 0;

	for (size_t i = 0; i < pr->o->config->n_plans; i++)
		n += is_offered(pr, i);
	return pr->o->config->portal.change_plan && n > 0;
}

static void
plans_add(const struct provisioning *pr, struct json_object *features)
{
	bool			changes = changes_plans(pr);
	struct json_object	*change = feature_add(features, "subscription_update", changes);
	struct json_object	*products, *allowed;

	if (!changes)
		return;
	products = json_object_new_array();
	for (size_t i = 0; i < pr->o->config->n_plans; i++) {
		if (is_offered(pr, i))
			json_object_array_add(prices_of(products, json_id(pr->prices[i], "/product")),
			    json_object_new_string(json_text(pr->prices[i], "/id")));
	}
	allowed = json_object_new_array();
	json_object_array_add(allowed, json_object_new_string("price"));
	json_object_object_add(change, "default_allowed_updates", allowed);
	json_put(change, "proration_behavior", "create_prorations");
	json_object_object_add(change, "products", products);
}

static struct json_object *
portal_desired(const struct provisioning *pr)
{
	const struct config	*c = pr->o->config;
	struct json_object	*desired = json_new(pr->o->mem), *features = json_object_new_object(), *feature;
	bool			cancels = strcmp(c->portal.cancel, "no") != 0;

	json_object_object_add(desired, "features", features);
	feature_add(features, "invoice_history", c->portal.invoices);
	feature_add(features, "payment_method_update", c->portal.payment_method);
	feature = feature_add(features, "customer_update", c->portal.customer_update.n > 0);
	if (c->portal.customer_update.n > 0)
		json_object_object_add(feature, "allowed_updates", texts(&c->portal.customer_update));
	feature = feature_add(features, "subscription_cancel", cancels);
	json_put(feature, "mode", cancels ? c->portal.cancel : NULL);
	plans_add(pr, features);
	json_put(desired, "name", c->portal.name);
	return desired;
}

static const char *
digest_of(mem_ctx *mem, struct json_object *desired)
{
	const char	*text = json_object_to_json_string_ext(desired, JSON_C_TO_STRING_PLAIN);
	struct secret	sum = secret_sha256("", text, strlen(text));

	return mem_copy(mem, secret_hex(mem, &sum), DIGEST_LENGTH);
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

/* *id: of the configuration found or created; NULL when there is none and this run creates none. */
static enum err
version_keep(struct provisioning *pr, struct json_object *desired, struct json_object *actual, const char *digest,
    const char **id)
{
	mem_ctx			*mem = pr->o->mem;
	struct json_object	*fields, *done;

	*id = json_text(actual, "/id");
	if (actual == NULL) {
		if (!provisioning_differs(pr, CHANGE_CREATE, what, pr->o->config->portal.name, digest, NULL))
			return OK;
		TRY(operator_post(pr->o, "/v1/billing_portal/configurations",
		    mem_printf(mem, "%s&metadata[tollgate]=%s", desired_form(mem, desired), digest), &done));
		*id = json_text(done, "/id");
		return *id ? OK : ERR_UPSTREAM;
	}
	json_put_true(desired, "active");
	fields = desired_differences(mem, desired, actual);
	if (json_object_array_length(fields) == 0 ||
	    !provisioning_differs(pr, CHANGE_UPDATE, what, *id, "was changed at Stripe", fields))
		return OK;
	return operator_post(pr->o, mem_printf(mem, "/v1/billing_portal/configurations/%s", *id),
	    desired_form(mem, desired), &done);
}

/* Stores the desired state, with which jobs compares it from now on. billing uses what the configuration names. */
static enum err
version_use(struct provisioning *pr, struct json_object *desired, const char *id)
{
	mem_ctx			*mem = pr->o->mem;

	if (strcmp(pr->o->config->stripe.portal_configuration, id) != 0)
		provisioning_differs(pr, CHANGE_BY_HAND, "stripe.portal_configuration", pr->o->path,
		    mem_printf(mem, "is \"%s\", should be \"%s\"", pr->o->config->stripe.portal_configuration, id), NULL);
	if (!pr->apply)
		return OK;
	json_put_true(desired, "active");
	return db_service(operator_as(pr->o, mem), NULL, "ops.put_portal_configuration($1, $2::jsonb)",
	    ARGS(TEXT(id), TEXT(json_object_to_json_string(desired))));
}

/* Stripe opens no portal before somebody has saved its settings, unless the configuration names one of its own. */
static enum err
default_check(struct provisioning *pr)
{
	struct json_object	*found;

	TRY(operator_list(pr->o, "/v1/billing_portal/configurations", "is_default=true&active=true", &found));
	if (json_object_array_length(found) == 0)
		provisioning_differs(pr, CHANGE_BY_HAND, what, "default", "does not exist at Stripe: save the portal's "
		    "settings in its Dashboard, or set portal.name and run tollgate stripe apply", NULL);
	return OK;
}

/* Without portal.name the portal is managed at Stripe, but the one that is used must be active there. */
static enum err
named_check(struct provisioning *pr)
{
	const char		*id = pr->o->config->stripe.portal_configuration;
	struct json_object	*actual;
	enum err		e;

	if (*id == '\0')
		return default_check(pr);
	e = stripe_call(pr->o->stripe, pr->o->mem, "GET",
	    mem_printf(pr->o->mem, "/v1/billing_portal/configurations/%s", id), NULL, NULL, &actual);
	if (e == ERR_NOT_FOUND)
		provisioning_differs(pr, CHANGE_BY_HAND, what, id, "does not exist at Stripe", NULL);
	else if (e == OK && !json_true(actual, "/active"))
		provisioning_differs(pr, CHANGE_BY_HAND, what, id, "is not active", NULL);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
portal_keep(struct provisioning *pr)
{
	const struct config	*c = pr->o->config;
	struct json_object	*all, *desired;
	const char		*digest, *id;

	if (*c->portal.name == '\0')
		return named_check(pr);
	for (size_t i = 0; c->portal.change_plan && i < c->n_plans; i++) {
		if (pr->prices[i] == NULL && !c->plans[i].free) {
			provisioning_differs(pr, CHANGE_BY_HAND, what, c->portal.name, "needs the prices above first", NULL);
			return OK;
		}
	}
	rivals_say(pr);
	desired = portal_desired(pr);
	digest = digest_of(pr->o->mem, desired);
	TRY(operator_list(pr->o, "/v1/billing_portal/configurations",
	    "expand[0]=data.features.subscription_update.products", &all));
	TRY(version_keep(pr, desired, version_find(all, digest), digest, &id));
	return id ? version_use(pr, desired, id) : OK;
}
