/* alerts: what the operator must look at, and that it has been. The codes are those a program exits with. */
#ifndef TOLLGATE_ALERTS_H
#define TOLLGATE_ALERTS_H

#include "operator.h"

int alerts_list(const struct operator *o);
int alerts_clear(const struct operator *o);

#endif
