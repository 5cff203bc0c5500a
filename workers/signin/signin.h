/* signin: the route tables of this program's files, and what they share. */
#ifndef TOLLGATE_SIGNIN_H
#define TOLLGATE_SIGNIN_H

#include "breached.h"
#include "db.h"
#include "device.h"
#include "entrance.h"
#include "resource.h"
#include "route.h"
#include "secret.h"
#include "session.h"
#include "slots.h"
#include "target.h"

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

/* The key of the seeds, for a call; "": none is configured. */
struct db_arg seed_key(struct visit *v);

#endif
