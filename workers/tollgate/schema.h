/* schema: brings a database, empty or of an earlier version, to the schema of this version. */
#ifndef TOLLGATE_SCHEMA_H
#define TOLLGATE_SCHEMA_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct schema_options {
	const char	*conninfo;	/* of a user that may create roles and schemas */
	const char	*schema;	/* directory: roles.sql, migrations/, functions/, policies/ */
	const char	*plans;		/* for ops.put_plans(): a JSON array */
	const char	*settings;	/* for ops.put_settings(): a JSON object */
	const char	*usage;		/* for ops.put_usage(): a JSON object */
	const char	*chat;		/* for ops.put_chat(): a JSON object */
	const char	*environment;	/* site.environment, stamped on a database without a stamp */
	bool		passwords;	/* keep the passwords of the roles */
	bool		stamp;		/* replace any stamp, and delete the recorded Stripe account */
	bool		dry_run;	/* print what would be done, and change nothing */
};

/*
 * roles.sql first; each migration once, in a transaction with the row that records its checksum; then all functions
 * and policies in one transaction, with the stamp; then the plans, settings, usage and chat. Prints its steps on stdout
 * and faults on stderr.
 * ERR_FORBIDDEN: the database is stamped for another environment. ERR_CONFLICT: drift, or an error in a file; what was
 * committed before it stays, and the next run continues there. ERR_NOT_FOUND: a file cannot be read.
 * ERR_UNAVAILABLE: the database cannot be reached.
 */
enum err schema_apply(mem_ctx *ctx, const struct schema_options *o) MUST_CHECK;

#endif
