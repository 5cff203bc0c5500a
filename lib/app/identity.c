#include "identity.h"

#include "json.h"
#include "log.h"
#include "session.h"

struct db_user *
identity_user(struct visit *v)
{
	struct db_user	*me = db_as_user(v->q->mem, v->app->db, session_bearer(v->q->mem, &v->session.token));
	struct secret	stored;

	/* One for the whole request, whose calls then get one answer. Without randomness the token stays. */
	v->next.stable = v->session.stable;
	if (v->candidate.stored == NULL && session_renew(&v->next, &stored) == OK)
		v->candidate.stored = secret_hex(v->q->mem, &stored);
	db_offer(me, &v->candidate);
	db_user_wait(me, &v->wait);
	return me;
}

struct db_visitor *
identity_visitor(struct visit *v)
{
	struct db_visitor	*me = db_as_visitor(v->q->mem, v->app->db);

	db_visitor_wait(me, &v->wait);
	return me;
}

struct db_user *
identity_half(struct visit *v, const struct secret *token)
{
	struct db_user	*me = db_as_user(v->q->mem, v->app->db, session_bearer(v->q->mem, token));

	db_user_wait(me, &v->wait);
	return me;
}

/*
 * The database refuses a token that is unknown, ended or used up. One that was retired a while ago is in two hands. Its
 * session is ended by a call of its own, because a refusal rolls its transaction back. One whose session has just given
 * way to another came late: the browser has a cookie that this answer must not take.
 */
static void
session_refused(struct visit *v, struct db_user *me)
{
	struct json_object	*ended;

	if (db_user(me, &ended, "api.end_reused()", NO_ARGS) != OK || ended == NULL)
		return;
	v->outlived = json_true(ended, "/late");
	if (!v->outlived)
		log_line(LOG_WARN, "session_ended", LOG_TEXT("session", json_text(ended, "/session")),
		    LOG_TEXT("reason", "reuse"));
}

enum err
identity_serve(struct visit *v)
{
	struct db_user	*me = identity_user(v);
	enum err	e = v->route->fresh ? db_user(me, NULL, "api.require_fresh()", NO_ARGS) : OK;

	if (e == OK)
		e = v->route->user(v, me);
	/*
	 * A request that was served once and is refused later has outlived its token. The browser has a younger one by now,
	 * so this is no reuse.
	 */
	v->outlived = e == ERR_AUTH && db_is_served(me);
	if (e == ERR_AUTH && !v->outlived)
		session_refused(v, me);
	return e;
}

void
identity_leave(struct visit *v)
{
	http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	http_header(v->r, "Clear-Site-Data", "\"cache\"");
	log_line(LOG_INFO, "session_ended", LOG_TEXT("session", "own"), LOG_TEXT("reason", "logout"));
}

bool
identity_is_member(struct visit *v)
{
	struct json_object	*known = NULL;

	return v->has_session && db_user(identity_user(v), &known, "api.signed_in()", NO_ARGS) == OK &&
	    json_true(known, "");
}

struct db_arg
identity_digest(struct visit *v, const struct secret *token)
{
	struct secret	digest = session_digest(token);

	return BYTES(mem_copy(v->q->mem, digest.bytes, SECRET_SIZE), SECRET_SIZE);
}

bool
identity_link(struct visit *v, const char *token, struct db_arg *out)
{
	struct secret	bytes;

	if (!session_read(token, &bytes))
		return false;
	*out = identity_digest(v, &bytes);
	return true;
}

struct db_arg
identity_flow(struct visit *v)
{
	return v->has_flow ? identity_digest(v, &v->flow) : SQL_NULL;
}
