/* Anthropic's Messages. */
#include <string.h>

#include "wire.h"

static const struct wire_word	words[] = {
	{ "end_turn", WIRE_STOP }, { "stop_sequence", WIRE_STOP }, { "pause_turn", WIRE_STOP },
	{ "max_tokens", WIRE_LENGTH }, { "model_context_window_exceeded", WIRE_LENGTH }, { "refusal", WIRE_FILTER },
	{ "tool_use", WIRE_TOOLS }, { NULL, WIRE_NONE },
};

static struct json_object *
anthropic_request(mem_ctx *mem, const struct wire_request *q)
{
	struct json_object	*doc = json_new(mem);

	json_put(doc, "model", q->model);
	json_object_object_add(doc, "max_tokens", json_object_new_int(q->max_tokens));
	json_put(doc, "system", q->system);
	json_object_object_add(doc, "messages", wire_messages(q));
	if (q->stream)
		json_put_true(doc, "stream");
	return doc;
}

static void
anthropic_finish(struct wire_answer *a, struct json_object *reason)
{
	enum wire_finish	finish = wire_word(words, json_text(reason, ""));

	if (finish != WIRE_NONE)
		a->finish = finish;
}

/* Says what the input was; its output is a placeholder, which is no word on how much there is. */
static void
anthropic_start(struct wire_answer *a, struct json_object *doc)
{
	tokens_say_anthropic(&a->said, json_at(doc, "/message/usage"));
	a->said.output = false;
	a->said.t.output = 0;
}

static void
anthropic_block(struct wire_answer *a, struct json_object *doc)
{
	if (json_is(doc, "/delta/type", "text_delta"))
		wire_text(a, json_at(doc, "/delta/text"));
}

static void
anthropic_delta(struct wire_answer *a, struct json_object *doc)
{
	anthropic_finish(a, json_at(doc, "/delta/stop_reason"));
	tokens_say_anthropic(&a->said, json_at(doc, "/usage"));
}

static void
anthropic_stop(struct wire_answer *a, struct json_object *doc)
{
	(void)doc;
	a->ended = true;
}

static void
anthropic_error(struct wire_answer *a, struct json_object *doc)
{
	wire_fail(a, json_at(doc, "/error"));
}

static const struct {
	const char	*type;
	void		(*read)(struct wire_answer *a, struct json_object *doc);
} events[] = {
	{ "content_block_delta", anthropic_block }, { "message_start", anthropic_start },
	{ "message_delta", anthropic_delta }, { "message_stop", anthropic_stop }, { "error", anthropic_error },
};

static void
anthropic_event(struct wire_answer *a, const char *type, struct json_object *doc)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (strcmp(events[i].type, type) == 0)
			events[i].read(a, doc);
}

static void
anthropic_whole(struct wire_answer *a, struct json_object *doc)
{
	struct json_object	*content = json_at(doc, "/content"), *part;

	if (!json_is(doc, "/type", "message")) {
		wire_fail(a, json_at(doc, "/error"));
		return;
	}
	for (size_t i = 0; json_object_is_type(content, json_type_array) && i < json_object_array_length(content); i++) {
		part = json_object_array_get_idx(content, i);
		if (json_is(part, "/type", "text"))
			wire_text(a, json_at(part, "/text"));
	}
	anthropic_finish(a, json_at(doc, "/stop_reason"));
	tokens_say_anthropic(&a->said, json_at(doc, "/usage"));
}

const struct wire	wire_anthropic = {
	.kind = "anthropic",
	.path = "/messages",
	.request = anthropic_request,
	.event = anthropic_event,
	.whole = anthropic_whole,
};
