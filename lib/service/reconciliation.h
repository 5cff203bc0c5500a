/* reconciliation: the operator's command for reconcile.h. With --dry-run its exit code is 1 when something differs. */
#ifndef TOLLGATE_RECONCILIATION_H
#define TOLLGATE_RECONCILIATION_H

#include "operator.h"

int reconciliation_run(const struct operator *o);

#endif
