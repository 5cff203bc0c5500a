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

static struct buf
session_form(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url, const char *language)
{
	const struct stripe_hosted	*hosted = stripe_hosted(s);
	struct buf			b = { .ctx = mem };

	form_put(&b, "customer", customer);
	form_put(&b, "return_url", return_url);
	form_put(&b, "locale", language);
	if (hosted->portal_configuration[0] != '\0')
		form_put(&b, "configuration", hosted->portal_configuration);
	return b;
}

static enum err
session_open(struct stripe *s, mem_ctx *mem, const char *form, const char **url)
{
	struct json_object	*session;
	enum err		e;

	*url = NULL;
	e = session_make(s, mem, form, &session);
	if (e == ERR_CONFLICT)
		e = session_make(s, mem, form, &session);
	TRY(e);
	return stripe_page_url(session, stripe_hosted(s)->portal, url);
}

enum err
stripe_portal(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url, const char *language,
    const char **url)
{
	return session_open(s, mem, session_form(s, mem, customer, return_url, language).data, url);
}

enum err
stripe_portal_card(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url, const char *language,
    const char **url)
{
	struct buf	b = session_form(s, mem, customer, return_url, language);

	form_put(&b, "flow_data[type]", "payment_method_update");
	form_put(&b, "flow_data[after_completion][type]", "redirect");
	form_put(&b, "flow_data[after_completion][redirect][return_url]", return_url);
	return session_open(s, mem, b.data, url);
}
