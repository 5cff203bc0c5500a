#include "issuer.h"

#include <pthread.h>
#include <string.h>

#include "document.h"
#include "origin.h"

enum { DAY_MS = 24 * 3600 * 1000, FIVE_MINUTES_MS = 300 * 1000, KEYS_MAX = 50 };

struct issuer {
	const char	*name;
	const char	*origin;
	const char	*pages;		/* the origin that its page must have */
	bool		local;
	struct https	*https;
	struct document	*description;
	pthread_mutex_t	lock;		/* of what follows */
	struct document	*keys;		/* NULL until the description said where they are */
	const char	*keys_url;
};

/* A URL of the description that we may call: https, unless all is on this machine. */
static bool
is_callable(const struct issuer *i, mem_ctx *mem, const char *url)
{
	const char	*origin = url ? origin_of(mem, url) : NULL;

	if (origin == NULL || strlen(url) > 1000 || strchr(url, '#') != NULL ||
	    !(origin_holds(origin, url) || strcmp(origin, url) == 0))
		return false;
	return strncmp(url, "https://", 8) == 0 || (i->local && origin_is_loopback(origin));
}

static bool
lists(struct json_object *doc, const char *pointer, const char *word)
{
	struct json_object	*list = json_at(doc, pointer);

	for (size_t n = 0; json_object_is_type(list, json_type_array) && n < json_object_array_length(list); n++) {
		if (json_is(json_object_array_get_idx(list, n), "", word))
			return true;
	}
	return false;
}

/* What it does not list may be there; what it lists must have what we need. */
static bool
lacks(struct json_object *doc, const char *pointer, const char *word)
{
	return json_at(doc, pointer) != NULL && !lists(doc, pointer, word);
}

static const char *
description_fault(mem_ctx *mem, const void *arg, struct json_object *doc)
{
	static const char *const	urls[] = { "/authorization_endpoint", "/token_endpoint", "/jwks_uri" };
	const struct issuer		*i = arg;
	const char			*page = json_text(doc, urls[0]);

	if (!json_is(doc, "/issuer", i->name))
		return "is of another issuer";
	for (size_t n = 0; n < sizeof(urls) / sizeof(urls[0]); n++) {
		if (!is_callable(i, mem, json_text(doc, urls[n])))
			return mem_printf(mem, "has no %s that begins with https://", urls[n] + 1);
	}
	if (json_at(doc, "/userinfo_endpoint") != NULL && !is_callable(i, mem, json_text(doc, "/userinfo_endpoint")))
		return "has a userinfo_endpoint that does not begin with https://";
	if (strcmp(origin_of(mem, page), i->pages) != 0)
		return mem_printf(mem, "sends people to %s: set providers.pages", origin_of(mem, page));
	if (lacks(doc, "/response_types_supported", "code"))
		return "gives no codes";
	if (lacks(doc, "/code_challenge_methods_supported", "S256"))
		return "knows no PKCE with S256";
	return NULL;
}

/* One that has no key in it would take away those that are good. */
static const char *
keys_fault(mem_ctx *mem, const void *arg, struct json_object *doc)
{
	struct json_object	*keys = json_at(doc, "/keys");

	(void)mem, (void)arg;
	if (!json_object_is_type(keys, json_type_array) || json_object_array_length(keys) == 0)
		return "has no keys";
	return json_object_array_length(keys) > KEYS_MAX ? "has more than 50 keys" : NULL;
}

static void
issuer_close(void *thing)
{
	pthread_mutex_destroy(&((struct issuer *)thing)->lock);
}

struct issuer *
issuer_open(mem_ctx *ctx, const char *name, const char *pages)
{
	struct issuer	*i = talloc_zero(ctx, struct issuer);
	size_t		n = strlen(name);

	i->name = mem_copy(i, name, n);
	i->origin = origin_of(i, mem_printf(i, "%s/", name));
	i->pages = *pages ? mem_copy(i, pages, strlen(pages)) : i->origin;
	i->local = origin_is_loopback(i->origin);
	i->https = https_open(i, i->local);
	i->description = document_open(i, &(struct document_options){
		.https = i->https, .least_ms = DAY_MS, .most_ms = DAY_MS, .fault = description_fault, .arg = i,
		.url = mem_printf(i, "%.*s/.well-known/openid-configuration", (int)(n - (n > 0 && name[n - 1] == '/')), name),
	});
	pthread_mutex_init(&i->lock, NULL);
	mem_hang(i, i, issuer_close);
	return i;
}

struct https *
issuer_https(struct issuer *i)
{
	return i->https;
}

enum err
issuer_ends(struct issuer *i, mem_ctx *mem, bool may_wait, struct issuer_ends *out, const char **why)
{
	struct json_object	*doc;
	const char		*methods = "/token_endpoint_auth_methods_supported";

	TRY(document_read(i->description, mem, may_wait ? DOCUMENT_ANY : DOCUMENT_KEPT, &doc, why));
	*out = (struct issuer_ends){
		.authorize = json_text(doc, "/authorization_endpoint"), .token = json_text(doc, "/token_endpoint"),
		.userinfo = json_text(doc, "/userinfo_endpoint"), .keys = json_text(doc, "/jwks_uri"),
		.posts_secret = lacks(doc, methods, "client_secret_basic") && lists(doc, methods, "client_secret_post"),
		.names_itself = json_true(doc, "/authorization_response_iss_parameter_supported"),
	};
	return OK;
}

bool
issuer_waits(struct issuer *i)
{
	return document_waits(i->description);
}

bool
issuer_news(struct issuer *i, mem_ctx *mem, const char **why)
{
	return document_news(i->description, mem, why);
}

bool
issuer_keys_news(struct issuer *i, mem_ctx *mem, const char **why)
{
	struct document	*keys;

	pthread_mutex_lock(&i->lock);
	keys = i->keys;
	pthread_mutex_unlock(&i->lock);
	return keys != NULL && document_news(keys, mem, why);
}

/* A description that names another place for the keys leaves the earlier document to its readers. */
static struct document *
keys_at(struct issuer *i, const char *url)
{
	struct document	*found;

	pthread_mutex_lock(&i->lock);
	if (i->keys == NULL || strcmp(i->keys_url, url) != 0) {
		mem_ctx	*own = mem_new();	/* never freed: other threads may read the earlier one */

		i->keys_url = mem_copy(own, url, strlen(url));
		i->keys = document_open(own, &(struct document_options){ .https = i->https, .url = i->keys_url,
		    .least_ms = FIVE_MINUTES_MS, .most_ms = DAY_MS, .fault = keys_fault });
	}
	found = i->keys;
	pthread_mutex_unlock(&i->lock);
	return found;
}

enum err
issuer_keys(struct issuer *i, mem_ctx *mem, bool newer, struct json_object **out, const char **why)
{
	struct issuer_ends	ends;

	TRY(issuer_ends(i, mem, true, &ends, why));
	return document_read(keys_at(i, ends.keys), mem, newer ? DOCUMENT_NEWER : DOCUMENT_ANY, out, why);
}
