#include "grant.h"

#include <string.h>
#include <strings.h>

#include "base64url.h"
#include "claims.h"
#include "form.h"
#include "json.h"

enum { ANSWER_MAX = 256 * 1024, ANSWER_MS = 10000 };

/* RFC 6749, 2.3.1: both parts are escaped before they are joined. */
static const char *
basic_header(mem_ctx *mem, const struct config_provider *p)
{
	struct buf	b = { .ctx = mem };

	form_escape(&b, p->client_id);
	buf_puts(&b, ":");
	form_escape(&b, p->client_secret);
	return mem_printf(mem, "Authorization: Basic %s", base64_write(mem, b.data, b.len));
}

static enum err
answer_read(struct visit *v, struct callback *c, const struct https_request *q, struct json_object **out)
{
	static const char *const	none[] = { NULL };
	struct https_answer		a;

	https_exchange(issuer_https(c->issuer), v->q->mem, q, &a, none, NULL);
	if (a.status == 0 || a.status >= 500) {
		c->why = a.too_large ? "its answer is larger than 256 KiB" :
		    a.status == 0 ? a.why : mem_printf(v->q->mem, "it answers with status %d", a.status);
		return a.too_large ? ERR_INVALID : ERR_UNAVAILABLE;
	}
	if (json_parse_unique(v->q->mem, a.body.data, a.body.len, out) != OK) {
		c->why = "its answer is no JSON";
		return ERR_INVALID;
	}
	if (a.status == 200 && json_at(*out, "/error") == NULL)
		return OK;
	c->why = mem_printf(v->q->mem, "it refuses with status %d: %.100s", a.status,
	    json_text(*out, "/error") ? json_text(*out, "/error") : "");
	return ERR_INVALID;
}

enum err
grant_redeem(struct visit *v, struct callback *c, const char *url, bool posts_secret, struct grant *out)
{
	const char		*headers[] = { "Accept: application/json",
	    "Content-Type: application/x-www-form-urlencoded", NULL, NULL };
	struct buf		body = { .ctx = v->q->mem };
	struct json_object	*doc;
	const char		*type;

	form_put(&body, "grant_type", "authorization_code");
	form_put(&body, "code", c->code);
	form_put(&body, "redirect_uri", provider_callback(v, c->provider));
	form_put(&body, "code_verifier", flow_verifier(v, &c->flow));
	form_put(&body, "client_id", c->provider->client_id);
	if (posts_secret)
		form_put(&body, "client_secret", c->provider->client_secret);
	else
		headers[2] = basic_header(v->q->mem, c->provider);
	TRY(answer_read(v, c, &(struct https_request){ .method = "POST", .url = url, .body = body.data,
	    .headers = headers, .timeout_ms = ANSWER_MS, .max_body = ANSWER_MAX }, &doc));
	*out = (struct grant){ .access_token = claims_text(doc, "/access_token"), .id_token = json_text(doc, "/id_token") };
	type = json_text(doc, "/token_type");
	if (out->access_token != NULL && *out->access_token != '\0' && type != NULL && strcasecmp(type, "bearer") == 0)
		return OK;
	c->why = "it gives no bearer token";
	return ERR_INVALID;
}

/* What would break the header is refused: the token is the party's. */
static bool
is_header_safe(const char *token)
{
	for (const char *s = token; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

enum err
grant_read(struct visit *v, struct callback *c, const struct grant *g, const char *url, struct json_object **out)
{
	const char	*headers[] = { "Accept: application/json",
	    mem_printf(v->q->mem, "Authorization: Bearer %s", g->access_token), NULL };

	if (!is_header_safe(g->access_token)) {
		c->why = "its access token cannot be sent";
		return ERR_INVALID;
	}
	return answer_read(v, c, &(struct https_request){ .method = "GET", .url = url, .headers = headers,
	    .timeout_ms = ANSWER_MS, .max_body = ANSWER_MAX }, out);
}
