/* pool: the connections of a process, opened on first need, handed to one thread at a time. */
#ifndef TOLLGATE_POOL_H
#define TOLLGATE_POOL_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>

#include "db.h"

enum { POOL_STATEMENTS = 64 };		/* prepared on one connection; further statements are sent unprepared */

struct conn {
	PGconn		*pg;		/* NULL: not connected */
	bool		busy;
	const char	*statements[POOL_STATEMENTS];	/* literals of ours: the pointer is the key, the index the name */
	unsigned	sent;		/* of these, sent to be prepared */
	unsigned	prepared;	/* of these, known to the server */
	char		issued[16];	/* what the last call said when it issued a token (db_candidate); else "" */
	long		spent;		/* seconds: of the limit that the last call found used up; else 0 */
};

/*
 * What each transaction runs with, beside its statement_timeout: X(name, value). A role may alter its own settings, so
 * all that change the meaning or the durability of a statement are given here. Not default_transaction_read_only: by it
 * an administrator takes a server out of use, and libpq then looks for another.
 */
#define POOL_SETTINGS(X) X("search_path", "pg_catalog,pg_temp") X("client_min_messages", "warning") \
	X("lock_timeout", "1000") X("idle_in_transaction_session_timeout", "5000") \
	X("synchronous_commit", "on") X("row_security", "on") \
	X("default_transaction_deferrable", "off") X("timezone", "UTC") X("datestyle", "ISO,MDY") \
	X("intervalstyle", "postgres") X("bytea_output", "hex") X("extra_float_digits", "1") \
	X("standard_conforming_strings", "on") X("transform_null_equals", "off") X("array_nulls", "on")

struct db {
	struct db_options	options;
	const char		*settings;	/* for the startup packet; NULL: each call sets them */
	const char		*statement_timeout;	/* ms; ends before our own wait, so that we know nothing was done */
	pthread_mutex_t		lock;
	pthread_cond_t		given;
	int			backoff_ms;	/* 0: the last connecting succeeded */
	int64_t			connect_at;	/* no attempt to connect before this time */
	enum err		refusal;	/* why the last connection was not admitted; OK when it was, or was not made */
	char			why[200];	/* the same as a sentence */
	struct conn		*conns;		/* options.pool of them */
};

/*
 * A live, idle connection, at the deadline at the latest. ERR_UNAVAILABLE: no connection became free in time, or the
 * database was not reached or did not admit us.
 */
enum err pool_take(struct db *db, int64_t deadline, struct conn **out) MUST_CHECK;

/* Returns a connection to the pool; closes it unless it is sound and idle. */
void pool_give(struct db *db, struct conn *c, bool sound);

#endif
