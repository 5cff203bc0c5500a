/* table: JSON as text for a terminal: rows as aligned columns, and single values as lines. */
#ifndef TOLLGATE_TABLE_H
#define TOLLGATE_TABLE_H

#include <json-c/json.h>

#include "mem.h"

struct column {
	const char	*title;
	const char	*pointer;	/* into a row: "/id" */
};

/* Prints a title line and a line for each object of the array; nothing for an empty array. */
void table_print(mem_ctx *mem, struct json_object *rows, const struct column *columns, size_t n);

/* Prints a line "mail.pending  3" for each value, also of nested objects. */
void table_values(mem_ctx *mem, struct json_object *doc, const char *prefix);

/* A value as printed: "-" for NULL and an empty list, "2026-07-29 10:00:00" for a UTC time, "a, b" for a list. */
const char *table_text(mem_ctx *mem, struct json_object *value);

#endif
