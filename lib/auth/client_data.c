#include "client_data.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"

/* Over its whole length: a text may hold a NUL. */
static bool
is_exactly(struct json_object *doc, const char *name, const char *text)
{
	struct json_object	*said;

	return json_object_object_get_ex(doc, name, &said) && json_object_is_type(said, json_type_string) &&
	    (size_t)json_object_get_string_len(said) == strlen(text) && strcmp(json_object_get_string(said), text) == 0;
}

/* Absent: a browser that says nothing of it knows no other pages' frames. In one it names the page around it too. */
static bool
is_cross(struct json_object *doc)
{
	struct json_object	*said;

	if (json_object_object_get_ex(doc, "topOrigin", NULL))
		return true;
	return json_object_object_get_ex(doc, "crossOrigin", &said) &&
	    (!json_object_is_type(said, json_type_boolean) || json_object_get_boolean(said));
}

const char *
client_data_fault(mem_ctx *mem, const void *bytes, size_t n, const char *type, const char *origin,
    const char **challenge)
{
	struct json_object	*doc;

	if (n > CLIENT_DATA_MAX || json_parse_unique(mem, bytes, n, &doc) != OK ||
	    !json_object_is_type(doc, json_type_object))
		return "client_data";
	if (!is_exactly(doc, "type", type))
		return "type";
	if (!is_exactly(doc, "origin", origin) || is_cross(doc))
		return "origin";
	*challenge = json_text(doc, "/challenge");
	return *challenge == NULL ? "challenge" : NULL;
}
