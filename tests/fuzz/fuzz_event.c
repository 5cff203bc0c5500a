/* Any bytes as an event with a valid signature. What is read from it must be safe in SQL and in a path of the API. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inbox.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static void
check(int holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	char			*body = mem_copy(mem, data, size);
	struct inbox_event	e;

	if (inbox_read(mem, body, size, &e) == OK) {
		check(e.id[0] != '\0' && e.id[strspn(e.id, word)] == '\0');
		check(text_is_utf8(e.type, strlen(e.type)));
		check((e.kind == NULL) == (e.object == NULL));
		check(e.object == NULL || (e.object[0] != '\0' && e.object[strspn(e.object, word)] == '\0'));
		check(e.account == NULL || text_is_utf8(e.account, strlen(e.account)));
		check(e.api_version == NULL || text_is_utf8(e.api_version, strlen(e.api_version)));
	}
	talloc_free(mem);
	return 0;
}
