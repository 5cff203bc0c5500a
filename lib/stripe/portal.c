#include "form.h"
#include "private/hosted.h"
#include "secret.h"

/* Each click makes a portal session, which is never stored: the random key only joins the attempts of one call. */
static enum err
session_make(struct stripe *s, mem_ctx *mem, const char *form, struct json_object **session)
{
	struct secret	key;

	TRY(secret_random(&key));
	return stripe_call(s, mem, "POST", "/v1/billing_portal/sessions", form, secret_hex(mem, &key), session);
}

enum err
stripe_portal(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url, const char *language,
    const char **url)
{
	const struct stripe_hosted	*hosted = stripe_hosted(s);
	struct buf			b = { .ctx = mem };
	struct json_object		*session;
	enum err			e;

	*url = NULL;
	form_put(&b, "customer", customer);
	form_put(&b, "return_url", return_url);
	form_put(&b, "locale", language);
	if (hosted->portal_configuration[0] != '\0')
		form_put(&b, "configuration", hosted->portal_configuration);
	e = session_make(s, mem, b.data, &session);
	if (e == ERR_CONFLICT)
		e = session_make(s, mem, b.data, &session);
	TRY(e);
	return stripe_page_url(session, hosted->portal, url);
}
