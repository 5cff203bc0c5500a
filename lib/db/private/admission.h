/* admission: asks on a new connection whether the database fits this program, before any call uses it. */
#ifndef TOLLGATE_ADMISSION_H
#define TOLLGATE_ADMISSION_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * One round trip. ERR_FORBIDDEN: the database belongs to another environment. ERR_CONFLICT: its schema is older than
 * this build or missing, or grants are. ERR_UNAVAILABLE: no usable answer. On an error why gets at most n
 * bytes of text.
 */
enum err admission_ask(PGconn *pg, const char *environment, int64_t deadline, char *why, size_t n) MUST_CHECK;

#endif
