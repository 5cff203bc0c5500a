/* help: where customers get it, as pages and mails say it. */
#ifndef TOLLGATE_HELP_H
#define TOLLGATE_HELP_H

#include <json-c/json.h>

#include "config.h"
#include "mem.h"

/* doc gets "help", an address or the URL of a page, and "help_link" for it. Both are empty where none is configured. */
void help_put(mem_ctx *mem, const struct config *c, struct json_object *doc);

#endif
