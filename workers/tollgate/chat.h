/* chat: what the configuration says of models, as the database takes it. */
#ifndef TOLLGATE_OPERATOR_CHAT_H
#define TOLLGATE_OPERATOR_CHAT_H

#include "operator.h"

/* For ops.put_chat(): a JSON object, on the operator's memory. */
const char *chat_json(const struct operator *o);

#endif
