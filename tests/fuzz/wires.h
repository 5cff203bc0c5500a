/* wires: any bytes as a model's answer, each line an event; then all of them as a whole answer. */
#ifndef TOLLGATE_FUZZ_WIRES_H
#define TOLLGATE_FUZZ_WIRES_H

#include <string.h>

#include "fuzz.h"
#include "text.h"
#include "wire.h"

/* Text that may be sent and stored, and counts that the ledger takes. */
static inline void
answer_check(struct wire_answer *a)
{
	struct tokens_facts	f = { .whole = a->ended, .bytes = a->bytes, .deltas = a->deltas,
		.bound = 1000, .max_tokens = 500 };
	struct tokens		t;
	unsigned		alerts = 0;

	wire_end(a);
	MUST(a->bytes == a->text.len);
	MUST(a->bytes == 0 || (text_is_utf8(a->text.data, a->text.len) && strlen(a->text.data) == a->text.len));
	tokens_settle(&a->said, &f, &t, &alerts);
	MUST(t.fresh >= 0 && t.cache_read >= 0 && t.cache_write >= 0 && t.cache_write_1h >= 0);
	MUST(t.fresh + t.cache_read + t.cache_write + t.cache_write_1h <= 2 * f.bound + 4096);
	MUST(t.output >= 0 && t.output <= f.max_tokens);
	MUST(!a->failed || a->verdict.outcome != NULL);
}

static inline int
wire_fuzz(const struct wire *w, const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	char			*text = mem_copy(mem, data, size), *rest = text, *line;
	struct wire_answer	a;

	wire_begin(&a, mem);
	while ((line = strsep(&rest, "\n")) != NULL)
		wire_read_event(w, &a, mem, &(struct sse_event){ "", line, strlen(line) });
	answer_check(&a);
	wire_begin(&a, mem);
	wire_read_whole(w, &a, (const char *)data, size);
	answer_check(&a);
	talloc_free(mem);
	return 0;
}

#endif
