/* wires: what the tests of the formats of models share. Include after cmocka.h. */
#ifndef TOLLGATE_WIRES_H
#define TOLLGATE_WIRES_H

#include <string.h>

#include "unit.h"
#include "wire.h"

/* The answer that these events make, each NAME and DATA; a NULL ends them. */
static inline struct wire_answer
answer_of(const struct wire *w, mem_ctx *mem, const char *const events[][2])
{
	struct wire_answer	a;

	wire_begin(&a, mem);
	for (; (*events)[1] != NULL; events++)
		wire_read_event(w, &a, mem, &(struct sse_event){ (*events)[0], (*events)[1], strlen((*events)[1]) });
	wire_end(&a);
	return a;
}

static inline struct wire_answer
whole_of(const struct wire *w, mem_ctx *mem, const char *text)
{
	struct wire_answer	a;

	wire_begin(&a, mem);
	wire_read_whole(w, &a, text, strlen(text));
	wire_end(&a);
	return a;
}

/* The text; "" when there was none. */
static inline const char *
text_of(const struct wire_answer *a)
{
	assert_int_equal(a->bytes, a->text.len);
	return a->text.len > 0 ? a->text.data : "";
}

/* What a request is on the wire. */
static inline const char *
written(const struct wire *w, mem_ctx *mem, struct wire_request q)
{
	static const struct wire_message	messages[] = { { "user", "Hi" }, { "assistant", "Hello" }, { "user", "a/b" } };

	q.model = "m";
	q.messages = messages;
	q.n = 3;
	q.max_tokens = 100;
	return json_object_to_json_string_ext(w->request(mem, &q), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

#define assert_tokens(got, in, read, write, out) do { \
	assert_int_equal((got).fresh, in); \
	assert_int_equal((got).cache_read, read); \
	assert_int_equal((got).cache_write, write); \
	assert_int_equal((got).output, out); \
} while (0)

#endif
