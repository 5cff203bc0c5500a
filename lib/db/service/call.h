/* call: the one way a statement reaches PostgreSQL. On the include path of db and service only. */
#ifndef TOLLGATE_CALL_H
#define TOLLGATE_CALL_H

#include "db.h"

/* Who asks. */
struct db_who {
	const char		*bearer;
	struct db_candidate	*candidate;	/* or NULL */
	long			*wait;		/* db_visitor_wait(), or NULL */
};

extern const struct db_who db_nobody;		/* a visitor, or a service */

/* The result hangs on mem. */
enum err db_call(struct db *db, mem_ctx *mem, const struct db_who *who, struct json_object **out, const char *sql,
    struct db_args args) MUST_CHECK;

#endif
