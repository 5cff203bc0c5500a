#include "checkout.h"

#include <string.h>

#include "json.h"

struct json_object *
checkout_plans(struct visit *v, const char *chosen)
{
	struct json_object	*plans = json_object_new_array();
	const struct config	*c = v->app->config;

	for (size_t i = 0; i < c->n_plans; i++) {
		struct json_object	*plan = json_object_new_object();

		json_put(plan, "id", c->plans[i].id);
		json_put(plan, "label", mem_printf(v->q->mem, "plan_%s", c->plans[i].id));
		json_put(plan, "about", mem_printf(v->q->mem, "plan_%s_about", c->plans[i].id));
		if (chosen != NULL && strcmp(chosen, c->plans[i].id) == 0)
			json_put_true(plan, "chosen");
		json_object_array_add(plans, plan);
	}
	return plans;
}

const char *
checkout_attempt(struct visit *v, struct json_object *draft)
{
	return mem_printf(v->q->mem, "%d", (int)json_int(draft, "/attempt", 1));
}

enum err
checkout_open(struct visit *v, struct json_object *draft, const char *success, const char *cancel, const char **id,
    const char **url)
{
	const char		*key = json_text(draft, "/idempotency");
	struct stripe_checkout	c = {
		.tenant = json_text(draft, "/tenant"), .plan = json_text(draft, "/plan"), .price = json_text(draft, "/price"),
		.email = json_text(draft, "/email"), .customer = json_text(draft, "/customer"),
		.language = json_text(draft, "/language"),
		.success_url = visit_url(v, success), .cancel_url = visit_url(v, cancel),
	};

	if (c.tenant == NULL || c.plan == NULL || c.language == NULL)
		return ERR_INTERNAL;
	if (c.price == NULL)
		return ERR_UNAVAILABLE;		/* `tollgate stripe apply` has not made it yet */
	if (c.customer != NULL)
		c.email = NULL;
	c.key = key != NULL ? key : mem_printf(v->q->mem, "checkout:%s:%s", c.tenant, checkout_attempt(v, draft));
	return stripe_checkout(v->app->stripe, v->q->mem, &c, id, url);
}
