/* stamp: whether the key at hand opens the account at Stripe that the database belongs to. */
#ifndef TOLLGATE_STAMP_H
#define TOLLGATE_STAMP_H

#include <stdbool.h>

#include "service.h"
#include "stripe.h"

/* Whose key it is; *account NULL when it may not even ask that, which is logged. */
enum err stamp_ask(struct stripe *s, mem_ctx *mem, const char **account) MUST_CHECK;

/*
 * ERR_CONFLICT: the database belongs to another account, as *why says in a sentence on mem. learn: one that belongs to
 * none yet is this account's from now on. For an account of NULL any database will do.
 */
enum err stamp_match(struct db_service *me, mem_ctx *mem, const char *account, bool learn, const char **why) MUST_CHECK;

#endif
