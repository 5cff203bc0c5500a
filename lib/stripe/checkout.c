#include <string.h>

#include "form.h"
#include "json.h"
#include "log.h"
#include "private/hosted.h"

static const char *
number(mem_ctx *mem, int n)
{
	return mem_printf(mem, "%d", n);
}

/* Where the configuration has it. A customer that exists is changed by what is typed only when we say so. */
static void
options_put(mem_ctx *mem, struct buf *b, const struct stripe_checkout *c)
{
	bool	customer = c->customer != NULL, choice = c->quantity_max > c->quantity_min;
	const struct { bool on; const char *name, *value; } fields[] = {
		{ choice, "line_items[0][adjustable_quantity][enabled]", "true" },
		{ choice, "line_items[0][adjustable_quantity][minimum]", number(mem, c->quantity_min) },
		{ choice, "line_items[0][adjustable_quantity][maximum]", number(mem, c->quantity_max) },
		{ c->trial_days > 0, "subscription_data[trial_period_days]", number(mem, c->trial_days) },
		{ c->promotion_codes, "allow_promotion_codes", "true" },
		{ c->automatic_tax, "automatic_tax[enabled]", "true" },
		{ c->tax_ids, "tax_id_collection[enabled]", "true" },
		{ c->billing_address, "billing_address_collection", "required" },
		{ c->terms, "consent_collection[terms_of_service]", "required" },
		{ customer && (c->automatic_tax || c->billing_address), "customer_update[address]", "auto" },
		{ customer && c->tax_ids, "customer_update[name]", "auto" },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (fields[i].on)
			form_put(b, fields[i].name, fields[i].value);
	}
}

/* Beside the plan's price. A metered price has no quantity: its meter counts. */
static void
metered_put(mem_ctx *mem, struct buf *b, struct json_object *prices)
{
	for (size_t i = 0; prices != NULL && i < json_object_array_length(prices); i++)
		form_put(b, mem_printf(mem, "line_items[%zu][price]", i + 1),
		    json_object_get_string(json_object_array_get_idx(prices, i)));
}

/* Stripe does not copy a checkout session's metadata to the subscription, so both get it. */
static char *
checkout_form(mem_ctx *mem, const struct stripe_checkout *c)
{
	const struct { const char *name, *value; } fields[] = {
		{ "mode", "subscription" },
		{ "line_items[0][price]", c->price },
		{ "line_items[0][quantity]", number(mem, c->quantity_min > 1 ? c->quantity_min : 1) },
		{ "customer", c->customer },
		{ "customer_email", c->customer == NULL ? c->email : NULL },
		{ "client_reference_id", c->tenant },
		{ "metadata[tenant_id]", c->tenant },
		{ "metadata[plan]", c->plan },
		{ "subscription_data[metadata][tenant_id]", c->tenant },
		{ "subscription_data[metadata][plan]", c->plan },
		{ "success_url", c->success_url },
		{ "cancel_url", c->cancel_url },
		{ "locale", c->language },
	};
	struct buf	b = { .ctx = mem };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (fields[i].value != NULL)
			form_put(&b, fields[i].name, fields[i].value);
	}
	metered_put(mem, &b, c->metered);
	options_put(mem, &b, c);
	return b.data;
}

bool
stripe_refuses_email(struct json_object *answer)
{
	return json_is(answer, "/error/code", "email_invalid");
}

enum err
stripe_checkout(struct stripe *s, mem_ctx *mem, const struct stripe_checkout *c, const char **id, const char **url)
{
	struct json_object	*session;
	const char		*status;
	enum err		e;

	*id = *url = NULL;
	e = stripe_call(s, mem, "POST", "/v1/checkout/sessions", checkout_form(mem, c), c->key, &session);
	if (json_is(session, "/error/code", "resource_missing") && json_is(session, "/error/param", "customer"))
		return ERR_NOT_FOUND;
	if (stripe_refuses_email(session))
		return ERR_BAD_REQUEST;
	TRY(e == ERR_NOT_FOUND ? ERR_UPSTREAM : e);
	*id = json_text(session, "/id");
	status = json_text(session, "/status");
	if (*id == NULL || strncmp(*id, "cs_", 3) != 0 || status == NULL) {
		log_line(LOG_ERROR, "stripe_checkout", LOG_TEXT("reason", "the answer is not a checkout session"));
		return ERR_UPSTREAM;
	}
	if (strcmp(status, "open") != 0)
		return OK;
	return stripe_page_url(session, stripe_hosted(s)->checkout, url);
}
