#include "tokens.h"

#include "json.h"

/* A provider's own instructions may add to the input, but not this much. */
enum { MESSAGE_TOKENS = 16, SLACK = 4096, BYTES_OF_TOKEN = 3, MOST_BYTES_OF_TOKEN = 16 };

static const char *const	alert_names[TOKENS_ALERTS] = { "usage_low", "usage_high", "usage_wrong" };

const char *
tokens_alert_name(unsigned n)
{
	return alert_names[n];
}

/* The count at a pointer; false when it is missing or null. One that cannot be true is absurd. */
static bool
count_read(struct tokens_said *said, struct json_object *usage, const char *pointer, int64_t *out)
{
	struct json_object	*v = json_at(usage, pointer);
	int64_t			n;

	if (v == NULL)
		return false;
	n = json_int(usage, pointer, -1);
	if (n < 0)
		said->absurd = true;
	else
		*out = n;
	return true;
}

static const struct {
	const char	*input, *output, *read, *written;
} openai[] = {
	{ "/input_tokens", "/output_tokens", "/input_tokens_details/cached_tokens",
	  "/input_tokens_details/cache_write_tokens" },
	{ "/prompt_tokens", "/completion_tokens", "/prompt_tokens_details/cached_tokens",
	  "/prompt_tokens_details/cache_write_tokens" },
};

void
tokens_say_openai(struct tokens_said *said, struct json_object *usage, bool chat)
{
	struct tokens	t = { 0 };

	if (!json_object_is_type(usage, json_type_object))
		return;
	*said = (struct tokens_said){ 0 };
	said->input = count_read(said, usage, openai[chat].input, &t.fresh);
	said->output = count_read(said, usage, openai[chat].output, &t.output);
	count_read(said, usage, openai[chat].read, &t.cache_read);
	count_read(said, usage, openai[chat].written, &t.cache_write);
	t.fresh -= t.cache_read + t.cache_write;
	said->absurd = said->absurd || t.fresh < 0;
	said->t = t;
}

void
tokens_say_anthropic(struct tokens_said *said, struct json_object *usage)
{
	struct tokens	*t = &said->t;
	int64_t		written = t->cache_write + t->cache_write_1h;

	if (!json_object_is_type(usage, json_type_object))
		return;
	said->input = count_read(said, usage, "/input_tokens", &t->fresh) || said->input;
	said->output = count_read(said, usage, "/output_tokens", &t->output) || said->output;
	count_read(said, usage, "/cache_read_input_tokens", &t->cache_read);
	count_read(said, usage, "/cache_creation_input_tokens", &written);
	count_read(said, usage, "/cache_creation/ephemeral_1h_input_tokens", &t->cache_write_1h);
	t->cache_write = written - t->cache_write_1h;
	said->absurd = said->absurd || t->cache_write < 0;
}

int64_t
tokens_bound(size_t bytes, size_t messages)
{
	return (int64_t)(bytes + messages * MESSAGE_TOKENS);
}

int64_t
tokens_input(const struct tokens *t)
{
	return t->fresh + t->cache_read + t->cache_write + t->cache_write_1h;
}

/* Why the input that was said cannot be true; 0: it can. */
static unsigned
input_fault(const struct tokens_said *said, const struct tokens_facts *f)
{
	int64_t	input = tokens_input(&said->t);

	if (said->absurd)
		return TOKENS_WRONG;
	if (!said->input)
		return 0;
	return input == 0 ? TOKENS_LOW : input > 2 * f->bound + SLACK ? TOKENS_WRONG : 0;
}

/* Why the output cannot. Of an answer without its end, what was said until then is lower than its text, and no lie. */
static unsigned
output_fault(const struct tokens_said *said, const struct tokens_facts *f)
{
	if (said->absurd)
		return TOKENS_WRONG;
	return said->output && f->whole && said->t.output * MOST_BYTES_OF_TOKEN < (int64_t)f->bytes ? TOKENS_LOW : 0;
}

int64_t
tokens_measure(size_t bytes, unsigned deltas)
{
	int64_t	n = ((int64_t)bytes + BYTES_OF_TOKEN - 1) / BYTES_OF_TOKEN;

	return n < deltas ? deltas : n;
}

static int64_t
output_measured(const struct tokens_said *said, const struct tokens_facts *f)
{
	int64_t	n = tokens_measure(f->bytes, f->deltas);

	return said->output && !said->absurd && n < said->t.output ? said->t.output : n;
}

bool
tokens_settle(const struct tokens_said *said, const struct tokens_facts *f, struct tokens *out, unsigned *alerts)
{
	unsigned	input_wrong = input_fault(said, f), output_wrong = output_fault(said, f);
	bool		input = input_wrong == 0 && said->input;
	bool		output = output_wrong == 0 && said->output && f->whole;

	*out = input ? said->t : (struct tokens){ .fresh = f->bound };
	out->output = output ? said->t.output : output_measured(said, f);
	*alerts |= input_wrong | output_wrong;
	if (out->output > f->max_tokens) {
		if (output || (int64_t)f->bytes > f->max_tokens * MOST_BYTES_OF_TOKEN)
			*alerts |= TOKENS_HIGH;
		out->output = f->max_tokens;
	}
	return !input || !output;
}
