/* The events of a stream are the same whether it comes whole or cut anywhere, and none is larger than allowed. */
#include "fuzz.h"

#include <string.h>

#include "sse.h"

static void
read_all(struct sse *s, struct buf *out)
{
	struct sse_event	e;

	while (sse_read(s, &e)) {
		MUST(e.len <= SSE_MAX_EVENT && e.data[e.len] == '\0');
		buf_put(out, e.name, strlen(e.name) + 1);
		buf_put(out, e.data, e.len + 1);
	}
}

/* piece: the size of each, up to that of the last; 0: one only. */
static void
stream_read(mem_ctx *mem, const char *text, size_t n, size_t piece, struct buf *out)
{
	struct sse	*s = sse_new(mem);

	for (size_t now; n > 0; text += now, n -= now) {
		now = piece > 0 && piece < n ? piece : n;
		if (sse_put(s, text, now) != OK)
			break;
		read_all(s, out);
	}
	sse_end(s);
	read_all(s, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx		*mem = mem_new();
	struct buf	whole = { .ctx = mem }, cut = { .ctx = mem };
	const char	*text = (const char *)data + (size > 0);
	size_t		n = size - (size > 0);

	stream_read(mem, text, n, 0, &whole);
	stream_read(mem, text, n, size > 0 ? data[0] % 8 + 1 : 1, &cut);
	MUST(whole.len == cut.len && (whole.len == 0 || memcmp(whole.data, cut.data, cut.len) == 0));
	talloc_free(mem);
	return 0;
}
