#include "service.h"

#include <string.h>

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
	return db_call(me->db, me->mem, &db_nobody, out, sql, args);
}

const char *
service_jsonb(struct json_object *doc)
{
	char	*text = (char *)json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);

	for (char *s = strchr(text, '\\'); s != NULL; s = strchr(s + 2, '\\')) {
		if (strncmp(s, "\\u0000", 6) == 0)
			memcpy(s, "\\ufffd", 6);
	}
	return text;
}
