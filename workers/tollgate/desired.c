#include "desired.h"

#include <stdbool.h>

#include "form.h"
#include "json.h"

static void
form_add(struct buf *b, const char *name, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, child)
			form_add(b, *name ? mem_printf(b->ctx, "%s[%s]", name, key) : key, child);
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			form_add(b, mem_printf(b->ctx, "%s[%zu]", name, i), json_object_array_get_idx(value, i));
		if (json_object_array_length(value) == 0)
			form_put(b, name, "");
	} else
		form_put(b, name, value ? json_object_get_string(value) : "");
}

char *
desired_form(mem_ctx *mem, struct json_object *desired)
{
	struct buf	b = { .ctx = mem };

	form_add(&b, "", desired);
	return b.data;
}

static bool holds(struct json_object *desired, struct json_object *actual);

/* Both lists have the same items. Comparing one way suffices: they are equally long, and no desired item repeats. */
static bool
list_holds(struct json_object *desired, struct json_object *actual)
{
	size_t	n = json_object_array_length(desired);

	if (!json_object_is_type(actual, json_type_array) || json_object_array_length(actual) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool	found = false;

		for (size_t j = 0; j < n && !found; j++)
			found = holds(json_object_array_get_idx(desired, i), json_object_array_get_idx(actual, j));
		if (!found)
			return false;
	}
	return true;
}

static bool
holds(struct json_object *desired, struct json_object *actual)
{
	if (json_object_is_type(desired, json_type_array))
		return list_holds(desired, actual);
	if (!json_object_is_type(desired, json_type_object))
		return json_object_equal(desired, actual);
	json_object_object_foreach(desired, key, child) {
		struct json_object	*there = NULL;

		if (!json_object_object_get_ex(actual, key, &there) || !holds(child, there))
			return false;
	}
	return true;
}

static void
differences_add(mem_ctx *mem, struct json_object *list, const char *name, struct json_object *desired,
    struct json_object *actual)
{
	struct json_object	*difference;

	if (json_object_is_type(desired, json_type_object)) {
		json_object_object_foreach(desired, key, child) {
			struct json_object	*there = NULL;

			json_object_object_get_ex(actual, key, &there);
			differences_add(mem, list, *name ? mem_printf(mem, "%s.%s", name, key) : key, child, there);
		}
		return;
	}
	if (holds(desired, actual))
		return;
	difference = json_object_new_object();
	json_put(difference, "field", name);
	json_object_object_add(difference, "is", json_object_get(actual));
	json_object_object_add(difference, "should", json_object_get(desired));
	json_object_array_add(list, difference);
}

struct json_object *
desired_differences(mem_ctx *mem, struct json_object *desired, struct json_object *actual)
{
	struct json_object	*list = json_hang(mem, json_object_new_array());

	differences_add(mem, list, "", desired, actual);
	return list;
}
