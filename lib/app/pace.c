#include "pace.h"

static int
pace_turn(void *db, mem_ctx *mem, int rate)
{
	struct json_object	*ms;

	if (db_visitor(db_as_visitor(mem, db), &ms, "api.take_turn($1::int)", ARGS(INT(rate))) != OK)
		return -1;
	return json_object_get_int(ms);
}

/* When the database does not answer, only this process pauses. */
static void
pace_pause(void *db, mem_ctx *mem, int ms)
{
	(void)!db_visitor(db_as_visitor(mem, db), NULL, "api.pause_calls($1::int)", ARGS(INT(ms)));
}

struct stripe_pace
pace_of(struct db *db)
{
	return db == NULL ? (struct stripe_pace){ 0 } : (struct stripe_pace){ pace_turn, pace_pause, db };
}
