/* client_data: what a browser says of a passkey's use, as JSON, which the passkey signs. */
#ifndef TOLLGATE_CLIENT_DATA_H
#define TOLLGATE_CLIENT_DATA_H

#include <stddef.h>

#include "mem.h"

#define CLIENT_DATA_CREATE "webauthn.create"
#define CLIENT_DATA_GET "webauthn.get"

enum { CLIENT_DATA_MAX = 2048 };

/*
 * What is wrong with it, as a word for the log; NULL: nothing, and *challenge is whose time and key are to be checked.
 * type: one of the above. origin: of the site, exactly. Members beside those that decide are ignored: Chromium adds
 * some at random.
 */
const char *client_data_fault(mem_ctx *mem, const void *bytes, size_t n, const char *type, const char *origin,
    const char **challenge);

#endif
