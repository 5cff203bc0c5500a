/* signin: the route tables of this program's files, the pages that a sign-in may redirect to, and devices. */
#ifndef TOLLGATE_SIGNIN_H
#define TOLLGATE_SIGNIN_H

#include "breached.h"
#include "db.h"
#include "resource.h"
#include "route.h"
#include "secret.h"
#include "session.h"
#include "slots.h"

/* What this program's resource has opened: hangs on the worker. */
struct signin {
	struct slots	slots;
	struct breached	breached;
};

extern const struct resource resource_passwords;
extern const struct route address_routes[], change_routes[], confirm_routes[], factor_routes[], link_routes[],
	register_routes[], reset_routes[], second_routes[], signout_routes[];

/* The page /signin. next: where the sign-in leads. email_error: name of the text at that field, or NULL. */
enum err signin_form(struct visit *v, int status, const char *next, const char *email_error) MUST_CHECK;

/* Answers the form of /signin that has a password. */
enum err password_sign_in(struct visit *v, struct db_visitor *me, const char *email, const char *next) MUST_CHECK;

/* path, when a sign-in may redirect to it; else "/workspace". */
const char *target_allowed(const char *path);

/* The digest of the browser's device cookie; SQL null when it sent no valid one. */
struct db_arg device_digest(struct visit *v);

/* The value of the browser's device cookie; a new one when it sent no valid one. */
enum err device_own(struct visit *v, struct secret *device) MUST_CHECK;

/* A session that is asked for. stored: what the database keeps of its token. remember: the form's box is ticked. */
struct entry {
	struct session	session;
	struct secret	stored, device;
	bool		remember;
};

enum err entry_new(struct visit *v, struct entry *out) MUST_CHECK;

/* Gives the browser the session's cookies, once the database has begun it, and redirects. */
enum err entry_grant(struct visit *v, const struct entry *e, const char *next) MUST_CHECK;

/* The database has a pending sign-in of this token instead: redirects to where the second proof is asked for. */
enum err second_ask(struct visit *v, const struct entry *e) MUST_CHECK;

/* The page to come says that there were too many wrong codes. */
void second_refused(struct visit *v);

/* The key of the seeds, for a call; "": none is configured. */
struct db_arg seed_key(struct visit *v);

#endif
