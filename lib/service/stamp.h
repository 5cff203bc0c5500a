/* stamp: checks that our key belongs to the same Stripe account as the database. */
#ifndef TOLLGATE_STAMP_H
#define TOLLGATE_STAMP_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

/* Asks Stripe for the key's account. *account is NULL when the key lacks the right to ask, which is logged. */
enum err stamp_ask(struct stripe *s, mem_ctx *mem, const char **account) MUST_CHECK;

/*
 * ERR_CONFLICT: the database belongs to another Stripe account; *why is a sentence on mem. learn: a database without
 * one records this one. OK if account is NULL.
 */
enum err stamp_match(struct db_service *me, mem_ctx *mem, const char *account, bool learn, const char **why) MUST_CHECK;

#endif
