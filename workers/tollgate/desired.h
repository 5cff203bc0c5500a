/* desired: an object as it should be at Stripe: written as parameters, and compared with the one that is there. Pure. */
#ifndef TOLLGATE_DESIRED_H
#define TOLLGATE_DESIRED_H

#include <json-c/json.h>

#include "mem.h"

/* {"a": {"b": ["x", true]}} as a[b][0]=x&a[b][1]=true. */
char *desired_form(mem_ctx *mem, struct json_object *desired);

/*
 * What is not as desired: [{"field": "a.b", "is": ..., "should": ...}], empty when all is. What is desired of an object may
 * be less than there is; a list must hold the same, in any order.
 */
struct json_object *desired_differences(mem_ctx *mem, struct json_object *desired, struct json_object *actual);

#endif
