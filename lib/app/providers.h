/* providers: the parties besides us that may vouch for users, as pages offer them. */
#ifndef TOLLGATE_PROVIDERS_H
#define TOLLGATE_PROVIDERS_H

#include "visit.h"

/* The one of this name; NULL: none is configured. */
const struct config_provider *providers_find(const struct config *c, const char *name);

/* doc gets "providers": the buttons of all that are configured, {"name", "label"}, for the template of that name. */
void providers_put(struct visit *v, struct json_object *doc);

/* The origins that their buttons lead to, for form-action: separated by spaces, each once, "" for none. */
char *providers_origins(mem_ctx *ctx, const struct config *c);

#endif
