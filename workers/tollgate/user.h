/* user: who called the command, and which system user it runs as. */
#ifndef TOLLGATE_USER_H
#define TOLLGATE_USER_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

/* The caller's name, for the record; under sudo, that of the user who called sudo. */
const char *user_caller(mem_ctx *ctx);

/*
 * Root becomes the user tollgate_operator, whom PostgreSQL lets in as the role of that name; without such a user, and
 * for any other caller, nothing changes. may_return: user_as_caller() still works. ERR_INTERNAL: the kernel refused.
 */
enum err user_become_operator(bool may_return) MUST_CHECK;

/* true: what follows is done as the caller, who named the file. false: as the operator again. */
void user_as_caller(bool caller);

#endif
