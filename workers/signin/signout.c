/* signout: ends the session. */
#include "db.h"
#include "identity.h"
#include "page.h"
#include "signin.h"

static enum err
signout_show(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.confirm_page()", NO_ARGS));
	return page(v, "signout", NULL);
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
