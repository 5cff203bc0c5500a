#include "api_key.h"

#include <string.h>

static struct secret
bearer_of(const struct secret *key)
{
	return secret_sha256("key1", key->bytes, SECRET_SIZE);
}

enum err
api_key_new(mem_ctx *mem, char **key, struct secret *stored)
{
	struct secret	random, bearer;

	TRY(secret_random(&random));
	bearer = bearer_of(&random);
	*stored = secret_sha256("", bearer.bytes, SECRET_SIZE);
	*key = mem_printf(mem, API_KEY_PREFIX "%s", secret_base64url(mem, &random));
	return OK;
}

char *
api_key_bearer(mem_ctx *mem, const char *key)
{
	size_t		n = strlen(API_KEY_PREFIX);
	struct secret	bytes, bearer;

	if (key == NULL || strncmp(key, API_KEY_PREFIX, n) != 0)
		return NULL;
	if (!secret_from_base64url(key + n, strlen(key + n), &bytes))
		return NULL;
	bearer = bearer_of(&bytes);
	return secret_hex(mem, &bearer);
}
