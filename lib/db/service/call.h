/* call: the one way a statement reaches PostgreSQL. On the include path of db and service only. */
#ifndef TOLLGATE_CALL_H
#define TOLLGATE_CALL_H

#include "db.h"

/* bearer "" for a visitor and for services. The result hangs on mem. */
enum err db_call(struct db *db, mem_ctx *mem, const char *bearer, struct json_object **out, const char *sql,
    struct db_args args) MUST_CHECK;

#endif
