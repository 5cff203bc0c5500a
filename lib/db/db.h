/*
 * db: one call = one SQL function = one transaction = one round trip (libpq pipeline mode: identity, call, Sync).
 *
 * A context is an identity, never an open transaction. There is no begin and no commit, so no transaction can be held
 * across a Stripe call or while a client reads slowly. The identities are types of their own: a function
 * that takes a struct db_service does not accept a visitor.
 */
#ifndef TOLLGATE_DB_H
#define TOLLGATE_DB_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

struct db;		/* a bounded pool of connections, shared by the threads of a process */

struct db_options {
	const char	*conninfo;	/* from configuration */
	const char	*role;		/* the login role of this kind of process: "tollgate_billing" */
	int		pool;		/* connections at most, opened on first need */
	int		wait_ms;	/* for a free connection, then ERR_UNAVAILABLE */
	int		timeout_ms;	/* for one call, also when the server's machine vanishes */
	bool		prepared;
	const char	*environment;	/* site.environment; NULL: any database is accepted (tests) */
};

/* Never connects: a process stays up while the database is down. The pool hangs on ctx. */
struct db *db_open(mem_ctx *ctx, const struct db_options *options);

/*
 * The database must admit each new connection: its stamp must be our environment, and its schema not older than this
 * build. While it does not, all calls are ERR_UNAVAILABLE. db_admit() gives a starting program the reason.
 * ERR_FORBIDDEN: the stamp is another environment's. ERR_CONFLICT: the schema is older or missing, or grants are. In
 * both cases *why is a sentence on mem. ERR_UNAVAILABLE: the database was not reached.
 */
enum err db_admit(struct db *db, mem_ctx *mem, const char **why) MUST_CHECK;

/*
 * What is unsafe about conninfo, or NULL: a password in a file that others may read (shared), or a way to another
 * machine without TLS that verifies it. What conninfo leaves out, libpq takes from the environment and from service
 * files, so they are read here too. Called while the process has one thread.
 */
const char *db_conninfo_fault(mem_ctx *mem, const char *conninfo, bool shared);

/* Files that libpq reads when it connects as conninfo says, NULL at the end: passwords, certificates, services. */
const char *const *db_files(mem_ctx *mem, const char *conninfo);

/* Tries to reach the database: OK or ERR_UNAVAILABLE. For health. */
enum err db_ping(struct db *db) MUST_CHECK;

/* The identity of a call. Made for each request, on its memory. bearer: 64 hex digits (session_bearer()). */
struct db_visitor;
struct db_user;
struct db_visitor *db_as_visitor(mem_ctx *mem, struct db *db);
struct db_user *db_as_user(mem_ctx *mem, struct db *db, const char *bearer);

/*
 * A token that the database may issue to the session, when its own is old, in the round trip of any call: a function
 * that has stored the token says so by an INFO of SQLSTATE TG001, whose message is max_age (auth.tend_session).
 */
struct db_candidate {
	const char	*stored;	/* 64 hex digits of what the database would store; NULL or "": none is offered */
	bool		issued;		/* by a call that was committed */
	long		max_age;	/* of the cookie, in seconds; -1: it ends with the browser */
};

/* A tenant's program. bearer: 64 hex digits (api_key_bearer()). */
struct db_key;
struct db_key *db_as_key(mem_ctx *mem, struct db *db, const char *bearer);

/* Whether a call of this identity has succeeded. */
bool db_is_served(const struct db_user *me);

/* Offers it with each call of this identity. */
void db_offer(struct db_user *me, struct db_candidate *candidate);

/*
 * Where a call that finds a limit used up writes after how many seconds that limit lets one more through, whatever the
 * call's own answer is. The function says so by an INFO of SQLSTATE TG003, whose message they are (auth.allow).
 */
void db_visitor_wait(struct db_visitor *me, long *wait);
void db_user_wait(struct db_user *me, long *wait);

enum db_arg_kind { DB_TEXT, DB_BYTES, DB_INT, DB_BOOL };

struct db_arg {
	enum db_arg_kind	kind;
	const void		*value;		/* DB_TEXT, DB_BYTES; NULL: SQL null */
	size_t			len;		/* DB_BYTES */
	int64_t			number;		/* DB_INT; DB_BOOL: 0 or 1 */
};

struct db_args {
	const struct db_arg	*args;
	unsigned		n;
};

#define TEXT(s) ((struct db_arg){ .kind = DB_TEXT, .value = (s) })
#define BYTES(p, n) ((struct db_arg){ .kind = DB_BYTES, .value = (p), .len = (n) })
#define INT(n) ((struct db_arg){ .kind = DB_INT, .number = (n) })
#define BOOL(b) ((struct db_arg){ .kind = DB_BOOL, .number = (b) })
#define SQL_NULL TEXT(NULL)
#define ARGS(...) ((struct db_args){ (const struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg) })
#define NO_ARGS ((struct db_args){ NULL, 0 })

/*
 * db_user(me, &doc, "api.billing_page($1)", ARGS(TEXT(x))): *out is the function's jsonb (or NULL for SQL null), on the
 * identity's memory. out may be NULL when the answer is not wanted. The SQL is always a literal of ours: anything else
 * does not compile. Arguments are cast in the call where the function's parameter is not text: "$2::uuid", "$3::int".
 *
 * Errors by SQLSTATE (table in sqlstate.c). Functions raise class TG on purpose: TG400 TG401 TG403 TG404 TG409 TG422
 * TG429 TG503 become the enum err of that status, TG40C ERR_CONFIRM, TG40F ERR_FACTOR. Connection lost before the call
 * was sent, pool exhausted, server starting: ERR_UNAVAILABLE. Lost after: ERR_UNCERTAIN. A deadlock or serialization
 * failure is run again, up to 3 runs in all.
 */
#define db_visitor(me, out, call, args) db_visitor_call((me), (out), "select " call, (args))
#define db_user(me, out, call, args) db_user_call((me), (out), "select " call, (args))
#define db_key(me, out, call, args) db_key_call((me), (out), "select " call, (args))

/* The same for a function that may be called again: up to three times, while the answer is lost (ERR_UNCERTAIN). */
#define db_visitor_repeat(me, out, call, args) db_visitor_repeat_call((me), (out), "select " call, (args))
#define db_user_repeat(me, out, call, args) db_user_repeat_call((me), (out), "select " call, (args))

enum err db_visitor_call(struct db_visitor *me, struct json_object **out, const char *sql, struct db_args args)
    MUST_CHECK;
enum err db_user_call(struct db_user *me, struct json_object **out, const char *sql, struct db_args args) MUST_CHECK;
enum err db_visitor_repeat_call(struct db_visitor *me, struct json_object **out, const char *sql, struct db_args args)
    MUST_CHECK;
enum err db_user_repeat_call(struct db_user *me, struct json_object **out, const char *sql, struct db_args args)
    MUST_CHECK;
enum err db_key_call(struct db_key *me, struct json_object **out, const char *sql, struct db_args args) MUST_CHECK;

#endif
