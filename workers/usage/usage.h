/* usage: the route table of this program. */
#ifndef TOLLGATE_USAGE_H
#define TOLLGATE_USAGE_H

#include "route.h"

extern const struct route ledger_routes[];

#endif
