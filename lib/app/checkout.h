/* checkout: from a draft as the database keeps it to Stripe's page; the same for who signs up and who comes back. */
#ifndef TOLLGATE_CHECKOUT_H
#define TOLLGATE_CHECKOUT_H

#include <stdint.h>

#include "visit.h"

/* The plans of the configuration for a form: [{"id", "label", "about", "chosen"}], names of texts. */
struct json_object *checkout_plans(struct visit *v, const char *chosen);

/*
 * Asks Stripe for a checkout session. All that is sent comes from the draft as it was first written ("tenant", "plan", "price",
 * "language", "email" or "customer", "attempt", and "idempotency" where it has one), so that a repeated request is the
 * same to the letter. success and cancel are paths of ours. *url is NULL when the session is no longer open.
 * ERR_CONFLICT: this attempt's key is spent (Stripe repeats a failure it has saved): begin the next. ERR_NOT_FOUND: the
 * draft's customer is gone.
 */
enum err checkout_open(struct visit *v, struct json_object *draft, const char *success, const char *cancel,
    const char **id, const char **url) MUST_CHECK;

/* Makes sure that a session "cs_..." cannot be paid any more. ERR_CONFLICT: it has been. */
enum err checkout_close(struct visit *v, const char *session) MUST_CHECK;

/* The number of the draft's attempt. */
int64_t checkout_attempt(struct json_object *draft);

#endif
