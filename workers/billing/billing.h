/* billing: the route tables of this program's files, and functions they share. */
#ifndef TOLLGATE_BILLING_H
#define TOLLGATE_BILLING_H

#include <stdbool.h>

#include "db.h"
#include "visit.h"

extern const struct route overview_routes[], portal_routes[], plan_routes[], checkout_routes[], resume_routes[];

/* Answers with the billing page, a status, and the text named fault, which says why the request failed. */
enum err billing_again(struct visit *v, int status, const char *fault) MUST_CHECK;

/*
 * The path that leads back from Stripe's page ("portal" or "checkout"), which the billing page answers with what came
 * of it. page: as the database has it; NULL: /settings/billing.
 */
char *billing_back(mem_ctx *mem, const char *page, const char *from);

/*
 * Opens a portal session, which returns to the billing page. ERR_BAD_REQUEST: the tenant has no customer yet.
 * ERR_UPSTREAM: Stripe did not open it. Else as permit_take().
 */
enum err portal_open(struct visit *v, struct db_user *me, const char *tenant, const char **url) MUST_CHECK;

#endif
