/* webhooks: the route table of this program. */
#ifndef TOLLGATE_WEBHOOKS_H
#define TOLLGATE_WEBHOOKS_H

#include "route.h"

extern const struct route receive_routes[];

#endif
