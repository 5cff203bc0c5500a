/* Any template: refused with a reason, or rendered over a document that stays as it was. */
#include "fuzz.h"

#include <string.h>

#include "json.h"
#include "mustache.h"

/* Lists of one, so that sections in sections stay cheap. */
static const char	data_text[] =
    "{\"a\":{\"b\":{\"c\":\"x\"}},\"l\":[\"<&>\"],\"o\":[{\"n\":1}],\"e\":[],\"s\":\"a\\n'\",\"t\":true,"
    "\"f\":false,\"n\":null,\"i\":-5,\"d\":1.5,\"p\":\"p\"}";

static const struct mustache *
find_partial(const void *set, const char *name)
{
	return strcmp(name, "p") == 0 ? set : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc, *before = NULL;
	const struct mustache	*t, *partial;
	const char		*why = NULL;
	struct buf		out = { .ctx = mem };

	MUST(json_parse(mem, data_text, sizeof(data_text) - 1, &doc) == OK);
	MUST(json_object_deep_copy(doc, &before, NULL) == 0);
	json_hang(mem, before);
	MUST(mustache_parse(mem, "[\n{{#l}}\n {{.}}\n{{/l}}\n{{s}}]", &partial, NULL) == OK);
	if (mustache_parse(mem, mem_copy(mem, data, size), &t, &why) == OK) {
		MUST(mustache_render(t, doc, find_partial, partial, &out) == OK || out.len > 0);
		MUST(json_object_equal(doc, before));
	} else
		MUST(why != NULL);
	talloc_free(mem);
	return 0;
}
