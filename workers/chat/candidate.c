#include "candidate.h"

#include <string.h>

#include "log.h"

enum { HEADERS = 6 };

bool
candidate_find(const struct turn_request *q, const struct turn_candidate *named, struct candidate *out)
{
	const struct config_model_provider	*at = config_model_provider(q->config, named->provider);
	const struct wire			*wire = at == NULL ? NULL : wire_named(at->kind);
	bool					lower = named->max_tokens > 0 && named->max_tokens < q->max_tokens;

	if (named->open)
		return false;
	if (wire == NULL) {
		log_line(LOG_ERROR, "model_provider_unknown", LOG_TEXT("provider", named->provider));
		return false;
	}
	*out = (struct candidate){
		.provider = named->provider, .model = named->model, .at = at, .wire = wire,
		.max_tokens = lower ? named->max_tokens : q->max_tokens,
	};
	return true;
}

static const char *
key_header(mem_ctx *mem, const struct config_model_provider *at)
{
	return strcmp(at->auth, "x-api-key") == 0 ? mem_printf(mem, "x-api-key: %s", at->key) :
	    mem_printf(mem, "Authorization: Bearer %s", at->key);
}

/* Without Expect, or libcurl waits for a server to agree to a long body. */
static const char *const *
headers_of(const struct candidate *c, const struct turn_request *q, mem_ctx *mem)
{
	const char	**list = talloc_zero_array(mem, const char *, HEADERS);
	size_t		n = 0;

	list[n++] = "Content-Type: application/json";
	list[n++] = q->stream ? "Accept: text/event-stream" : "Accept: application/json";
	list[n++] = "Expect:";
	if (*c->at->key)
		list[n++] = key_header(mem, c->at);
	if (*c->at->version)
		list[n++] = mem_printf(mem, "anthropic-version: %s", c->at->version);
	return list;
}

void
candidate_request(const struct candidate *c, const struct turn_request *q, mem_ctx *mem,
    struct https_request *out)
{
	struct json_object	*doc = c->wire->request(mem, &(struct wire_request){
		.model = c->model, .system = q->system, .messages = q->messages, .n = q->n_messages,
		.max_tokens = c->max_tokens, .stream = q->stream, .stream_options = c->at->stream_options,
		.max_tokens_field = c->at->max_tokens_field,
	});

	*out = (struct https_request){
		.method = "POST",
		.url = mem_printf(mem, "%s%s", c->at->url, c->wire->path),
		.headers = headers_of(c, q, mem),
		.connect_ms = q->config->chat.connect_ms,
		/* A provider on this machine is named by the configuration, so it says nothing of the others. */
		.public_only = strncmp(c->at->url, "http://", 7) != 0,
		.body = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	};
}
