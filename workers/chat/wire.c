#include "wire.h"

#include <string.h>

static const struct wire *const	wires[] = { &wire_openai_chat, &wire_openai_responses, &wire_anthropic };

const struct wire *
wire_named(const char *kind)
{
	for (size_t i = 0; i < sizeof(wires) / sizeof(*wires); i++)
		if (strcmp(wires[i]->kind, kind) == 0)
			return wires[i];
	return NULL;
}

void
wire_begin(struct wire_answer *a, mem_ctx *mem)
{
	*a = (struct wire_answer){ .mem = mem, .delta = delta_new(mem), .text = { .ctx = mem } };
}

bool
wire_is_whole(const struct wire *w, const struct wire_answer *a)
{
	return !a->failed && (a->ended || (w->finish_ends && a->finish != WIRE_NONE));
}

static void
wire_garbage(struct wire_answer *a)
{
	if (++a->garbage <= WIRE_GARBAGE)
		return;
	a->failed = true;
	a->verdict = (struct verdict){ VERDICT_NEXT, "error", 0, "events are not JSON" };
}

void
wire_read_event(const struct wire *w, struct wire_answer *a, mem_ctx *mem, const struct sse_event *e)
{
	struct json_object	*doc;
	const char		*type;

	if (w->done != NULL && strcmp(e->data, w->done) == 0) {
		a->ended = true;
		return;
	}
	doc = delta_parse(mem, e->data, e->len);
	if (!json_object_is_type(doc, json_type_object)) {
		wire_garbage(a);
		return;
	}
	type = json_text(doc, "/type");
	w->event(a, type != NULL ? type : e->name, doc);
}

void
wire_read_whole(const struct wire *w, struct wire_answer *a, const char *bytes, size_t n)
{
	struct json_object	*doc = delta_parse(a->mem, bytes, n);

	a->ended = json_object_is_type(doc, json_type_object);
	if (a->ended) {
		w->whole(a, doc);
		return;
	}
	a->failed = true;
	a->verdict = (struct verdict){ VERDICT_NEXT, "error", 0, "the answer is not JSON" };
}

void
wire_end(struct wire_answer *a)
{
	size_t	before = a->text.len;

	delta_end(a->delta, &a->text);
	a->bytes += a->text.len - before;
}

enum wire_finish
wire_word(const struct wire_word *words, const char *word)
{
	if (word == NULL || *word == '\0')	/* compatible servers send it with each chunk */
		return WIRE_NONE;
	while (words->word != NULL && strcmp(words->word, word) != 0)
		words++;
	return words->word != NULL ? words->finish : WIRE_OTHER;
}

bool
wire_text(struct wire_answer *a, struct json_object *string)
{
	size_t	before = a->text.len;
	int	n;

	if (!json_object_is_type(string, json_type_string))
		return false;
	n = json_object_get_string_len(string);
	if (n == 0)
		return false;
	delta_put(a->delta, json_object_get_string(string), (size_t)n, &a->text);
	a->bytes += a->text.len - before;
	a->deltas++;
	return true;
}

void
wire_fail(struct wire_answer *a, struct json_object *error)
{
	a->failed = true;
	a->verdict = verdict_of(0, error);
}

struct json_object *
wire_messages(const struct wire_request *q)
{
	struct json_object	*list = json_object_new_array(), *one;

	for (size_t i = 0; i < q->n; i++) {
		one = json_object_new_object();
		json_put(one, "role", q->messages[i].role);
		json_put(one, "content", q->messages[i].text);
		json_object_array_add(list, one);
	}
	return list;
}
