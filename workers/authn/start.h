/* start: from a button to the page of another party. */
#ifndef TOLLGATE_START_H
#define TOLLGATE_START_H

#include "authn.h"
#include "flow.h"

/* Sends the browser to page, the provider's, for this visit. */
enum err start_redirect(struct visit *v, const struct config_provider *p, const char *page, const struct flow *f)
    MUST_CHECK;

#endif
