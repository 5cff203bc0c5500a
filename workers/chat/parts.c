#include "parts.h"

#include <string.h>

#include "answer.h"
#include "clock.h"
#include "json.h"

#define EVENT "data: "
#define END "\n\n"

void
parts_init(struct parts *p, struct visit *v, const char *id)
{
	*p = (struct parts){ .v = v, .id = id, .event = { .ctx = v->q->mem }, .spoke = clock_ms() };
}

/* A string as JSON has it, on one line. Memory is given back at once: a long answer has thousands. */
static void
string_put(struct buf *b, const char *text, size_t n)
{
	struct json_object	*s = json_object_new_string_len(text, (int)n);
	size_t			len;
	const char		*quoted = json_object_to_json_string_length(s, JSON_C_TO_STRING_PLAIN, &len);

	buf_put(b, quoted, len);
	json_object_put(s);
}

/* Sends what has been put together. */
static enum err
flush(struct parts *p)
{
	size_t	n = p->event.len;

	p->event.len = 0;
	p->spoke = clock_ms();
	return stream_put(p->stream, p->event.data, n);
}

/* The head, and what goes before any text. */
static enum err
begin(struct parts *p)
{
	if (p->stream != NULL)
		return OK;
	TRY(answer_stream(p->v, &p->stream));
	buf_puts(&p->event, EVENT "{\"type\":\"start\",\"messageId\":");
	string_put(&p->event, p->id, strlen(p->id));
	buf_puts(&p->event, "}" END EVENT "{\"type\":\"start-step\"}" END);
	return OK;
}

enum err
parts_text(struct parts *p, const char *utf8, size_t n)
{
	TRY(begin(p));
	if (!p->texted)
		buf_puts(&p->event, EVENT "{\"type\":\"text-start\",\"id\":\"t\"}" END);
	p->texted = true;
	buf_puts(&p->event, EVENT "{\"type\":\"text-delta\",\"id\":\"t\",\"delta\":");
	string_put(&p->event, utf8, n);
	buf_puts(&p->event, "}" END);
	return flush(p);
}

enum err
parts_ping(struct parts *p)
{
	TRY(begin(p));
	buf_puts(&p->event, ": ping" END);
	return flush(p);
}

static void
text_end(struct parts *p)
{
	if (p->texted)
		buf_puts(&p->event, EVENT "{\"type\":\"text-end\",\"id\":\"t\"}" END);
	p->texted = false;
}

enum err
parts_finish(struct parts *p, const char *reason, struct json_object *metadata)
{
	TRY(begin(p));
	text_end(p);
	buf_puts(&p->event, EVENT "{\"type\":\"finish-step\"}" END EVENT "{\"type\":\"finish\",\"finishReason\":");
	string_put(&p->event, reason, strlen(reason));
	buf_puts(&p->event, ",\"messageMetadata\":");
	buf_puts(&p->event, json_object_to_json_string_ext(metadata, JSON_C_TO_STRING_PLAIN));
	buf_puts(&p->event, "}" END EVENT "[DONE]" END);
	return flush(p);
}

enum err
parts_error(struct parts *p, struct json_object *refusal)
{
	const char	*text = json_object_to_json_string_ext(refusal,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	TRY(begin(p));
	text_end(p);
	buf_puts(&p->event, EVENT "{\"type\":\"error\",\"errorText\":");
	string_put(&p->event, text, strlen(text));
	buf_puts(&p->event, "}" END EVENT "[DONE]" END);
	return flush(p);
}

void
parts_end(struct parts *p)
{
	if (p->stream != NULL)
		stream_end(p->stream);
}
