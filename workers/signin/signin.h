/* signin: the tables of this program's files, and where a sign-in may lead. */
#ifndef TOLLGATE_SIGNIN_H
#define TOLLGATE_SIGNIN_H

#include "route.h"

extern const struct route link_routes[], signout_routes[];

/* The path itself when a sign-in may lead there, else "/workspace". */
const char *target_allowed(const char *path);

#endif
