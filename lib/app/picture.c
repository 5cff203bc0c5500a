#include "picture.h"

#include <string.h>

#include "form.h"

char *
picture_query(mem_ctx *ctx, const struct picture *p)
{
	struct buf	b = { .ctx = ctx };

	form_put(&b, "heading", p->heading);
	form_put(&b, "type", p->type);
	form_put(&b, "mode", p->mode);
	return b.data;
}

bool
picture_sign(const struct config *c, const char *query, struct secret *out)
{
	if (*c->og.key == '\0')
		return false;
	*out = secret_hmac(c->og.key, strlen(c->og.key), query, strlen(query));
	return true;
}

char *
picture_url(mem_ctx *ctx, const struct config *c, const struct picture *p)
{
	char		*query = picture_query(ctx, p);
	struct secret	signature;

	if (!picture_sign(c, query, &signature))
		return mem_printf(ctx, "%s/api/og?%s", c->site.url, query);
	return mem_printf(ctx, "%s/api/og?%s&signature=%s", c->site.url, query, secret_base64url(ctx, &signature));
}
