/* admin: the administrator's own connection, for migrate: whole scripts, no time limit, errors printed in full. */
#ifndef TOLLGATE_ADMIN_H
#define TOLLGATE_ADMIN_H

#include "db.h"

struct admin;

/* Connects to conninfo. ERR_UNAVAILABLE, printed on stderr. Freeing ctx closes the connection and frees its locks. */
enum err admin_open(mem_ctx *ctx, const char *conninfo, struct admin **out) MUST_CHECK;

/*
 * Runs the statements of a script, one transaction unless one is open already. An error is printed on stderr as
 * "NAME:LINE: ...", and is ERR_CONFLICT; a lost connection ERR_UNAVAILABLE. ERR_LIMIT, not printed: a lock was not free
 * within lock_timeout, or the wait was a deadlock; roll back and try again.
 */
enum err admin_script(struct admin *a, const char *name, const char *sql) MUST_CHECK;

/* Commits the transaction that admin_script("begin") opened. ERR_CONFLICT, printed: a script has already ended it. */
enum err admin_commit(struct admin *a, const char *name) MUST_CHECK;

/*
 * *out: the text of one statement's only value on mem, or NULL for SQL null and for no row; out may be NULL. args: of
 * TEXT() only. Errors as admin_script().
 */
enum err admin_value(struct admin *a, mem_ctx *mem, const char **out, const char *sql, struct db_args args) MUST_CHECK;

#endif
