#include "entrance.h"

#include "device.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "session.h"
#include "target.h"

enum { REMEMBER_SECONDS = 30 * 24 * 3600 };

enum err
entrance_new(struct visit *v, struct entrance *out)
{
	out->remember = form_get(&v->form, "remember") != NULL;
	TRY(session_new(&out->session, &out->stored));
	return device_own(v, &out->device);
}

/* Ends the session that this browser had before the sign-in. */
static void
session_replace(struct visit *v)
{
	if (v->has_session && db_user(identity_user(v), NULL, "api.sign_out()", NO_ARGS) != OK)
		v->has_session = false;
}

enum err
entrance_grant(struct visit *v, const struct entrance *e, const char *next)
{
	session_replace(v);
	http_set_cookie(v->r, SESSION_COOKIE, session_cookie(v->q->mem, &e->session),
	    e->remember ? REMEMBER_SECONDS : -1);
	http_set_cookie(v->r, DEVICE_COOKIE, secret_base64url(v->q->mem, &e->device), DEVICE_SECONDS);
	return http_redirect(v->r, visit_path(v, target_allowed(next)));
}

enum err
entrance_ask_second(struct visit *v, const struct entrance *e)
{
	http_set_cookie(v->r, SECOND_COOKIE, secret_base64url(v->q->mem, &e->session.token), SECOND_SECONDS);
	return http_redirect(v->r, visit_path(v, "/signin/second"));
}

enum err
entrance_renew(struct visit *v, const struct session *renewed, struct json_object *verdict, const char *proof,
    const char *next)
{
	v->candidate.issued = false;
	log_line(LOG_INFO, "session_renewed", LOG_TEXT("proof", proof));
	http_set_cookie(v->r, SESSION_COOKIE, session_cookie(v->q->mem, renewed), json_int(verdict, "/max_age", -1));
	return http_redirect(v->r, visit_path(v, target_allowed(next)));
}
