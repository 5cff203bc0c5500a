/* signin: the route tables of this program's files, and the pages that a sign-in may redirect to. */
#ifndef TOLLGATE_SIGNIN_H
#define TOLLGATE_SIGNIN_H

#include "route.h"

extern const struct route link_routes[], signout_routes[];

/* path, when a sign-in may redirect to it; else "/workspace". */
const char *target_allowed(const char *path);

#endif
