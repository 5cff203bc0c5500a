/* A token. Beside memory errors: what verifies is what was signed, byte for byte. */
#include <string.h>

#include "fuzz.h"
#include "jws.h"

/* RFC 7515, A.3, and its claims' signature by that key. */
static const char	keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static const char	bytes[] = "eyJhbGciOiJFUzI1NiJ9."
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*set;
	const char		*why;
	struct jws		s;

	MUST(json_parse(mem, keys, strlen(keys), &set) == OK);
	if (jws_read(mem, (const char *)data, size, &s, &why) == OK && jws_verify(mem, &s, set, &why) == OK)
		MUST(s.n == strlen(bytes) && memcmp(s.bytes, bytes, s.n) == 0);
	talloc_free(mem);
	return 0;
}
