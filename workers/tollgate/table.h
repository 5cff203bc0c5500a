/* table: JSON for people: rows as aligned columns, and single values as lines. */
#ifndef TOLLGATE_TABLE_H
#define TOLLGATE_TABLE_H

#include <json-c/json.h>

#include "mem.h"

struct column {
	const char	*title;
	const char	*pointer;	/* into a row: "/id" */
};

/* A title line and a line for each object of the array; nothing at all for none. */
void table_print(mem_ctx *mem, struct json_object *rows, const struct column *columns, size_t n);

/* "mail.pending  3" for each value, objects inside walked through. */
void table_values(mem_ctx *mem, struct json_object *doc, const char *prefix);

/* A value as it is shown: "-" for none, "2026-07-29 10:00:00" for a time, "a, b" for a list. */
const char *table_text(mem_ctx *mem, struct json_object *value);

#endif
