/* passkey: what a page needs to ask a browser for a passkey, and what the browser says then. */
#ifndef TOLLGATE_PASSKEY_H
#define TOLLGATE_PASSKEY_H

#include <json-c/json.h>

#include "visit.h"

/*
 * The page has a form for a passkey ({{>passkey_get}}), and may run our script. The challenge is of the browser: of its
 * session, on a page that needs one, else of its flow cookie, after visit_form().
 */
void passkey_offer(struct visit *v, struct json_object *doc);

#endif
