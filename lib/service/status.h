/* status: how the whole stands, at a glance: what waits, what is stuck, what somebody should look at. */
#ifndef TOLLGATE_STATUS_H
#define TOLLGATE_STATUS_H

#include "operator.h"

/* The operator's command. Answers an exit code. */
int status(const struct operator *o);

#endif
