/* setup: the operator's commands on configuration and schema, and the state of things at a glance. Each answers an exit code. */
#ifndef TOLLGATE_SETUP_H
#define TOLLGATE_SETUP_H

#include "operator.h"

int setup_check(const struct operator *o);
int setup_migrate(const struct operator *o);
int setup_status(const struct operator *o);

#endif
