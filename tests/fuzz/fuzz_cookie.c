/* Whatever Cookie holds, the value found is a piece of it, and none when it is not certain which. */
#include "fuzz.h"

#include <string.h>

#include "http.h"

/* Whether one of the pieces between semicolons is our cookie, and one only. What other pieces are does not matter. */
static bool
is_ours_once(const char *header)
{
	static const char	ours[] = "__Host-sid=";
	unsigned		n = 0;

	for (const char *piece = header; piece != NULL; piece = strchr(piece, ';') ? strchr(piece, ';') + 1 : NULL)
		n += strncmp(piece + strspn(piece, " \t"), ours, sizeof(ours) - 1) == 0;
	return n == 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	char			*header = mem_copy(mem, data, size);
	struct http_param	params[] = { { "HTTP_COOKIE", header }, { "HTTP_COOKIE", "a=b" } };
	struct http_req		q = { .mem = mem, .params = params, .n_params = 1 };
	bool			ambiguous;
	const char		*value = http_cookie(&q, "__Host-sid", &ambiguous), *a;

	MUST(value == NULL || (!ambiguous && strstr(header, value) != NULL && strchr(value, ';') == NULL));
	MUST(is_ours_once(header) == (value != NULL));
	q.n_params = 2;
	a = http_cookie(&q, "a", &ambiguous);
	MUST(a == NULL ? ambiguous : strcmp(a, "b") == 0);
	talloc_free(mem);
	return 0;
}
