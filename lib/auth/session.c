#include "session.h"

#include <string.h>

bool
session_read(const char *cookie, struct secret *token)
{
	return cookie != NULL && secret_from_base64url(cookie, strlen(cookie), token);
}

/* D, which the database sees but does not store. */
static struct secret
bearer_of(const struct secret *token)
{
	return secret_sha256("db1", token->bytes, SECRET_SIZE);
}

bool
session_cookie_read(const char *cookie, struct session *s)
{
	bool	earlier = session_read(cookie, &s->token);

	s->stable = s->token;
	if (earlier || cookie == NULL || strlen(cookie) != 2 * SECRET_BASE64URL)
		return earlier;
	return secret_from_base64url(cookie, SECRET_BASE64URL, &s->stable) &&
	    secret_from_base64url(cookie + SECRET_BASE64URL, SECRET_BASE64URL, &s->token);
}

char *
session_cookie(mem_ctx *mem, const struct session *s)
{
	return mem_printf(mem, "%s%s", secret_base64url(mem, &s->stable), secret_base64url(mem, &s->token));
}

enum err
session_new(struct session *s, struct secret *stored)
{
	TRY(secret_random(&s->stable));
	return session_renew(s, stored);
}

enum err
session_renew(struct session *s, struct secret *stored)
{
	struct secret	d;

	TRY(secret_random(&s->token));
	d = bearer_of(&s->token);
	*stored = session_digest(&d);
	return OK;
}

struct secret
session_digest(const struct secret *token)
{
	return secret_sha256("", token->bytes, SECRET_SIZE);
}

char *
session_bearer(mem_ctx *mem, const struct secret *token)
{
	struct secret	d = bearer_of(token);

	return secret_hex(mem, &d);
}

char *
session_csrf(mem_ctx *mem, const struct secret *key)
{
	struct secret	mac = secret_hmac(key->bytes, SECRET_SIZE, "csrf1", strlen("csrf1"));

	return secret_base64url(mem, &mac);
}

bool
session_csrf_ok(const struct secret *key, const char *given)
{
	struct secret	claimed, wanted;

	if (given == NULL || !secret_from_base64url(given, strlen(given), &claimed))
		return false;
	wanted = secret_hmac(key->bytes, SECRET_SIZE, "csrf1", strlen("csrf1"));
	return secret_equal(&claimed, &wanted);
}

char *
session_key(mem_ctx *mem, const struct secret *key, const char *label, const char *value)
{
	struct buf	b = { .ctx = mem };
	struct secret	mac;

	buf_put(&b, label, strlen(label) + 1);
	buf_puts(&b, value);
	mac = secret_hmac(key->bytes, SECRET_SIZE, b.data, b.len);
	return secret_hex(mem, &mac);
}
