/* usage: what the configuration says of meters, as the database takes it. */
#ifndef TOLLGATE_OPERATOR_USAGE_H
#define TOLLGATE_OPERATOR_USAGE_H

#include "operator.h"

/* For ops.put_usage(): a JSON object, on the operator's memory. */
const char *usage_json(const struct operator *o);

#endif
