/* wanted: an object as it should be at Stripe: written as parameters, and compared with the one that is there. Pure. */
#ifndef TOLLGATE_WANTED_H
#define TOLLGATE_WANTED_H

#include <json-c/json.h>

#include "mem.h"

/* {"a": {"b": ["x", true]}} as a[b][0]=x&a[b][1]=true. */
char *wanted_form(mem_ctx *mem, struct json_object *wanted);

/*
 * What is not as wanted: [{"field": "a.b", "is": ..., "should": ...}], empty when all is. What is wanted of an object may
 * be less than there is; a list must hold the same, in any order.
 */
struct json_object *wanted_differences(mem_ctx *mem, struct json_object *wanted, struct json_object *actual);

#endif
