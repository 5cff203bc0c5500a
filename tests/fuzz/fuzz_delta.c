/* Lines are pieces of a text. They make valid UTF-8 without U+0000, and the same as one string that is not cut. */
#include "fuzz.h"

#include <string.h>

#include "delta.h"
#include "text.h"

static bool
piece_put(struct delta *d, mem_ctx *mem, const char *text, size_t n, struct buf *out)
{
	struct json_object	*s = delta_parse(mem, text, n);

	if (!json_object_is_type(s, json_type_string))
		return false;
	delta_put(d, json_object_get_string(s), (size_t)json_object_get_string_len(s), out);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx		*mem = mem_new();
	const char	*text = mem_copy(mem, data, size), *end = text + size;
	struct buf	out = { .ctx = mem }, whole = { .ctx = mem }, uncut = { .ctx = mem };
	struct delta	*d = delta_new(mem), *one = delta_new(mem);
	size_t		n;

	buf_puts(&whole, "\"");
	for (; text <= end; text += n + 1) {
		n = strcspn(text, "\n");
		/* White space around a string would be in the uncut one. */
		if (n >= 2 && text[0] == '"' && text[n - 1] == '"' && piece_put(d, mem, text, n, &out))
			buf_put(&whole, text + 1, n - 2);
	}
	buf_puts(&whole, "\"");
	delta_end(d, &out);
	MUST(piece_put(one, mem, whole.data, whole.len, &uncut));
	delta_end(one, &uncut);
	MUST(out.len == uncut.len && (out.len == 0 || memcmp(out.data, uncut.data, out.len) == 0));
	MUST(out.len == 0 || (text_is_utf8(out.data, out.len) && memchr(out.data, '\0', out.len) == NULL));
	talloc_free(mem);
	return 0;
}
