/* admission: what a connection is asked before it serves anything: whether the database is the one we are meant for. */
#ifndef TOLLGATE_ADMISSION_H
#define TOLLGATE_ADMISSION_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * One round trip. OK; ERR_FORBIDDEN: the database is another environment's; ERR_CONFLICT: its schema is older than this
 * build; ERR_UNAVAILABLE: it did not answer, which says nothing of the two. *why: a sentence of at most n bytes, unless OK.
 */
enum err admission_ask(PGconn *pg, const char *environment, int64_t deadline, char *why, size_t n) MUST_CHECK;

#endif
