#include "ceremony.h"

#include <string.h>

#include "authenticator.h"
#include "base64url.h"
#include "challenge.h"
#include "client_data.h"
#include "hex.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "throttle.h"

enum { SIGNATURE_MAX = 1024, USER_MAX = 64 };

struct part {
	uint8_t	*at;
	size_t	n;
};

/* A field's bytes. False: it is missing, malformed or longer than most bytes. An empty one is of no bytes. */
static bool
part_read(struct visit *v, const char *name, size_t most, struct part *out)
{
	const char	*text = form_get(&v->form, name);
	size_t		n = text == NULL ? 0 : strlen(text);

	*out = (struct part){ talloc_array(v->q->mem, uint8_t, n + 1), 0 };
	return text != NULL && base64url_read(text, n, out->at, &out->n) && out->n <= most;
}

static void
part_put(struct visit *v, struct json_object *doc, const char *name, const void *bytes, size_t n)
{
	json_put(doc, name, hex_write(v->q->mem, bytes, n));
}

/* The name by which authenticators know the site: the host of its address. */
static const char *
site_host(struct visit *v)
{
	const char	*host = strstr(v->app->config->site.url, "://") + 3;

	return mem_copy(v->q->mem, host, strcspn(host, ":/"));
}

/* What is wrong with the browser's word; else *challenge is the one that it was given. */
static const char *
client_fault(struct visit *v, const struct part *client, const char *type, const struct secret *key,
    const char **challenge)
{
	const char	*site = v->app->config->site.url;
	const char	*fault = client_data_fault(v->q->mem, client->at, client->n, type, site, challenge);

	if (fault != NULL)
		return fault;
	return challenge_is_good(key, *challenge, challenge_now()) ? NULL : "challenge";
}

/* What both functions of the database are told. */
static struct json_object *
doc_of(struct visit *v, const struct part *id, const char *challenge, const struct authenticator *a)
{
	struct json_object	*doc = json_new(v->q->mem);
	struct secret		digest = challenge_digest(challenge);

	part_put(v, doc, "credential", id->at, id->n);
	json_put(doc, "challenge", secret_hex(v->q->mem, &digest));
	json_object_object_add(doc, "counter", json_object_new_int64(a->counter));
	json_object_object_add(doc, "eligible", json_object_new_boolean(a->eligible));
	json_object_object_add(doc, "backed_up", json_object_new_boolean(a->backed_up));
	return doc;
}

static enum err
faulty(const char *why, const char **fault)
{
	*fault = why;
	log_line(LOG_WARN, "passkey_refused", LOG_TEXT("reason", why));
	return OK;
}

enum err
ceremony_made(struct visit *v, const struct secret *key, struct json_object **doc, const char **fault)
{
	const char		*transports = form_get(&v->form, "transports"), *challenge;
	struct part		id, client, attestation;
	struct authenticator	a;
	struct pubkey		*made;
	enum pubkey_alg		alg;

	if (!part_read(v, "id", CREDENTIAL_MAX, &id) || !part_read(v, "client", CLIENT_DATA_MAX, &client) ||
	    !part_read(v, "attestation", ATTESTATION_MAX, &attestation))
		return faulty("form", fault);
	*fault = client_fault(v, &client, CLIENT_DATA_CREATE, key, &challenge);
	if (*fault == NULL)
		*fault = attestation_fault(attestation.at, attestation.n, site_host(v), &a);
	if (*fault != NULL)
		return faulty(*fault, fault);
	if (a.id_len != id.n || memcmp(a.id, id.at, id.n) != 0)
		return faulty("id", fault);
	if (cose_key(v->q->mem, a.key, a.key_len, &made, &alg) != OK)
		return faulty("key", fault);
	*doc = doc_of(v, &id, challenge, &a);
	part_put(v, *doc, "key", a.key, a.key_len);
	json_put(*doc, "transports", transports);
	return OK;
}

/* *known false: the database has no such key. */
static enum err
key_find(struct visit *v, const struct part *id, struct pubkey **key, enum pubkey_alg *alg, bool *known)
{
	struct json_object	*doc;
	struct part		cose;
	const char		*hex;
	enum err		e;

	e = db_visitor(identity_visitor(v), &doc, "api.find_passkey($1, $2::inet)",
	    ARGS(BYTES(id->at, id->n), TEXT(v->q->remote_addr)));
	TRY(throttle_note(v, "password", e));
	hex = json_text(doc, "/key");
	*known = hex != NULL;
	if (!*known)
		return OK;
	cose = (struct part){ talloc_array(v->q->mem, uint8_t, strlen(hex) / 2 + 1), strlen(hex) / 2 };
	if (!hex_read(hex, strlen(hex), cose.at))
		return ERR_INTERNAL;
	return cose_key(v->q->mem, cose.at, cose.n, key, alg) == OK ? OK : ERR_INTERNAL;
}

static bool
is_signed(struct visit *v, const struct pubkey *key, enum pubkey_alg alg, const struct part *data,
    const struct part *client, const struct part *signature)
{
	struct secret	digest = secret_sha256("", client->at, client->n);
	struct buf	said = { .ctx = v->q->mem };

	buf_put(&said, data->at, data->n);
	buf_put(&said, digest.bytes, SECRET_SIZE);
	return pubkey_verify(key, alg, signature->at, signature->n, said.data, said.len);
}

enum err
ceremony_used(struct visit *v, const struct secret *key, struct json_object **doc, const char **fault)
{
	struct part		id, client, data, signature, user;
	struct authenticator	a;
	struct pubkey		*stored;
	enum pubkey_alg		alg;
	const char		*challenge;
	bool			known;

	if (!part_read(v, "id", CREDENTIAL_MAX, &id) || !part_read(v, "client", CLIENT_DATA_MAX, &client) ||
	    !part_read(v, "data", ATTESTATION_MAX, &data) || !part_read(v, "signature", SIGNATURE_MAX, &signature) ||
	    !part_read(v, "user", USER_MAX, &user))
		return faulty("form", fault);
	*fault = client_fault(v, &client, CLIENT_DATA_GET, key, &challenge);
	if (*fault == NULL)
		*fault = authenticator_fault(data.at, data.n, site_host(v), &a);
	if (*fault != NULL)
		return faulty(*fault, fault);
	TRY(key_find(v, &id, &stored, &alg, &known));
	if (!known)
		return faulty("unknown", fault);
	if (!is_signed(v, stored, alg, &data, &client, &signature))
		return faulty("signature", fault);
	*doc = doc_of(v, &id, challenge, &a);
	if (user.n > 0)
		part_put(v, *doc, "handle", user.at, user.n);
	return OK;
}
