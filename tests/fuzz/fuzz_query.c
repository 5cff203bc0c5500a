/* Any REQUEST_URI: a request that is let through has a path that can be matched letter by letter. */
#include "fuzz.h"

#include <string.h>

#include "request.h"
#include "text.h"

static void
check_path(const char *path)
{
	MUST(path[0] == '/' && strstr(path, "//") == NULL && strchr(path, '\\') == NULL);
	MUST(strstr(path, "/../") == NULL && strstr(path, "/./") == NULL);
	MUST(text_is_utf8(path, strlen(path)) && text_is_printable(path, strlen(path)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	struct http_param	params[] = {
		{ "REQUEST_METHOD", "GET" }, { "REQUEST_URI", mem_copy(mem, data, size) }, { "SERVER_PROTOCOL", "HTTP/1.1" },
		{ "REMOTE_ADDR", "192.0.2.1" }, { "HTTP_ACCEPT", NULL }, { "HTTP_ACCEPT_LANGUAGE", NULL }
	};
	const char		*value;
	struct http_req		q = { .mem = mem, .path = "/", .query = "", .params = params, .n_params = 6 };
	const char *const	languages[] = { "en", "de" };

	params[4].value = params[5].value = params[1].value;
	http_wants_json(&q);
	MUST(http_language(&q, languages, 2) != NULL);
	if (request_read(&q) == OK)
		check_path(q.path);
	if (http_query(&q, "a", &value) == OK && value != NULL)
		MUST(text_is_utf8(value, strlen(value)));
	talloc_free(mem);
	return 0;
}
