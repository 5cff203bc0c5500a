/*
 * permit: the right of a request to call Stripe. The database gives out fewer at a time than the program has threads
 * (under mod_fcgid: processes), so pages that need no call are answered whatever Stripe does; and it counts the calls
 * that a browser, a network and a tenant cause. A handler reaches Stripe in no other way.
 */
#ifndef TOLLGATE_PERMIT_H
#define TOLLGATE_PERMIT_H

#include "resource.h"
#include "visit.h"

struct permits *permits_open(mem_ctx *ctx, const struct app *app);

const struct stripe *permits_stripe(const struct permits *p);

/*
 * For one call to Stripe; a request that makes another asks again. The permit ends with the handler. ERR_UNAVAILABLE:
 * all are taken; nothing is waited for. ERR_LIMIT: an allowance is used up.
 */
enum err permit_take(struct visit *v, struct stripe **out) MUST_CHECK;

#endif
