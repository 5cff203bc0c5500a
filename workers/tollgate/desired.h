/* desired: the desired state of an object at Stripe, as parameters and compared with the actual object. Pure. */
#ifndef TOLLGATE_DESIRED_H
#define TOLLGATE_DESIRED_H

#include <json-c/json.h>

#include "mem.h"

/* {"a": {"b": ["x", true]}} as a[b][0]=x&a[b][1]=true. */
char *desired_form(mem_ctx *mem, struct json_object *desired);

/*
 * The differences: [{"field": "a.b", "is": ..., "should": ...}], or []. Members of actual that desired does not name
 * are ignored; a list must have the same items, in any order.
 */
struct json_object *desired_differences(mem_ctx *mem, struct json_object *desired, struct json_object *actual);

#endif
