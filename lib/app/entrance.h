/* entrance: the session that a proof begins, and what the browser is given for it. */
#ifndef TOLLGATE_ENTRANCE_H
#define TOLLGATE_ENTRANCE_H

#include "visit.h"

/* A session that is asked for. stored: what the database keeps of its token. remember: the form's box is ticked. */
struct entrance {
	struct session	session;
	struct secret	stored, device;
	bool		remember;
};

enum err entrance_new(struct visit *v, struct entrance *out) MUST_CHECK;

/* Gives the browser the session's cookies, once the database has begun it, and redirects. */
enum err entrance_grant(struct visit *v, const struct entrance *e, const char *next) MUST_CHECK;

/* The database has a pending sign-in of this token instead: redirects to where the second proof is asked for. */
enum err entrance_ask_second(struct visit *v, const struct entrance *e) MUST_CHECK;

/*
 * The database has renewed the session by a proof that was shown again, or with a new role (auth.renew_session): gives
 * the browser its new token, and redirects. The stable part of the cookie is the same, so that open forms stay good.
 * proof: for the log.
 */
enum err entrance_renew(struct visit *v, const struct session *renewed, struct json_object *verdict, const char *proof,
    const char *next) MUST_CHECK;

#endif
