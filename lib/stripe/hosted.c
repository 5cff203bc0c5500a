#include "private/hosted.h"

#include <string.h>

#include "json.h"
#include "log.h"
#include "origin.h"

static const char stripe_api[] = "https://api.stripe.com";
static const char stripe_checkout_origin[] = "https://checkout.stripe.com";
static const char stripe_portal_origin[] = "https://billing.stripe.com";

struct stripe_hosted
stripe_hosted_of(mem_ctx *ctx, const struct stripe_options *options)
{
	char	*own = origin_of(ctx, options->api_url);

	if (own == NULL || strcmp(own, stripe_api) == 0) {
		return (struct stripe_hosted){ stripe_checkout_origin, stripe_portal_origin,
		    mem_printf(ctx, "%s %s", stripe_checkout_origin, stripe_portal_origin),
		    options->portal_configuration, false };
	}
	return (struct stripe_hosted){ own, own, own, options->portal_configuration, origin_is_loopback(own) };
}

enum err
stripe_page_url(struct json_object *answer, const char *origin, const char **url)
{
	*url = json_text(answer, "/url");
	if (*url != NULL && origin_holds(origin, *url))
		return OK;
	log_line(LOG_ERROR, "stripe_page",
	    LOG_TEXT("reason", *url == NULL ? "the answer has no url" : "the url is not on the expected origin"),
	    LOG_TEXT("expected", origin));
	*url = NULL;
	return ERR_UPSTREAM;
}
