/* keys: what a tenant's programs ask with, made and revoked by its owners. A key is shown once, when it is made. */
#include <string.h>

#include "account.h"
#include "api_key.h"
#include "db.h"
#include "json.h"
#include "page.h"
#include "tenant.h"
#include "text.h"

#define KEYS "/settings/keys"

/* made: the new key, or NULL. */
static enum err
keys_page(struct visit *v, struct db_user *me, const char *tenant, const char *made)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.keys_page($1::uuid)", ARGS(TEXT(tenant))));
	json_put(doc, "at", tenant == NULL ? "" : visit_here(v, ""));
	json_put(doc, "made", made);
	if (v->fault != NULL && strncmp(v->fault, "name_", 5) == 0) {
		json_put(doc, "wanted_name", form_get(&v->form, "name"));
		json_put(doc, "name_error", v->fault);
		v->fault = NULL;
	}
	return page(v, "keys", doc);
}

static enum err
show(struct visit *v, struct db_user *me)
{
	const char	*tenant;

	TRY(tenant_shown(v, &tenant));
	return keys_page(v, me, tenant, NULL);
}

static enum err
make(struct visit *v, struct db_user *me, const char *tenant)
{
	struct secret	stored;
	char		*key;
	enum err	e;

	TRY(api_key_new(v->q->mem, &key, &stored));
	e = db_user(me, NULL, "api.make_key($1::uuid, $2, $3, $4, $5)", ARGS(TEXT(tenant), TEXT(form_get(&v->form, "name")),
	    TEXT(form_get(&v->form, "scope")), BYTES(stored.bytes, SECRET_SIZE),
	    TEXT(key + strlen(key) - API_KEY_HINT)));
	if (e == ERR_INVALID)
		return visit_again(v, KEYS, 422, "name_wrong");
	if (e == ERR_CONFLICT)
		return visit_again(v, KEYS, 409, "fault_keys");
	TRY(e);
	return keys_page(v, me, tenant, key);
}

static enum err
send(struct visit *v, struct db_user *me)
{
	const char	*key = form_get(&v->form, "key"), *tenant;
	bool		answered;

	TRY(visit_fields(v, "tenant name scope key"));
	TRY(tenant_of_form(v, me, KEYS, &tenant, &answered));
	if (answered)
		return OK;
	if (key == NULL)
		return make(v, me, tenant);
	if (!text_is_uuid(key, strlen(key)))
		return ERR_NOT_FOUND;
	TRY(db_user(me, NULL, "api.revoke_key($1::uuid, $2::uuid)", ARGS(TEXT(tenant), TEXT(key))));
	return http_redirect(v->r, visit_path(v, visit_here(v, KEYS)));
}

const struct route keys_routes[] = {
	FRESH("GET",  "/settings/keys", show),
	FRESH("POST", "/settings/keys", send),
	{ 0 }
};
