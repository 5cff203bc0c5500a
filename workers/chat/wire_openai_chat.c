/* OpenAI's Chat Completions, and what compatible servers make of them. */
#include <string.h>

#include "wire.h"

static const struct wire_word	words[] = {
	{ "stop", WIRE_STOP }, { "length", WIRE_LENGTH }, { "content_filter", WIRE_FILTER }, { "tool_calls", WIRE_TOOLS },
	{ "function_call", WIRE_TOOLS }, { NULL, WIRE_NONE },
};

static struct json_object *
chat_messages(const struct wire_request *q)
{
	struct json_object	*rest = wire_messages(q), *list, *system;

	if (q->system == NULL)
		return rest;
	list = json_object_new_array();
	system = json_object_new_object();
	json_put(system, "role", "system");
	json_put(system, "content", q->system);
	json_object_array_add(list, system);
	for (size_t i = 0; i < q->n; i++)
		json_object_array_add(list, json_object_get(json_object_array_get_idx(rest, i)));
	json_object_put(rest);
	return list;
}

/* What only OpenAI itself has goes to servers that name the limit as it does: strict ones refuse unknown members. */
static struct json_object *
chat_request(mem_ctx *mem, const struct wire_request *q)
{
	struct json_object	*doc = json_new(mem), *options;
	bool			own = strcmp(q->max_tokens_field, "max_completion_tokens") == 0;

	json_put(doc, "model", q->model);
	json_object_object_add(doc, "messages", chat_messages(q));
	json_object_object_add(doc, q->max_tokens_field, json_object_new_int(q->max_tokens));
	if (own)
		json_object_object_add(doc, "store", json_object_new_boolean(false));
	if (!q->stream)
		return doc;
	json_put_true(doc, "stream");
	if (!q->stream_options)
		return doc;
	options = json_object_new_object();
	json_put_true(options, "include_usage");
	if (own)
		json_object_object_add(options, "include_obfuscation", json_object_new_boolean(false));
	json_object_object_add(doc, "stream_options", options);
	return doc;
}

/* A delta of a stream, or the message of a whole answer. */
static void
chat_choice(struct wire_answer *a, struct json_object *choice, struct json_object *message)
{
	enum wire_finish	finish = wire_word(words, json_text(choice, "/finish_reason"));

	wire_text(a, json_at(message, "/content"));
	a->refused = wire_text(a, json_at(message, "/refusal")) || a->refused;
	if (finish != WIRE_NONE)
		a->finish = finish == WIRE_STOP && a->refused ? WIRE_FILTER : finish;
}

static void
chat_event(struct wire_answer *a, const char *type, struct json_object *doc)
{
	struct json_object	*choice = json_at(doc, "/choices/0"), *error = json_at(doc, "/error");

	(void)type;
	if (error != NULL) {
		wire_fail(a, error);
		return;
	}
	if (json_int(choice, "/index", 0) == 0)
		chat_choice(a, choice, json_at(choice, "/delta"));
	tokens_say_openai(&a->said, json_at(doc, "/usage"), true);
}

static void
chat_whole(struct wire_answer *a, struct json_object *doc)
{
	struct json_object	*choice = json_at(doc, "/choices/0"), *error = json_at(doc, "/error");

	if (error != NULL || choice == NULL) {
		wire_fail(a, error);
		return;
	}
	chat_choice(a, choice, json_at(choice, "/message"));
	tokens_say_openai(&a->said, json_at(doc, "/usage"), true);
}

const struct wire	wire_openai_chat = {
	.kind = "openai-chat",
	.path = "/chat/completions",
	.done = "[DONE]",
	.finish_ends = true,
	.request = chat_request,
	.event = chat_event,
	.whole = chat_whole,
};
