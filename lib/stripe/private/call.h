/* call: stripe_call() with the exact HTTP status, and without its check of refused calls. Inside lib/stripe only. */
#ifndef TOLLGATE_STRIPE_CALL_H
#define TOLLGATE_STRIPE_CALL_H

#include "stripe.h"

/* *status: of the last answer, 0 without one. *out: also the body of an error; NULL when it is not a JSON object. */
enum err stripe_call_status(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form,
    const char *key, struct json_object **out, int *status) MUST_CHECK;

#endif
