/* setup: the operator's commands on configuration and schema. Each answers an exit code. */
#ifndef TOLLGATE_SETUP_H
#define TOLLGATE_SETUP_H

#include "operator.h"

int setup_check(const struct operator *o);
int setup_migrate(const struct operator *o);

#endif
