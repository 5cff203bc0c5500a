#include <string.h>

#include "form.h"
#include "json.h"
#include "log.h"
#include "private/hosted.h"

/* Stripe does not copy a checkout session's metadata to the subscription, so both get it. */
static char *
checkout_form(mem_ctx *mem, const struct stripe_checkout *c)
{
	const struct { const char *name, *value; } fields[] = {
		{ "mode", "subscription" },
		{ "line_items[0][price]", c->price },
		{ "line_items[0][quantity]", "1" },
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
