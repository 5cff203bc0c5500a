/* workspace: the first page after sign-in, and what was bought for its user. */
#include <string.h>

#include "account.h"
#include "db.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "text.h"

/* Whose tenants close with the account finds none here, and is told why. */
static enum err
leaving_put(struct db_user *me, struct json_object *doc)
{
	struct json_object	*account;

	if (json_object_array_length(json_at(doc, "/tenants")) > 0)
		return OK;
	TRY(db_user(me, &account, "api.account_page()", NO_ARGS));
	if (json_at(account, "/until") != NULL)
		json_put_true(doc, "leaving");
	return OK;
}

static enum err
workspace(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*tenant, *sent;

	TRY(visit_tenant(v, &tenant));
	TRY(http_query(v->q, "sent", &sent));
	TRY(db_user(me, &doc, "api.workspace_page($1::uuid)", ARGS(TEXT(tenant))));
	TRY(leaving_put(me, doc));
	if (sent != NULL)
		json_put_true(doc, "sent");
	return page(v, "workspace", doc);
}

/* Mails the link that makes an offered tenant the user's. A session is no proof: the reader of the mail accepts. */
static enum err
offer(struct visit *v, struct db_user *me)
{
	const char	*tenant = form_get(&v->form, "tenant");

	if (visit_fields(v, "tenant") != OK || tenant == NULL || !text_is_uuid(tenant, strlen(tenant)))
		return ERR_INVALID;
	TRY(db_user(me, NULL, "api.send_offer($1::uuid, $2)", ARGS(TEXT(tenant), identity_flow(v))));
	return http_redirect(v->r, visit_path(v, "/workspace?sent=1"));
}

const struct route workspace_routes[] = {
	USER("GET",  "/workspace", workspace),
	USER("POST", "/workspace/offer", offer),
	{ 0 }
};
