/*
 * tokens: what one call to a model used, in classes that do not overlap, each with a price of its own. Providers count
 * differently (OpenAI's input includes what was cached, Anthropic's does not), and say nothing, or what cannot be true:
 * then it is measured.
 */
#ifndef TOLLGATE_TOKENS_H
#define TOLLGATE_TOKENS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tokens {
	int64_t	fresh;		/* input that no cache had */
	int64_t	cache_read;
	int64_t	cache_write;	/* kept for some minutes */
	int64_t	cache_write_1h;	/* kept for an hour */
	int64_t	output;		/* reasoning too */
};

/* What a provider has said so far. */
struct tokens_said {
	struct tokens	t;
	bool		input;		/* it has said how much input there was */
	bool		output;
	bool		absurd;		/* a count was no number, below 0, beyond 2^53, or parts were more than the whole */
};

/* What we know of the call ourselves. */
struct tokens_facts {
	bool		whole;		/* the answer has its end */
	size_t		bytes;		/* of text that came */
	unsigned	deltas;		/* events with text: a token each at least */
	int64_t		bound;		/* the most tokens that the input may count */
	int64_t		max_tokens;	/* that the request allowed */
};

/* What the operator is told of what was said, in bits. */
enum tokens_alert {
	TOKENS_LOW	= 1 << 0,	/* an input of 0, or less output than its text needs */
	TOKENS_HIGH	= 1 << 1,	/* more output than the request allowed */
	TOKENS_WRONG	= 1 << 2,	/* absurd, or an input far above the bound */
	TOKENS_ALERTS	= 3
};

/* The name of the nth bit, as api.chat_settle() takes it: "usage_low". */
const char *tokens_alert_name(unsigned n);

/* All input, of whatever class. */
int64_t tokens_input(const struct tokens *t);

/* What so much text counts, which came in so many pieces: a token each at least. */
int64_t tokens_measure(size_t bytes, unsigned deltas);

/* OpenAI's usage, whose input includes what was cached: the last that comes counts. chat: of Chat Completions. */
void tokens_say_openai(struct tokens_said *said, struct json_object *usage, bool chat);

/* Anthropic's, whose input excludes what was cached; it comes in parts, and null changes nothing. */
void tokens_say_anthropic(struct tokens_said *said, struct json_object *usage);

/* No tokenizer that works on bytes makes more tokens of so many bytes in so many messages. */
int64_t tokens_bound(size_t bytes, size_t messages);

/*
 * What counts: what was said where it can be true, else what was measured (true). Of an answer without its end the
 * output is measured and the input is what was said. Adds to *alerts: TOKENS_LOW, ...
 */
bool tokens_settle(const struct tokens_said *said, const struct tokens_facts *facts, struct tokens *out,
    unsigned *alerts);

#endif
