#include "call.h"

enum { REPEATS = 3 };

const struct db_who db_nobody = { .bearer = "" };

struct db_visitor {
	mem_ctx		*mem;
	struct db	*db;
	struct db_who	who;
};

struct db_user {
	mem_ctx		*mem;
	struct db	*db;
	struct db_who	who;
	bool		served;
};

struct db_key {
	mem_ctx		*mem;
	struct db	*db;
	struct db_who	who;
};

struct db_visitor *
db_as_visitor(mem_ctx *mem, struct db *db)
{
	struct db_visitor	*me = talloc(mem, struct db_visitor);

	*me = (struct db_visitor){ mem, db, db_nobody };
	return me;
}

struct db_user *
db_as_user(mem_ctx *mem, struct db *db, const char *bearer)
{
	struct db_user	*me = talloc(mem, struct db_user);

	*me = (struct db_user){ mem, db, { .bearer = mem_printf(mem, "%s", bearer) }, false };
	return me;
}

struct db_key *
db_as_key(mem_ctx *mem, struct db *db, const char *bearer)
{
	struct db_key	*me = talloc(mem, struct db_key);

	*me = (struct db_key){ mem, db, { .bearer = mem_printf(mem, "%s", bearer) } };
	return me;
}

void
db_offer(struct db_user *me, struct db_candidate *candidate)
{
	me->who.candidate = candidate;
}

void
db_visitor_wait(struct db_visitor *me, long *wait)
{
	me->who.wait = wait;
}

void
db_user_wait(struct db_user *me, long *wait)
{
	me->who.wait = wait;
}

enum err
db_visitor_call(struct db_visitor *me, struct json_object **out, const char *sql, struct db_args args)
{
	return db_call(me->db, me->mem, &me->who, out, sql, args);
}

enum err
db_user_call(struct db_user *me, struct json_object **out, const char *sql, struct db_args args)
{
	enum err	e = db_call(me->db, me->mem, &me->who, out, sql, args);

	me->served |= e == OK;
	return e;
}

enum err
db_visitor_repeat_call(struct db_visitor *me, struct json_object **out, const char *sql, struct db_args args)
{
	enum err	e = ERR_UNCERTAIN;

	for (int i = 0; i < REPEATS && e == ERR_UNCERTAIN; i++)
		e = db_visitor_call(me, out, sql, args);
	return e;
}

enum err
db_user_repeat_call(struct db_user *me, struct json_object **out, const char *sql, struct db_args args)
{
	enum err	e = ERR_UNCERTAIN;

	for (int i = 0; i < REPEATS && e == ERR_UNCERTAIN; i++)
		e = db_user_call(me, out, sql, args);
	return e;
}

enum err
db_key_call(struct db_key *me, struct json_object **out, const char *sql, struct db_args args)
{
	return db_call(me->db, me->mem, &me->who, out, sql, args);
}

bool
db_is_served(const struct db_user *me)
{
	return me->served;
}

enum err
db_ping(struct db *db)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	enum err		e = db_call(db, mem, &db_nobody, &doc, "select true", NO_ARGS);

	talloc_free(mem);
	return e == OK ? OK : ERR_UNAVAILABLE;
}
