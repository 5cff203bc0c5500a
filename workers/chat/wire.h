/*
 * wire: the formats that model providers speak: how a request is written, and how an answer is read, as a stream of
 * events or whole. wire_KIND.c has one format each; all of them read into struct wire_answer.
 */
#ifndef TOLLGATE_WIRE_H
#define TOLLGATE_WIRE_H

#include "delta.h"
#include "sse.h"
#include "tokens.h"
#include "verdict.h"

enum wire_finish { WIRE_NONE, WIRE_STOP, WIRE_LENGTH, WIRE_FILTER, WIRE_TOOLS, WIRE_OTHER };

enum { WIRE_GARBAGE = 3 /* events that are no JSON are skipped, so many in an answer */ };

struct wire_message {
	const char	*role;		/* "user" or "assistant" */
	const char	*text;
};

struct wire_request {
	const char			*model;		/* the provider's name of it */
	const char			*system;	/* instructions; or NULL */
	const struct wire_message	*messages;	/* the first is a user's, roles alternate */
	size_t				n;
	int				max_tokens;	/* of the answer */
	bool				stream;
	bool				stream_options;	/* Chat Completions: the provider knows them */
	const char			*max_tokens_field;	/* Chat Completions: "max_completion_tokens" or "max_tokens" */
};

/* What an answer has said so far. */
struct wire_answer {
	mem_ctx			*mem;
	struct delta		*delta;
	struct buf		text;		/* the reader of the answer takes it, and sets its len to 0 */
	size_t			bytes;		/* of text in all */
	unsigned		deltas;		/* events that had text */
	struct tokens_said	said;
	enum wire_finish	finish;		/* WIRE_NONE: no reason has come */
	bool			refused;	/* the text is the model's refusal */
	bool			ended;		/* the format's last event has come */
	bool			failed;		/* an error instead: verdict */
	struct verdict		verdict;
	unsigned		garbage;	/* events that were skipped */
};

struct wire {
	const char	*kind;		/* as in the configuration */
	const char	*path;		/* behind the provider's URL */
	const char	*done;		/* data of the last event, where that is no JSON; else NULL */
	bool		finish_ends;	/* a reason to finish is as good an end as the last event */
	struct json_object *(*request)(mem_ctx *mem, const struct wire_request *q);
	void		(*event)(struct wire_answer *a, const char *type, struct json_object *doc);
	void		(*whole)(struct wire_answer *a, struct json_object *doc);
};

extern const struct wire	wire_openai_chat, wire_openai_responses, wire_anthropic;

/* The format of this kind, or NULL. */
const struct wire *wire_named(const char *kind);

/* Whether the answer has come to its end, as its format knows it. */
bool wire_is_whole(const struct wire *w, const struct wire_answer *a);

void wire_begin(struct wire_answer *a, mem_ctx *mem);

/* Reads an event; what it needs for that hangs on mem. More garbage than is skipped is a failure. */
void wire_read_event(const struct wire *w, struct wire_answer *a, mem_ctx *mem, const struct sse_event *e);

/* Reads an answer that is no stream. */
void wire_read_whole(const struct wire *w, struct wire_answer *a, const char *bytes, size_t n);

/* No more events come: text that waited for its other half is put. */
void wire_end(struct wire_answer *a);

/* For the formats. */

struct wire_word {
	const char		*word;
	enum wire_finish	finish;
};

/* An unknown word is WIRE_OTHER; none, or an empty one, is WIRE_NONE. The table ends with a NULL. */
enum wire_finish wire_word(const struct wire_word *words, const char *word);

/* Adds a string's text to the answer; whether there was any. */
bool wire_text(struct wire_answer *a, struct json_object *string);

/* The answer is an error: {"type", "code", ...}. */
void wire_fail(struct wire_answer *a, struct json_object *error);

/* [{"role", "content"}...] */
struct json_object *wire_messages(const struct wire_request *q);

#endif
