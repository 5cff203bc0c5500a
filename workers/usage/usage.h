/* usage: the route tables of this program. */
#ifndef TOLLGATE_USAGE_H
#define TOLLGATE_USAGE_H

#include "route.h"

extern const struct route ledger_routes[], rollover_routes[];

#endif
