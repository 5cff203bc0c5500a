#include "listing.h"

enum err
listing_add(struct stripe *s, mem_ctx *mem, const char *path, const char *form, struct json_object *into)
{
	struct stripe_list	l = { .path = path, .form = form, .more = true };

	while (l.more) {
		TRY(stripe_list(s, mem, &l));
		for (size_t i = 0; i < json_object_array_length(l.data); i++)
			json_object_array_add(into, json_object_get(json_object_array_get_idx(l.data, i)));
	}
	return OK;
}
