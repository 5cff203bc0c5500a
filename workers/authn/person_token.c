/* person_token: a person by an ID token. */
#include <string.h>

#include "claims.h"
#include "json.h"
#include "jws.h"
#include "preset.h"

enum { ACCOUNT_BYTES = 254 };

/* With the keys that we have, and once more with newer ones, where none of them fits. */
static enum err
signature_check(struct visit *v, struct callback *c, const struct jws *s)
{
	struct json_object	*keys;
	enum err		e;

	TRY(issuer_keys(c->issuer, v->q->mem, false, &keys, &c->why));
	e = jws_verify(v->q->mem, s, keys, &c->why);
	if (e == ERR_NOT_FOUND) {
		TRY(issuer_keys(c->issuer, v->q->mem, true, &keys, &c->why));
		e = jws_verify(v->q->mem, s, keys, &c->why);
	}
	return e == ERR_NOT_FOUND ? ERR_INVALID : e;
}

/* Reads the address where the token has none. The answer is not signed, so it must be of the same user. */
static enum err
userinfo_read(struct visit *v, struct callback *c, const struct grant *g, const char *url, struct json_object *claims,
    struct json_object **out)
{
	const char	*subject;

	*out = claims;
	if (url == NULL || json_at(claims, "/email") != NULL)
		return OK;
	TRY(grant_read(v, c, g, url, out));
	subject = claims_text(*out, "/sub");
	if (subject != NULL && strcmp(subject, claims_text(claims, "/sub")) == 0)
		return OK;
	c->why = "its userinfo is of another user";
	return ERR_INVALID;
}

static void
put_some(struct json_object *person, const char *name, const char *text, size_t most)
{
	if (text != NULL && *text != '\0' && strlen(text) <= most)
		json_put(person, name, text);
}

/* claims: the token's. about: where the address and name stand. */
static struct json_object *
person_of(struct visit *v, const struct callback *c, struct json_object *claims, struct json_object *about)
{
	static const char *const	times[] = { "exp", "iat", "nbf" };
	struct json_object		*person = person_new(v, c, claims_text(claims, "/sub"));
	const char			*email = claims_text(about, "/email"), *login, *name = claims_text(about, "/name");

	json_put(person, "nonce", claims_text(claims, "/nonce"));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char	*pointer = mem_printf(v->q->mem, "/%s", times[i]);

		if (json_at(claims, pointer) != NULL)
			json_object_object_add(person, times[i], json_object_new_int64(json_int(claims, pointer, 0)));
	}
	if (email != NULL)
		person_put_email(person, email, preset_of(c->provider)->verified(about, email));
	login = claims_text(about, "/preferred_username");
	put_some(person, "account", email != NULL ? email : login, ACCOUNT_BYTES);
	/* Only a provider that posts its answer sends a name beside the token (name_told() in callback.c). */
	if (name == NULL && preset_of(c->provider)->mode != NULL)
		name = c->name;
	put_some(person, "name", name, PERSON_NAME_MAX);
	put_some(person, "picture", claims_text(about, "/picture"), 2000);
	return person;
}

enum err
person_by_token(struct visit *v, struct callback *c, struct json_object **out, const char **nonce)
{
	struct issuer_ends	ends;
	struct grant		g;
	struct jws		s;
	struct json_object	*about;

	TRY(issuer_ends(c->issuer, v->q->mem, true, &ends, &c->why));
	TRY(grant_redeem(v, c, ends.token, ends.posts_secret, &g));
	if (g.id_token == NULL) {
		c->why = "it gives no ID token";
		return ERR_INVALID;
	}
	TRY(jws_read(v->q->mem, g.id_token, strlen(g.id_token), &s, &c->why));
	TRY(signature_check(v, c, &s));
	c->why = claims_fault(v->q->mem, &s, &(struct claims_wanted){ .issuer = c->provider->issuer,
	    .also = preset_of(c->provider)->also, .client_id = c->provider->client_id, .access_token = g.access_token });
	if (c->why != NULL)
		return ERR_INVALID;
	TRY(userinfo_read(v, c, &g, ends.userinfo, s.claims, &about));
	*out = person_of(v, c, s.claims, about);
	*nonce = flow_nonce(v, &c->flow);
	return OK;
}
