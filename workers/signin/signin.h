/* signin: the route tables of this program's files, the pages that a sign-in may redirect to, and devices. */
#ifndef TOLLGATE_SIGNIN_H
#define TOLLGATE_SIGNIN_H

#include "db.h"
#include "route.h"
#include "secret.h"

extern const struct route link_routes[], confirm_routes[], signout_routes[];

/* path, when a sign-in may redirect to it; else "/workspace". */
const char *target_allowed(const char *path);

/* The digest of the browser's device cookie; SQL null when it sent no valid one. */
struct db_arg device_digest(struct visit *v);

/* The value of the browser's device cookie; a new one when it sent no valid one. */
enum err device_own(struct visit *v, struct secret *device) MUST_CHECK;

#endif
