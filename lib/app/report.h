/*
 * report: raises an alert on what Stripe refuses, with Stripe's own sentence, and ends it when Stripe carries out such
 * a call again. Used by all threads.
 */
#ifndef TOLLGATE_REPORT_H
#define TOLLGATE_REPORT_H

#include "db.h"
#include "stripe.h"

/* What it needs hangs on ctx. db NULL: nothing is reported. */
struct stripe_report report_of(mem_ctx *ctx, struct db *db);

#endif
