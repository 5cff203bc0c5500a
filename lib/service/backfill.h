/*
 * backfill: tenants that have no customer recorded find theirs at Stripe. Our id in a customer's metadata is proof; an
 * address is a proposal for a person to look at, because it may be somebody else's.
 */
#ifndef TOLLGATE_BACKFILL_H
#define TOLLGATE_BACKFILL_H

#include "operator.h"

/*
 * All customers, from the newest or from the one after --after, a line for each that means something; or the proposals in
 * a file, which is such lines as JSON. What is done already is known again. Answers an exit code.
 */
int backfill_customers(const struct operator *o);

#endif
