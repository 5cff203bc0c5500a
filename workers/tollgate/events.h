/* events: shared by the subcommands on events. */
#ifndef TOLLGATE_EVENTS_H
#define TOLLGATE_EVENTS_H

#include "operator.h"

/* Whether the options of the command line can match an event. Prints one that cannot. */
bool events_filter_is_valid(const struct operator *o);

/* The options of the command line as the filter that ops.list_events() and its siblings take. */
struct json_object *events_filter(const struct operator *o, mem_ctx *mem);

/* The exact bytes of an event's body, from the hex of its "raw". */
char *events_body(mem_ctx *mem, struct json_object *event, size_t *n);

/* Dead-lettered objects and their events after the row `after` (NULL: the first page). */
enum err events_dead_page(const struct operator *o, mem_ctx *mem, struct json_object *after, struct json_object **rows)
    MUST_CHECK;

#endif
