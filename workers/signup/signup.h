/* signup: the route tables of this program's files. */
#ifndef TOLLGATE_SIGNUP_H
#define TOLLGATE_SIGNUP_H

#include "route.h"

extern const struct route form_routes[], welcome_routes[];

#endif
