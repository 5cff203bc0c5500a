#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

/* Cuts a UTC time to whole seconds; any other text is returned as it is. */
static const char *
time_short(mem_ctx *mem, const char *s)
{
	size_t	n = strlen(s);

	if (n < 20 || s[4] != '-' || s[10] != 'T' || s[13] != ':' || !isdigit((unsigned char)s[0]) ||
	    (s[n - 1] != 'Z' && strcmp(s + n - 6, "+00:00") != 0))
		return s;
	return mem_printf(mem, "%.10s %.8s", s, s + 11);
}

static const char *
list_text(mem_ctx *mem, struct json_object *list)
{
	struct buf	b = { .ctx = mem };

	for (size_t i = 0; i < json_object_array_length(list); i++)
		buf_printf(&b, "%s%s", i ? ", " : "", table_text(mem, json_object_array_get_idx(list, i)));
	return b.len ? b.data : "-";
}

/* Text from outside must not control the operator's terminal: each control character becomes '?'. */
static const char *
printable(mem_ctx *mem, const char *s)
{
	char	*copy = mem_copy(mem, s, strlen(s));

	for (char *c = copy; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	return copy;
}

const char *
table_text(mem_ctx *mem, struct json_object *value)
{
	if (value == NULL)
		return "-";
	if (json_object_is_type(value, json_type_string))
		return time_short(mem, printable(mem, json_object_get_string(value)));
	if (json_object_is_type(value, json_type_array))
		return list_text(mem, value);
	return printable(mem, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

static const char *
cell(mem_ctx *mem, struct json_object *row, const struct column *c)
{
	return table_text(mem, json_at(row, c->pointer));
}

static int
width_of(mem_ctx *mem, struct json_object *rows, const struct column *c)
{
	size_t	width = strlen(c->title);

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		size_t	n = strlen(cell(mem, json_object_array_get_idx(rows, i), c));

		width = n > width ? n : width;
	}
	return (int)width;
}

void
table_print(mem_ctx *mem, struct json_object *rows, const struct column *columns, size_t n)
{
	size_t	length = rows ? json_object_array_length(rows) : 0;
	int	*widths = talloc_array(mem, int, n);

	if (length == 0)
		return;
	for (size_t c = 0; c < n; c++) {
		widths[c] = width_of(mem, rows, &columns[c]);
		printf("%-*s%s", c + 1 < n ? widths[c] : 0, columns[c].title, c + 1 < n ? "  " : "\n");
	}
	for (size_t i = 0; i < length; i++) {
		for (size_t c = 0; c < n; c++)
			printf("%-*s%s", c + 1 < n ? widths[c] : 0, cell(mem, json_object_array_get_idx(rows, i), &columns[c]),
			    c + 1 < n ? "  " : "\n");
	}
}

void
table_values(mem_ctx *mem, struct json_object *doc, const char *prefix)
{
	json_object_object_foreach(doc, name, value) {
		const char	*path = mem_printf(mem, "%s%s%s", prefix, *prefix ? "." : "", name);

		if (!json_object_is_type(value, json_type_object))
			printf("%-32s %s\n", path, table_text(mem, value));
		else if (json_object_object_length(value) > 0)
			table_values(mem, value, path);
		else
			printf("%-32s -\n", path);
	}
}
