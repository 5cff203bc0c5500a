/* schema: brings a database to the schema of this version, whatever version it has now. */
#ifndef TOLLGATE_SCHEMA_H
#define TOLLGATE_SCHEMA_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct schema_options {
	const char	*conninfo;	/* of one who may create roles and schemas */
	const char	*schema;	/* directory: roles.sql, migrations/, functions/, policies/ */
	const char	*plans;		/* for ops.put_plans(): a JSON array */
	const char	*environment;	/* what the database is stamped with when it has no stamp */
	bool		stamp;		/* stamp it anew whatever it has, and forget the account at Stripe */
	bool		dry_run;	/* say what would be done */
};

/*
 * roles.sql first; each migration once, in a transaction with the row that remembers its checksum; then all functions
 * and policies in one, with the stamp; then the plans. Tells on stdout what it does and on stderr what is wrong.
 * ERR_FORBIDDEN: the database is stamped for another environment. ERR_CONFLICT: drift, or an error in a file; what was
 * committed before it stays, and the next run goes on from there. ERR_NOT_FOUND: files that cannot be read.
 * ERR_UNAVAILABLE: no database.
 */
enum err schema_apply(mem_ctx *ctx, const struct schema_options *o) MUST_CHECK;

#endif
