/* currency: the currencies that Stripe has, by their codes: "eur". Pure. */
#ifndef TOLLGATE_CURRENCY_H
#define TOLLGATE_CURRENCY_H

#include <stdbool.h>

/* How many digits of an amount are minor units at Stripe; -1: Stripe has no such currency. */
int currency_digits(const char *code);

/* Whether Stripe charges in it: a plan may be sold in it. */
bool currency_is_charged(const char *code);

#endif
