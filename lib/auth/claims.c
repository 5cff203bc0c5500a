#include "claims.h"

#include <string.h>

const char *
claims_text(struct json_object *claims, const char *pointer)
{
	return json_whole_text(claims, pointer);
}

static bool
is_text(struct json_object *claims, const char *pointer, const char *wanted)
{
	const char	*text = claims_text(claims, pointer);

	return text != NULL && wanted != NULL && strcmp(text, wanted) == 0;
}

/* aud is a text or a list of texts. */
static bool
is_for(struct json_object *claims, const char *client_id)
{
	struct json_object	*aud = json_at(claims, "/aud");

	if (is_text(claims, "/aud", client_id))
		return true;
	for (size_t i = 0; json_object_is_type(aud, json_type_array) && i < json_object_array_length(aud); i++) {
		if (is_text(json_object_array_get_idx(aud, i), "", client_id))
			return true;
	}
	return false;
}

static bool
has_several(struct json_object *aud)
{
	return json_object_is_type(aud, json_type_array) && json_object_array_length(aud) > 1;
}

const char *
claims_fault(mem_ctx *mem, const struct jws *s, const struct claims_wanted *w)
{
	struct json_object	*c = s->claims;

	if (!is_text(c, "/iss", w->issuer) && !is_text(c, "/iss", w->also))
		return "its iss is another issuer";
	if (claims_text(c, "/sub") == NULL || *claims_text(c, "/sub") == '\0')
		return "its sub is no text";
	if (!is_for(c, w->client_id))
		return "its aud is not us";
	if ((has_several(json_at(c, "/aud")) || json_at(c, "/azp") != NULL) && !is_text(c, "/azp", w->client_id))
		return "its azp is not us";
	if (json_int(c, "/exp", -1) < 0 || json_int(c, "/iat", -1) < 0)
		return "its exp or iat is no whole number";
	if (json_at(c, "/nbf") != NULL && json_int(c, "/nbf", -1) < 0)
		return "its nbf is no whole number";
	if (json_at(c, "/at_hash") != NULL && !is_text(c, "/at_hash", jws_half_hash(mem, s, w->access_token)))
		return "its at_hash is of another access token";
	return NULL;
}
