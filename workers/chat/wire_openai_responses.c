/* OpenAI's Responses. */
#include <string.h>

#include "wire.h"

static const struct wire_word	reasons[] = {
	{ "max_output_tokens", WIRE_LENGTH }, { "content_filter", WIRE_FILTER }, { NULL, WIRE_NONE },
};

static struct json_object *
responses_request(mem_ctx *mem, const struct wire_request *q)
{
	struct json_object	*doc = json_new(mem);

	json_put(doc, "model", q->model);
	json_put(doc, "instructions", q->system);
	json_object_object_add(doc, "input", wire_messages(q));
	json_object_object_add(doc, "max_output_tokens", json_object_new_int(q->max_tokens));
	json_object_object_add(doc, "store", json_object_new_boolean(false));
	if (q->stream)
		json_put_true(doc, "stream");
	return doc;
}

static void
responses_completed(struct wire_answer *a, struct json_object *response)
{
	a->finish = a->refused ? WIRE_FILTER : WIRE_STOP;
	a->ended = true;
	tokens_say_openai(&a->said, json_at(response, "/usage"), false);
}

static void
responses_incomplete(struct wire_answer *a, struct json_object *response)
{
	enum wire_finish	finish = wire_word(reasons, json_text(response, "/incomplete_details/reason"));

	a->finish = finish == WIRE_NONE ? WIRE_OTHER : finish;
	a->ended = true;
	tokens_say_openai(&a->said, json_at(response, "/usage"), false);
}

static void
responses_failed(struct wire_answer *a, struct json_object *response)
{
	tokens_say_openai(&a->said, json_at(response, "/usage"), false);
	wire_fail(a, json_at(response, "/error"));
}

static const struct {
	const char	*name;		/* of the status; the event is response.NAME */
	void		(*end)(struct wire_answer *a, struct json_object *response);
} ends[] = {
	{ "completed", responses_completed }, { "incomplete", responses_incomplete }, { "failed", responses_failed },
	{ "cancelled", responses_failed },
};

static bool
responses_end(struct wire_answer *a, const char *name, struct json_object *response)
{
	for (size_t i = 0; name != NULL && i < sizeof(ends) / sizeof(*ends); i++)
		if (strcmp(ends[i].name, name) == 0) {
			ends[i].end(a, response);
			return true;
		}
	return false;
}

/* "error" is flat: {"type": "error", "code", "message", "param"}. */
static void
responses_event(struct wire_answer *a, const char *type, struct json_object *doc)
{
	static const char	prefix[] = "response.";

	if (strcmp(type, "response.output_text.delta") == 0)
		wire_text(a, json_at(doc, "/delta"));
	else if (strcmp(type, "response.refusal.delta") == 0)
		a->refused = wire_text(a, json_at(doc, "/delta")) || a->refused;
	else if (strcmp(type, "error") == 0)
		wire_fail(a, json_at(doc, "/error") != NULL ? json_at(doc, "/error") : doc);
	else if (strncmp(type, prefix, strlen(prefix)) == 0)
		responses_end(a, type + strlen(prefix), json_at(doc, "/response"));
}

static void
responses_part(struct wire_answer *a, struct json_object *part)
{
	if (json_is(part, "/type", "output_text"))
		wire_text(a, json_at(part, "/text"));
	else if (json_is(part, "/type", "refusal"))
		a->refused = wire_text(a, json_at(part, "/refusal")) || a->refused;
}

static void
responses_whole(struct wire_answer *a, struct json_object *doc)
{
	struct json_object	*output = json_at(doc, "/output"), *content;

	for (size_t i = 0; json_object_is_type(output, json_type_array) && i < json_object_array_length(output); i++) {
		content = json_at(json_object_array_get_idx(output, i), "/content");
		for (size_t k = 0; json_object_is_type(content, json_type_array) && k < json_object_array_length(content);
		    k++)
			responses_part(a, json_object_array_get_idx(content, k));
	}
	if (!responses_end(a, json_text(doc, "/status"), doc))
		wire_fail(a, json_at(doc, "/error"));
}

const struct wire	wire_openai_responses = {
	.kind = "openai-responses",
	.path = "/responses",
	.request = responses_request,
	.event = responses_event,
	.whole = responses_whole,
};
