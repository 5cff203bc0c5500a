#include "checkout.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "permit.h"
#include "secret.h"
#include "stripe.h"

enum { TRIES = 2 };

int64_t
checkout_attempt(struct json_object *draft)
{
	return json_int(draft, "/attempt", 1);
}

int
checkout_trial(const struct visit *v, struct json_object *draft)
{
	const char			*plan = json_text(draft, "/plan");
	const struct config_plan	*p = plan == NULL ? NULL : config_plan(v->app->config, plan);

	return p == NULL || json_true(draft, "/had_trial") ? 0 : p->trial_days;
}

const char *
checkout_fault(enum err e)
{
	if (e == ERR_BAD_REQUEST)
		return "email_refused";
	return e == ERR_INTERNAL || e == ERR_KEY_REFUSED ? "fault_checkout_told" : "fault_checkout";
}

enum err
checkout_open(struct visit *v, struct json_object *draft, const char *success, const char *cancel, const char **id,
    const char **url)
{
	const char		*key = json_text(draft, "/idempotency"), *plan = json_text(draft, "/plan");
	const struct config	*config = v->app->config;
	const struct config_plan *p = plan == NULL ? NULL : config_plan(config, plan);
	struct stripe_checkout	c = {
		.tenant = json_text(draft, "/tenant"), .plan = plan, .price = json_text(draft, "/price"),
		.metered = json_at(draft, "/metered"),
		.email = json_text(draft, "/email"), .customer = json_text(draft, "/customer"),
		.language = json_text(draft, "/language"),
		.success_url = visit_url(v, success), .cancel_url = visit_url(v, cancel),
		.promotion_codes = config->checkout.promotion_codes, .automatic_tax = config->checkout.automatic_tax,
		.tax_ids = config->checkout.tax_ids, .billing_address = config->checkout.billing_address,
		.terms = config->checkout.terms,
	};
	struct stripe		*stripe;

	if (c.tenant == NULL || c.plan == NULL || c.language == NULL)
		return ERR_INTERNAL;
	if (p == NULL)
		return ERR_UNAVAILABLE;		/* a draft from before the plan left the configuration */
	c.trial_days = checkout_trial(v, draft);
	c.quantity_min = p->quantity_min;
	c.quantity_max = p->quantity_max;
	if (c.price == NULL || c.metered == NULL)
		return ERR_UNAVAILABLE;		/* `tollgate stripe apply` has not created the prices yet */
	if (c.customer != NULL)
		c.email = NULL;
	c.key = key != NULL ? key : mem_printf(v->q->mem, "checkout:%s:%" PRId64, c.tenant,
	    checkout_attempt(draft));
	TRY(permit_take(v, &stripe));
	return stripe_checkout(stripe, v->q->mem, &c, id, url);
}

static enum err
checkout_look(struct visit *v, const char *path, bool *open)
{
	struct json_object	*checkout;
	struct stripe		*stripe;
	enum err		e;

	*open = false;
	TRY(permit_take(v, &stripe));
	e = stripe_call(stripe, v->q->mem, "GET", path, NULL, NULL, &checkout);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	*open = json_is(checkout, "/status", "open");
	if (*open || json_is(checkout, "/status", "expired"))
		return OK;
	return json_is(checkout, "/status", "complete") ? ERR_CONFLICT : ERR_UPSTREAM;
}

/*
 * Stripe refuses to expire a checkout session that was expired or completed meanwhile; the next look tells which. Each
 * try has a key of its own, so that no stored failure is replayed.
 */
enum err
checkout_close(struct visit *v, const char *id)
{
	const char		*path = mem_printf(v->q->mem, "/v1/checkout/sessions/%s", id);
	const char		*expire = mem_printf(v->q->mem, "%s/expire", path);
	struct json_object	*closed;
	struct stripe		*stripe;
	struct secret		key;
	bool			open;
	enum err		e;

	for (int i = 0; i < TRIES; i++) {
		TRY(checkout_look(v, path, &open));
		if (!open)
			return OK;
		TRY(secret_random(&key));
		TRY(permit_take(v, &stripe));
		e = stripe_call(stripe, v->q->mem, "POST", expire, "", secret_hex(v->q->mem, &key), &closed);
		if (e != ERR_CONFLICT && e != ERR_INTERNAL)
			return e;
	}
	return ERR_UNAVAILABLE;
}

enum err
checkout_unrecorded(struct visit *v, const char *session, enum err recorded)
{
	enum err	e;

	if (recorded != ERR_NOT_FOUND && recorded != ERR_CONFLICT)
		return recorded;
	e = checkout_close(v, session);
	return e == OK ? ERR_CONFLICT : e;
}
