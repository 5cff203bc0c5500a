#include "service.h"

#include "call.h"

struct db_service {
	mem_ctx		*mem;
	struct db	*db;
};

struct db_service *
db_as_service(mem_ctx *mem, struct db *db)
{
	struct db_service	*me = talloc(mem, struct db_service);

	*me = (struct db_service){ mem, db };
	return me;
}

enum err
db_service_call(struct db_service *me, struct json_object **out, const char *sql, struct db_args args)
{
	return db_call(me->db, me->mem, "", out, sql, args);
}
