/* report: raises an alert on what Stripe refuses, with Stripe's own sentence. */
#ifndef TOLLGATE_REPORT_H
#define TOLLGATE_REPORT_H

#include "db.h"
#include "stripe.h"

struct stripe_report report_of(struct db *db);

#endif
