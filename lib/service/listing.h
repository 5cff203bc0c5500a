/* listing: all of a list of Stripe's, page by page. */
#ifndef TOLLGATE_LISTING_H
#define TOLLGATE_LISTING_H

#include "stripe.h"

/* Adds every object of the list at path to an array. form: encoded parameters, or NULL. Errors: as stripe_list(). */
enum err listing_add(struct stripe *s, mem_ctx *mem, const char *path, const char *form,
    struct json_object *into) MUST_CHECK;

#endif
