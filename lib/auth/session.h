/*
 * session: the cookie of a session, the digest of it that the database sees, and the tokens that bind a form to a
 * browser. C never learns a user's id: only the database maps T to a user.
 */
#ifndef TOLLGATE_SESSION_H
#define TOLLGATE_SESSION_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"
#include "secret.h"

#define SESSION_COOKIE "__Host-sid"
#define FLOW_COOKIE "__Host-flow"
#define DEVICE_COOKIE "__Host-device"	/* of a browser that has signed in: outlives sessions, and proves nothing */
#define SECOND_COOKIE "__Host-second"	/* of a sign-in that waits for its second proof; no session */

enum {
	SECOND_SECONDS	= 600,			/* between the first proof and the second */
	FLOW_SECONDS	= 3600,			/* how long after opening a form a visitor may send it */
	DEVICE_SECONDS	= 400 * 24 * 3600	/* from the last sign-in; browsers keep no cookie for longer */
};

/* The cookie of a session has two parts, so that no open form and no checkout's key ends with a token. */
struct session {
	struct secret	stable;		/* S: as long as the session; keys form tokens; the database never sees it */
	struct secret	token;		/* T: proves the session to the database, and is replaced (auth.tend_session) */
};

/* Decodes the value of a flow or device cookie, or a link's token: base64url of 32 bytes; false for anything else. */
bool session_read(const char *cookie, struct secret *token);

/* Decodes a session's cookie; false for anything else. One of 32 bytes, as they were until S was: T stands for S. */
bool session_cookie_read(const char *cookie, struct session *s);

/* The cookie's value: base64url of S, and then of T. */
char *session_cookie(mem_ctx *mem, const struct session *s);

/* A new session, and what the database stores of it, SHA-256(D) (see session_bearer()). */
enum err session_new(struct session *s, struct secret *stored) MUST_CHECK;

/* A new T for the same S. */
enum err session_renew(struct session *s, struct secret *stored) MUST_CHECK;

/* What the database sees of a link's token, a flow cookie or a device cookie: SHA-256 of its bytes. */
struct secret session_digest(const struct secret *token);

/* What the database sees: hex of D = SHA-256("db1" || T). It stores SHA-256(D). */
char *session_bearer(mem_ctx *mem, const struct secret *token);

/* The form token of a session (key: S) or of a flow cookie: base64url(HMAC-SHA-256(key, "csrf1")). */
char *session_csrf(mem_ctx *mem, const struct secret *key);

/* Compares in constant time; false for NULL. */
bool session_csrf_ok(const struct secret *key, const char *given);

/* What is equal whenever this browser repeats a request: hex of HMAC-SHA-256(key, label || 0 || value). */
char *session_key(mem_ctx *mem, const struct secret *key, const char *label, const char *value);

#endif
