/* person_github: a person by GitHub's API. A login may be given to somebody else later, and the number may not. */
#include <string.h>

#include "claims.h"
#include "json.h"
#include "preset.h"

/* A server of one's own has the API below its own name. */
static const char *
api_of(struct visit *v, const struct config_provider *p)
{
	return strcmp(p->issuer, "https://github.com") == 0 ? "https://api.github.com" :
	    mem_printf(v->q->mem, "%s/api/v3", p->issuer);
}

/* The address that is the primary one and verified; NULL: there is none. */
static const char *
email_of(struct json_object *emails)
{
	for (size_t i = 0; json_object_is_type(emails, json_type_array) && i < json_object_array_length(emails); i++) {
		struct json_object	*one = json_object_array_get_idx(emails, i);

		if (json_true(one, "/primary") && json_true(one, "/verified"))
			return claims_text(one, "/email");
	}
	return NULL;
}

enum err
person_by_github(struct visit *v, struct callback *c, struct json_object **out, const char **nonce)
{
	const char		*api = api_of(v, c->provider);
	struct json_object	*user, *emails;
	struct grant		g;
	int64_t			id;

	TRY(grant_redeem(v, c, mem_printf(v->q->mem, "%s%s/access_token", c->provider->issuer,
	    preset_of(c->provider)->base), true, &g));
	TRY(grant_read(v, c, &g, mem_printf(v->q->mem, "%s/user", api), &user));
	TRY(grant_read(v, c, &g, mem_printf(v->q->mem, "%s/user/emails", api), &emails));
	id = json_int(user, "/id", 0);
	if (id <= 0) {
		c->why = "its user has no number";
		return ERR_INVALID;
	}
	*out = person_new(v, c, mem_printf(v->q->mem, "%lld", (long long)id));
	person_put_email(*out, email_of(emails), true);
	json_put(*out, "account", claims_text(user, "/login"));
	json_put(*out, "name", claims_text(user, "/name"));
	json_put(*out, "picture", claims_text(user, "/avatar_url"));
	*nonce = NULL;
	return OK;
}
