/* billing: the tables of this program's files, and what they share. */
#ifndef TOLLGATE_BILLING_H
#define TOLLGATE_BILLING_H

#include "db.h"
#include "visit.h"

extern const struct route overview_routes[], portal_routes[], checkout_routes[];

/* The billing page with the reason why what was asked could not be done. */
enum err billing_again(struct visit *v, int status, const char *fault) MUST_CHECK;

/*
 * Opens a session of Stripe's customer portal, which leads back to the billing page. ERR_BAD_REQUEST: the tenant has no
 * customer yet. ERR_UPSTREAM: Stripe did not open one.
 */
enum err portal_open(struct visit *v, struct db_user *me, const char **url) MUST_CHECK;

#endif
