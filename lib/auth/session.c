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

enum err
session_new(struct secret *token, struct secret *stored)
{
	struct secret	d;

	TRY(secret_random(token));
	d = bearer_of(token);
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
session_csrf(mem_ctx *mem, const struct secret *token)
{
	struct secret	mac = secret_hmac(token->bytes, SECRET_SIZE, "csrf1", strlen("csrf1"));

	return secret_base64url(mem, &mac);
}

bool
session_csrf_ok(const struct secret *token, const char *given)
{
	struct secret	claimed, wanted;

	if (given == NULL || !secret_from_base64url(given, strlen(given), &claimed))
		return false;
	wanted = secret_hmac(token->bytes, SECRET_SIZE, "csrf1", strlen("csrf1"));
	return secret_equal(&claimed, &wanted);
}

char *
session_key(mem_ctx *mem, const struct secret *token, const char *label, const char *value)
{
	struct buf	b = { .ctx = mem };
	struct secret	mac;

	buf_put(&b, label, strlen(label) + 1);
	buf_puts(&b, value);
	mac = secret_hmac(token->bytes, SECRET_SIZE, b.data, b.len);
	return secret_hex(mem, &mac);
}
