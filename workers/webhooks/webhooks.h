/* webhooks: the route table of this program. */
#ifndef TOLLGATE_WEBHOOKS_H
#define TOLLGATE_WEBHOOKS_H

#include "distrust.h"
#include "hint.h"
#include "route.h"

/* What the threads share. */
struct webhooks {
	struct hint	hint;
	struct distrust	distrust;
};

extern const struct route receive_routes[];

#endif
