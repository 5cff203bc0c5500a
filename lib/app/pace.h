/* pace: keeps the rate of calls to Stripe, and its pauses, for all programs in the database. */
#ifndef TOLLGATE_PACE_H
#define TOLLGATE_PACE_H

#include "db.h"
#include "stripe.h"

/* db NULL: this process keeps a rate of its own. */
struct stripe_pace pace_of(struct db *db);

#endif
