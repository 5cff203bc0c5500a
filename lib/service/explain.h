/* explain: why a tenant is entitled to what, and the operator's word against it. Each answers an exit code. */
#ifndef TOLLGATE_EXPLAIN_H
#define TOLLGATE_EXPLAIN_H

#include "operator.h"

int explain(const struct operator *o);
int override_allow(const struct operator *o);
int override_deny(const struct operator *o);
int override_clear(const struct operator *o);

#endif
