/* origin: scheme, host and port of a URL, and whether another URL has the same. Pure. */
#ifndef TOLLGATE_ORIGIN_H
#define TOLLGATE_ORIGIN_H

#include <stdbool.h>

#include "mem.h"

/* "https://host[:port]" of an http or https URL, without user, path or query; NULL for anything else. */
char *origin_of(mem_ctx *ctx, const char *url);

/* Whether url is this origin followed by a path, and is printable ASCII throughout: safe to redirect to. */
bool origin_holds(const char *origin, const char *url);

/* Whether the host is this machine itself: localhost, 127.0.0.0/8 or [::1]. */
bool origin_is_loopback(const char *origin);

#endif
