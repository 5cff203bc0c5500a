#include "jws.h"

#include <openssl/evp.h>
#include <string.h>

#include "base64url.h"
#include "pubkey.h"

struct jws_alg {
	const char	*name, *kty, *digest;
	enum pubkey_alg	alg;
};

/* Neither "none" nor an HMAC, whose key would be one that everybody has. */
static const struct jws_alg algs[] = {
	{ "RS256", "RSA", "SHA256", PUBKEY_RS256 },
	{ "PS256", "RSA", "SHA256", PUBKEY_PS256 },
	{ "ES256", "EC", "SHA256", PUBKEY_ES256_RAW },
	{ "EdDSA", "OKP", "SHA512", PUBKEY_EDDSA },
};

static const struct jws_alg *
alg_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(algs) / sizeof(algs[0]); i++) {
		if (strcmp(algs[i].name, name) == 0)
			return &algs[i];
	}
	return NULL;
}

/* Decodes a part; NULL: it is not base64url. */
static uint8_t *
part_read(mem_ctx *mem, const char *text, size_t n, size_t *len)
{
	uint8_t	*bytes = talloc_array(mem, uint8_t, n + 1);

	return base64url_read(text, n, bytes, len) ? bytes : NULL;
}

/* A part that is a JSON object with unique keys; NULL for anything else. */
static struct json_object *
part_parse(mem_ctx *mem, const char *text, size_t n)
{
	struct json_object	*doc;
	size_t			len;
	uint8_t			*bytes = part_read(mem, text, n, &len);

	if (bytes == NULL || json_parse_unique(mem, bytes, len, &doc) != OK)
		return NULL;
	return json_object_is_type(doc, json_type_object) ? doc : NULL;
}

static const char *
header_fault(struct json_object *header, struct jws *out)
{
	if (header == NULL)
		return "its header is no JSON object";
	out->alg = alg_find(json_text(header, "/alg"));
	out->kid = json_text(header, "/kid");
	if (out->alg == NULL)
		return "its algorithm is not one that we take";
	if (json_object_object_get_ex(header, "crit", NULL))
		return "it has critical extensions";
	return json_at(header, "/kid") != NULL && out->kid == NULL ? "its kid is no text" : NULL;
}

static const char *
token_fault(mem_ctx *mem, const char *token, size_t n, struct jws *out)
{
	const char	*first = memchr(token, '.', n), *end = token + n, *second, *why;

	if (n > JWS_MAX)
		return "it is longer than 16 KiB";
	second = first ? memchr(first + 1, '.', (size_t)(end - first) - 1) : NULL;
	if (second == NULL || memchr(second + 1, '.', (size_t)(end - second) - 1) != NULL)
		return "it has not three parts";
	why = header_fault(part_parse(mem, token, (size_t)(first - token)), out);
	if (why != NULL)
		return why;
	out->claims = part_parse(mem, first + 1, (size_t)(second - first) - 1);
	if (out->claims == NULL)
		return "its claims are no JSON object";
	out->signature = part_read(mem, second + 1, (size_t)(end - second) - 1, &out->signature_len);
	if (out->signature == NULL || out->signature_len == 0)
		return "it has no signature";
	out->bytes = token;
	out->n = (size_t)(second - token);
	return NULL;
}

enum err
jws_read(mem_ctx *mem, const char *token, size_t n, struct jws *out, const char **why)
{
	*out = (struct jws){ 0 };
	*why = token_fault(mem, token, n, out);
	return *why == NULL ? OK : ERR_INVALID;
}

/* A number or coordinate of a key, or NULL. */
static uint8_t *
member_read(mem_ctx *mem, struct json_object *jwk, const char *pointer, size_t *len)
{
	const char	*text = json_text(jwk, pointer);

	return text ? part_read(mem, text, strlen(text), len) : NULL;
}

/* Makes the key of its kty; ERR_INVALID for one that we do not take. */
static enum err
key_make(mem_ctx *mem, struct json_object *jwk, const struct jws_alg *alg, struct pubkey **out)
{
	bool	rsa = strcmp(alg->kty, "RSA") == 0, ec = strcmp(alg->kty, "EC") == 0;
	size_t	n = 0, m = 0;
	uint8_t	*first = member_read(mem, jwk, rsa ? "/n" : "/x", &n);
	uint8_t	*second = member_read(mem, jwk, rsa ? "/e" : "/y", &m);

	if (first == NULL || ((rsa || ec) && second == NULL))
		return ERR_INVALID;
	if (rsa)
		return pubkey_rsa(mem, first, n, second, m, out);
	if (!json_is(jwk, "/crv", ec ? "P-256" : "Ed25519"))
		return ERR_INVALID;
	return ec ? pubkey_p256(mem, first, n, second, m, out) : pubkey_ed25519(mem, first, n, out);
}

/* Whether the set means this key for such a signature. */
static bool
is_meant(const struct jws *s, struct json_object *jwk)
{
	const char	*use = json_text(jwk, "/use"), *alg = json_text(jwk, "/alg");

	return json_is(jwk, "/kty", s->alg->kty) && (use == NULL || strcmp(use, "sig") == 0) &&
	    (alg == NULL || strcmp(alg, s->alg->name) == 0) && (s->kid == NULL || json_is(jwk, "/kid", s->kid));
}

enum err
jws_verify(mem_ctx *mem, const struct jws *s, struct json_object *keys, const char **why)
{
	struct json_object	*all = json_at(keys, "/keys");
	struct pubkey		*key;
	bool			named = false;

	for (size_t i = 0; json_object_is_type(all, json_type_array) && i < json_object_array_length(all); i++) {
		struct json_object	*jwk = json_object_array_get_idx(all, i);

		if (!json_object_is_type(jwk, json_type_object) || !is_meant(s, jwk) || key_make(mem, jwk, s->alg, &key) != OK)
			continue;
		if (pubkey_verify(key, s->alg->alg, s->signature, s->signature_len, s->bytes, s->n))
			return OK;
		named = s->kid != NULL;
	}
	*why = named ? "its signature is not of the key that it names" : "no key of the issuer's fits it";
	return named ? ERR_INVALID : ERR_NOT_FOUND;
}

char *
jws_half_hash(mem_ctx *mem, const struct jws *s, const char *text)
{
	unsigned char	digest[EVP_MAX_MD_SIZE];
	size_t		n = 0;

	if (EVP_Q_digest(NULL, s->alg->digest, NULL, text, strlen(text), digest, &n) != 1)
		return NULL;
	return base64url_write(mem, digest, n / 2);
}
