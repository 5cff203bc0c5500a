/* Any bytes as a browser's word. What is taken of them has our type and origin, and a challenge. */
#include "fuzz.h"

#include <string.h>

#include "client_data.h"

#define ORIGIN "https://app.example.com"

/* Whether the text is there; the bytes may hold NULs. */
static int
holds(const uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text)) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx		*mem = mem_new();
	const char	*challenge = NULL;

	if (client_data_fault(mem, data, size, CLIENT_DATA_GET, ORIGIN, &challenge) == NULL) {
		MUST(size <= CLIENT_DATA_MAX && challenge != NULL && strlen(challenge) < size);
		MUST(holds(data, size, "get") || holds(data, size, "\\"));
		MUST(holds(data, size, "app.example.com") || holds(data, size, "\\"));
		MUST(client_data_fault(mem, data, size, CLIENT_DATA_CREATE, ORIGIN, &challenge) != NULL);
		MUST(client_data_fault(mem, data, size, CLIENT_DATA_GET, ORIGIN ":1", &challenge) != NULL);
	}
	talloc_free(mem);
	return 0;
}
