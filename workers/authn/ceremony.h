/* ceremony: what a browser sends of a passkey, checked and verified, for the database to judge. */
#ifndef TOLLGATE_CEREMONY_H
#define TOLLGATE_CEREMONY_H

#include <json-c/json.h>

#include "visit.h"

/*
 * Both: *doc is the argument of the database's function, unless *fault says what is wrong, as a word, which is logged.
 * key: what the page's challenge was made with.
 */

/* A new key (api.add_passkey): fields id, client, attestation, transports. */
enum err ceremony_made(struct visit *v, const struct secret *key, struct json_object **doc, const char **fault)
    MUST_CHECK;

/* The use of a key (auth.use_passkey): fields id, client, data, signature, user. ERR_LIMIT: too many of its network. */
enum err ceremony_used(struct visit *v, const struct secret *key, struct json_object **doc, const char **fault)
    MUST_CHECK;

#endif
