/* signout: ends the session. */
#include "db.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "signin.h"

static enum err
signout_show(struct visit *v, struct db_user *me)
{
	struct json_object	*known;

	TRY(db_user(me, &known, "api.signed_in()", NO_ARGS));
	return json_true(known, "") ? page(v, "signout", NULL) : ERR_AUTH;
}

/* The database goes first: the cookie stays when it fails, so that the user can try again. */
static enum err
signout(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.sign_out()", NO_ARGS));
	identity_leave(v);
	return http_redirect(v->r, visit_path(v, "/signin?signed_out=yes"));
}

const struct route signout_routes[] = {
	USER("GET",  "/signout", signout_show),
	USER("POST", "/signout", signout),
	{ 0 }
};
