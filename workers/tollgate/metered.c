/*
 * Prices of what is sold beside a plan by a meter: what is included is a first tier at 0. Stripe is told of every unit
 * and subtracts.
 */
#include "json.h"
#include "provisioning.h"

static struct json_object *
tier(struct json_object *up_to, const char *unit_amount)
{
	struct json_object	*t = json_object_new_object();

	json_object_object_add(t, "up_to", up_to);
	if (unit_amount)
		json_put(t, "unit_amount_decimal", unit_amount);
	return t;
}

/* last: what the bound of the last tier is called, "inf" in a call and null in an answer. */
static void
tiers_add(struct json_object *desired, const struct config_quota *q, struct json_object *last)
{
	struct json_object	*tiers = json_object_new_array();
	const char		*unit_amount = *q->unit_amount ? q->unit_amount : NULL;

	json_put(desired, "billing_scheme", "tiered");
	json_put(desired, "tiers_mode", "graduated");
	json_object_array_add(tiers, tier(json_object_new_int(q->included), "0"));
	json_object_array_add(tiers, tier(last, unit_amount));
	json_object_object_add(desired, "tiers", tiers);
}

/*
 * Without a lookup key only what the quota says is compared. A meter that `diff` has not found is not there yet. A plan
 * that has its price's ID has that one's currency.
 */
static struct json_object *
metered_desired(const struct provisioning *pr, const struct config_quota *q, size_t plan, struct json_object *last)
{
	const struct config_plan	*p = &pr->o->config->plans[plan];
	struct json_object		*desired = json_new(pr->o->mem), *recurring = json_object_new_object();
	const char			*currency = *p->currency ? p->currency : json_text(pr->prices[plan], "/currency");

	if (currency)
		json_put(desired, "currency", currency);
	json_put(recurring, "interval", p->interval);
	json_object_object_add(recurring, "interval_count", json_object_new_int(1));
	json_put(recurring, "usage_type", "metered");
	json_put(recurring, "meter", json_text(json_at(pr->meters, mem_printf(pr->o->mem, "/%s", q->meter)), ""));
	json_object_object_add(desired, "recurring", recurring);
	if (q->included > 0)
		tiers_add(desired, q, last);
	else if (*q->unit_amount)
		json_put(desired, "unit_amount_decimal", q->unit_amount);
	return desired;
}

enum err
metered_keep(struct provisioning *pr, size_t quota)
{
	const struct config		*c = pr->o->config;
	const struct config_quota	*q = &c->quotas[quota];
	size_t				plan = (size_t)(config_plan(c, q->plan) - c->plans);
	struct json_object		*price;

	if (!q->sold)
		return OK;
	return wanted_keep(pr, &(struct wanted_price){
		.plan = q->plan, .meter = q->meter, .price = q->price, .lookup_key = q->lookup_key,
		.product = mem_printf(pr->o->mem, "tollgate_meter_%s", q->meter),
		.called = config_meter(c, q->meter)->display_name,
		.desired = metered_desired(pr, q, plan, NULL),
		.made = metered_desired(pr, q, plan, json_object_new_string("inf")),
	}, &price);
}
