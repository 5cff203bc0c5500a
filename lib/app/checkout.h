/* checkout: opens and closes Stripe's checkout page for a draft in the database, at sign-up and for later purchases. */
#ifndef TOLLGATE_CHECKOUT_H
#define TOLLGATE_CHECKOUT_H

#include <stdint.h>

#include "visit.h"

/*
 * Asks Stripe for a checkout session. All parameters come from the draft as first stored ("tenant", "plan", "price",
 * "language", "email" or "customer", "attempt", "had_trial", and "idempotency" where it has one) and from the
 * configuration, so that a repeated request is identical. success and cancel are paths of this site. *url is NULL when
 * the checkout session is no longer open.
 * ERR_CONFLICT: this attempt's key is spent (Stripe replays a stored failure): begin the next. ERR_NOT_FOUND: the
 * draft's customer does not exist at Stripe. ERR_BAD_REQUEST: Stripe does not take the address. ERR_UNAVAILABLE also:
 * the price does not exist yet.
 */
enum err checkout_open(struct visit *v, struct json_object *draft, const char *success, const char *cancel,
    const char **id, const char **url) MUST_CHECK;

/* Makes sure that the checkout session "cs_..." can no longer be paid. ERR_CONFLICT: it was completed. */
enum err checkout_close(struct visit *v, const char *id) MUST_CHECK;

/*
 * What follows when the database could not record the open session "cs_..." (recorded: its error): an attempt that
 * another click has replaced meanwhile leaves a session that only this request knows, so it is closed. ERR_CONFLICT:
 * begin again; else recorded itself, or why the session could not be closed.
 */
enum err checkout_unrecorded(struct visit *v, const char *session, enum err recorded) MUST_CHECK;

/* The text for a visitor whose payment could not be begun. A refusal has raised an alert: the text says that too. */
const char *checkout_fault(enum err e);

/* The number of the draft's attempt. */
int64_t checkout_attempt(struct json_object *draft);

/* The days of the trial that the draft's checkout session begins; 0: it begins none. */
int checkout_trial(const struct visit *v, struct json_object *draft);

#endif
