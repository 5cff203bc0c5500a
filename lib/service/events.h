/* events: the operator's commands on what came in. Each answers an exit code. */
#ifndef TOLLGATE_EVENTS_H
#define TOLLGATE_EVENTS_H

#include "operator.h"

int events_list(const struct operator *o);
int events_show(const struct operator *o);
int events_dead(const struct operator *o);

/* What was asked for, as ops.list_events() and the like read it. */
struct json_object *events_filter(const struct operator *o, mem_ctx *mem);

/* The exact bytes of an event's "raw". */
char *events_body(mem_ctx *mem, struct json_object *event, size_t *n);

/* Dead objects and their events after the row `after` (NULL: the first). */
enum err events_dead_page(const struct operator *o, mem_ctx *mem, struct json_object *after, struct json_object **rows)
    MUST_CHECK;

#endif
