#include "work.h"

#include <string.h>

#include "clock.h"
#include "db.h"
#include "identity.h"
#include "json.h"
#include "log.h"
#include "models.h"

enum { SETTLE_FIRST_MS = 250, SETTLE_MOST_MS = 8000 };

static void
count_put(struct json_object *counts, const char *class, int64_t n)
{
	if (n > 0)
		json_object_object_add(counts, class, json_object_new_int64(n));
}

/* What has come so far, measured: nobody has said yet what it counts. */
static struct json_object *
usage_so_far(const struct work *w)
{
	struct json_object	*usage = json_object_new_object();

	count_put(usage, "input", json_int(w->begun, "/input", 0));
	count_put(usage, "output", tokens_measure(w->text.len, w->pieces));
	return usage;
}

static struct json_object *
usage_at_end(const struct tokens *t)
{
	struct json_object	*usage = json_object_new_object();

	count_put(usage, "input", t->fresh);
	count_put(usage, "cache_read", t->cache_read);
	count_put(usage, "cache_write", t->cache_write);
	count_put(usage, "cache_write_1h", t->cache_write_1h);
	count_put(usage, "output", t->output);
	return usage;
}

/* Sends the text so far. The copy in the message is freed at once: an answer has many checkpoints. */
static enum err
checkpoint_ask(struct work *w, struct json_object **said)
{
	struct json_object	*doc = json_new(w->step);
	const char		*known;
	enum err		e;

	json_object_object_add(doc, "usage", usage_so_far(w));
	json_put(doc, "text", w->text.data);
	known = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);
	e = db_visitor(identity_visitor(w->v), said, "api.chat_checkpoint($1::uuid, $2::jsonb)",
	    ARGS(TEXT(json_text(w->begun, "/hold")), TEXT(known)));
	mem_empty(w->step);
	return e;
}

/*
 * Writes down what was used so far, and asks whether to go on. Without the database the answer goes on: what was held
 * stays held.
 */
static enum err
checkpoint(struct work *w)
{
	struct json_object	*said;
	int64_t			now = clock_ms();

	if (now - w->noted < w->v->app->config->chat.checkpoint_ms)
		return OK;
	w->noted = now;
	if (checkpoint_ask(w, &said) != OK)
		return OK;
	if (json_at(said, "/go_on") == NULL || json_true(said, "/go_on"))
		return OK;
	w->stopped = json_is(said, "/why", "session") ? "auth" : json_text(said, "/why");
	return ERR_CLOSED;
}

/* A sign of life for a browser that waits for text. */
static enum err
ping(struct work *w)
{
	if (w->parts == NULL || clock_ms() - w->parts->spoke < w->v->app->config->chat.ping_ms)
		return OK;
	return parts_ping(w->parts);
}

static enum err
tick(void *own)
{
	struct work	*w = own;

	w->gone = w->gone || stream_gone(w->v->r);
	if (!w->gone && stream_draining(w->v->r))
		w->stopped = "unavailable";
	if (w->gone || w->stopped != NULL)
		return ERR_CLOSED;
	w->gone = ping(w) != OK;
	return w->gone ? ERR_CLOSED : checkpoint(w);
}

static enum err
text(void *own, const char *utf8, size_t n)
{
	struct work	*w = own;

	buf_put(&w->text, utf8, n);
	w->pieces++;
	if (w->parts == NULL)
		return OK;
	w->gone = parts_text(w->parts, utf8, n) != OK;
	return w->gone ? ERR_CLOSED : OK;
}

/* For the breakers, which all processes go by. */
static void
called(void *own, const struct turn_call *call)
{
	struct work	*w = own;

	(void)!db_visitor(identity_visitor(w->v), NULL, "api.chat_note_call($1, $2, $3, $4::int, $5::int)",
	    ARGS(TEXT(call->provider), TEXT(call->model), TEXT(call->outcome), INT(call->status), INT(call->ms)));
}

static const struct turn_candidate *
candidates_of(const struct work *w, size_t *n)
{
	struct json_object	*rows = json_at(w->begun, "/candidates");
	struct turn_candidate	*out;

	*n = rows != NULL ? json_object_array_length(rows) : 0;
	out = talloc_array(w->v->q->mem, struct turn_candidate, *n);
	for (size_t i = 0; i < *n; i++) {
		struct json_object	*row = json_object_array_get_idx(rows, i);

		out[i] = (struct turn_candidate){
			.provider = json_text(row, "/provider"), .model = json_text(row, "/model"),
			.max_tokens = (int)json_int(row, "/max_tokens", 0), .open = json_is(row, "/breaker", "open"),
		};
	}
	return out;
}

static const struct wire_message *
messages_of(const struct work *w, size_t *n)
{
	struct json_object	*rows = json_at(w->begun, "/history");
	struct wire_message	*out;

	*n = rows != NULL ? json_object_array_length(rows) : 0;
	out = talloc_array(w->v->q->mem, struct wire_message, *n);
	for (size_t i = 0; i < *n; i++) {
		struct json_object	*row = json_object_array_get_idx(rows, i);

		out[i] = (struct wire_message){ json_text(row, "/role"), json_text(row, "/text") };
	}
	return out;
}

void
work_run(struct work *w, struct visit *v, struct json_object *begun, const struct work_how *how)
{
	struct turn_calls	calls = { w, text, tick, called, stream_fd(v->r) };
	struct turn_request	q;

	*w = (struct work){
		.v = v, .begun = begun, .parts = how->parts, .step = talloc_new(v->q->mem),
		.text = { .ctx = v->q->mem }, .began = clock_ms(), .noted = clock_ms(),
	};
	q = (struct turn_request){
		.config = v->app->config, .https = models_https(v->app), .mem = v->q->mem,
		.system = json_text(begun, "/system"),
		.max_tokens = (int)json_int(begun, "/max_tokens", 0), .input = json_int(begun, "/input", 0),
		.total_ms = how->total_ms, .stream = !how->whole,
	};
	q.candidates = candidates_of(w, &q.n_candidates);
	q.messages = messages_of(w, &q.n_messages);
	turn_run(&q, &calls, &w->turn);
}

const char *
work_fault(const struct work *w)
{
	if (w->gone)
		return NULL;
	if (w->stopped != NULL)
		return w->stopped;
	if (w->turn.end == TURN_FAILED && w->turn.refused)
		return "unavailable";
	return w->turn.end == TURN_FAILED || w->turn.end == TURN_CUT || w->turn.end == TURN_CLOSED ? "provider" : NULL;
}

/* How it ended, for the journal. What nobody was asked for costs nothing. */
static const char *
state_of(const struct work *w)
{
	switch (w->turn.end) {
	case TURN_FAILED: return "failed";
	case TURN_CUT: return "partial";
	case TURN_CLOSED: return w->text.len > 0 ? "partial" : w->turn.provider != NULL ? "empty" : "failed";
	default: return "complete";
	}
}

static struct json_object *
alerts_of(const struct work *w)
{
	struct json_object	*alerts = json_object_new_array();

	for (unsigned n = 0; n < TOKENS_ALERTS; n++) {
		if (w->turn.alerts & 1u << n)
			json_object_array_add(alerts, json_object_new_string(tokens_alert_name(n)));
	}
	return alerts;
}

static const char *
settlement(const struct work *w)
{
	struct json_object	*doc = json_new(w->step);
	const struct turn_result *t = &w->turn;

	json_put(doc, "hold", json_text(w->begun, "/hold"));
	json_put(doc, "provider", t->provider != NULL ? t->provider : json_text(w->begun, "/candidates/0/provider"));
	json_put(doc, "model", t->provider != NULL ? t->model : json_text(w->begun, "/candidates/0/model"));
	json_object_object_add(doc, "usage", usage_at_end(&t->usage));
	json_put(doc, "counted", t->measured ? "measured" : "provider");
	json_put(doc, "finish", turn_finish(t->end));
	json_put(doc, "state", state_of(w));
	json_put(doc, "text", w->text.data != NULL ? w->text.data : "");
	json_object_object_add(doc, "alerts", alerts_of(w));
	if (t->first_ms >= 0)
		json_object_object_add(doc, "first_ms", json_object_new_int(t->first_ms));
	json_object_object_add(doc, "ms", json_object_new_int64(clock_ms() - w->began));
	return json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);
}

bool
work_settle(struct work *w)
{
	enum err	e = db_visitor(identity_visitor(w->v), &w->settled, "api.chat_settle($1::jsonb)",
	    ARGS(TEXT(settlement(w))));

	mem_empty(w->step);	/* the whole text is in it, at each try */
	if (e != OK && e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN)
		log_line(LOG_ERROR, "settle", LOG_TEXT("error", err_info(e)->name));
	return e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN;
}

void
work_settle_later(struct work *w, int ms)
{
	int64_t	until = clock_ms() + ms;
	int	pause = SETTLE_FIRST_MS;

	while (clock_ms() < until && !stream_draining(w->v->r) && https_pause(models_https(w->v->app), pause)) {
		if (work_settle(w))
			return;
		pause = pause < SETTLE_MOST_MS ? 2 * pause : SETTLE_MOST_MS;
	}
	log_line(LOG_ERROR, "settle", LOG_TEXT("error", "given up: the hold expires"));
}

struct json_object *
work_metadata(const struct work *w)
{
	struct json_object	*doc = json_new(w->v->q->mem), *usage = json_object_new_object();
	const struct tokens	*t = &w->turn.usage;

	json_object_object_add(usage, "input", json_object_new_int64(tokens_input(t)));
	json_object_object_add(usage, "output", json_object_new_int64(t->output));
	json_object_object_add(doc, "usage", usage);
	if (json_at(w->settled, "/left") != NULL)
		json_object_object_add(doc, "left", json_object_get(json_at(w->settled, "/left")));
	return doc;
}
