/* call: stripe_call() for those who must know the exact status. Inside lib/stripe only. */
#ifndef TOLLGATE_STRIPE_CALL_H
#define TOLLGATE_STRIPE_CALL_H

#include "stripe.h"

/* *status: of the last answer, 0 when there was none. *out: also what a refusal says, NULL when that is no object. */
enum err stripe_call_status(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form,
    const char *key, struct json_object **out, int *status) MUST_CHECK;

#endif
