/* device: the cookie of a browser that has signed in, which proves nothing. */
#ifndef TOLLGATE_DEVICE_H
#define TOLLGATE_DEVICE_H

#include "db.h"
#include "visit.h"

/* The digest of the browser's device cookie; SQL null when it sent no valid one. */
struct db_arg device_digest(struct visit *v);

/* The value of the browser's device cookie; a new one when it sent no valid one. */
enum err device_own(struct visit *v, struct secret *device) MUST_CHECK;

#endif
