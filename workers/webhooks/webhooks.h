/* webhooks: the tables of this program's files. */
#ifndef TOLLGATE_WEBHOOKS_H
#define TOLLGATE_WEBHOOKS_H

#include "route.h"

extern const struct route receive_routes[];

#endif
