#include "turn.h"

#include <string.h>

#include "attempt.h"
#include "backoff.h"
#include "deadline.h"
#include "log.h"

enum {
	CALLS		= 2,	/* to one candidate */
	ASKED_MOST_MS	= 3000,	/* that a provider may make us wait */
	AGAIN_LEAST_MS	= 1000,	/* that a repetition has for its connection and the first text */
	SLICE_MS	= 250
};

struct turn {
	const struct turn_request	*q;
	const struct turn_calls		*calls;
	struct turn_result		*out;
	int64_t				began;
	int64_t				total_by;	/* the end of the answer */
	int64_t				by;	/* the first text of this candidate's */
	struct attempt			last;
};

static const char *const	words[] = {
	[TURN_STOP] = "stop", [TURN_LENGTH] = "length", [TURN_FILTER] = "content-filter", [TURN_TOOLS] = "tool-calls",
	[TURN_OTHER] = "other", [TURN_FAILED] = "error", [TURN_CUT] = "error", [TURN_CLOSED] = "error",
};

static const enum turn_end	finishes[] = {
	[WIRE_NONE] = TURN_OTHER, [WIRE_STOP] = TURN_STOP, [WIRE_LENGTH] = TURN_LENGTH, [WIRE_FILTER] = TURN_FILTER,
	[WIRE_TOOLS] = TURN_TOOLS, [WIRE_OTHER] = TURN_OTHER,
};

static const char *const	outcomes[] = {
	[ATTEMPT_WHOLE] = "ok", [ATTEMPT_LIMIT] = "ok", [ATTEMPT_FAILED] = NULL, [ATTEMPT_STOPPED] = "left",
};

const char *
turn_finish(enum turn_end end)
{
	return words[end];
}

/* The provider's name for the call, for its support; not one that repeats our key, or anything but a name. */
static const char *
call_id(const struct attempt *a)
{
	static const char	letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const char		*id = feed_header(a->feed, "x-request-id"), *key = a->to->at->key;

	if (id == NULL)
		id = feed_header(a->feed, "request-id");
	if (id == NULL || strlen(id) > 80 || strspn(id, letters) != strlen(id))
		return "";
	return *key && strstr(id, key) != NULL ? "" : id;
}

static void
call_told(const struct turn *t, const struct attempt *a)
{
	const struct verdict	*v = &a->answer.verdict;
	const char		*outcome = outcomes[a->end];
	struct turn_call	call = {
		.provider = a->to->provider, .model = a->to->model, .outcome = outcome != NULL ? outcome : v->outcome,
		.status = a->status < 300 && a->end == ATTEMPT_FAILED && v->status != 0 ? v->status : a->status,
		.first_ms = a->first_at != 0 ? (int)(a->first_at - a->began) : -1, .ms = (int)(clock_ms() - a->began),
	};

	log_line(outcome != NULL ? LOG_INFO : LOG_WARN, "model_call", LOG_TEXT("provider", call.provider),
	    LOG_TEXT("model", call.model), LOG_TEXT("outcome", call.outcome), LOG_INT("status", call.status),
	    LOG_TEXT("why", outcome != NULL ? "" : v->why), LOG_TEXT("id", call_id(a)), LOG_INT("first_ms", call.first_ms),
	    LOG_INT("ms", call.ms));
	t->calls->called(t->calls->own, &call);
}

/* Sleeps, but not through our side's end; false: stopped. */
static bool
turn_pause(struct turn *t, int ms)
{
	const int64_t	until = deadline_after(ms);
	int		left;

	while ((left = deadline_left(until)) > 0) {
		if (!https_pause(t->q->https, left < SLICE_MS ? left : SLICE_MS) || t->calls->tick(t->calls->own) != OK)
			return false;
	}
	return true;
}

/* How long to wait before the same candidate is asked again; -1: it is not. */
static int
turn_patience(struct turn *t, unsigned n)
{
	const struct attempt	*a = &t->last;
	int			ms = a->retry_ms >= 0 ? a->retry_ms : backoff_ms(n);

	if (a->answer.verdict.act != VERDICT_RETRY || n + 1 >= CALLS || a->retry_ms > ASKED_MOST_MS)
		return -1;
	return deadline_left(t->by) - ms < AGAIN_LEAST_MS ? -1 : ms;
}

static enum turn_end
turn_end_of(const struct attempt *a)
{
	bool	whole = wire_is_whole(a->to->wire, &a->answer);

	switch (a->end) {
	case ATTEMPT_WHOLE:
		return finishes[a->answer.finish];
	case ATTEMPT_LIMIT:
		return TURN_LENGTH;
	case ATTEMPT_STOPPED:
		return whole ? finishes[a->answer.finish] : TURN_CLOSED;
	default:
		return a->sent > 0 ? TURN_CUT : TURN_FAILED;
	}
}

/* One call; what came of it is in t->last and out. */
static void
turn_call(struct turn *t, const struct candidate *c)
{
	struct attempt	*a = &t->last;

	*a = (struct attempt){ .turn = t->q, .calls = t->calls, .to = c, .first_by = t->by,
		.total_by = t->total_by };
	attempt_run(a);
	t->out->end = turn_end_of(a);
	t->out->retry_after = a->retry_ms > 0 ? (a->retry_ms - 1) / 1000 + 1 : 0;
	t->out->refused = a->end == ATTEMPT_FAILED && a->answer.verdict.act == VERDICT_REFUSED;
	call_told(t, a);
}

/* Asks one candidate; whether nobody else is to be asked. */
static bool
turn_ask(struct turn *t, const struct candidate *c)
{
	int	ms;

	t->out->provider = c->provider;
	t->out->model = c->model;
	for (unsigned n = 0;; n++) {
		turn_call(t, c);
		if (t->out->end != TURN_FAILED || t->out->refused)
			return true;
		ms = turn_patience(t, n);
		if (ms < 0)
			return false;
		if (!turn_pause(t, ms)) {
			t->out->end = TURN_CLOSED;
			t->last = (struct attempt){ 0 };
			return true;
		}
	}
}

static size_t
request_bytes(const struct turn_request *q)
{
	size_t	n = q->system != NULL ? strlen(q->system) : 0;

	for (size_t i = 0; i < q->n_messages; i++)
		n += strlen(q->messages[i].text);
	return n;
}

/* What counts of the call that was the last. Of one that failed before any text nothing does. */
static void
turn_count(struct turn *t)
{
	const struct attempt		*a = &t->last;
	const struct turn_request	*q = t->q;
	struct tokens_facts		f = { .bytes = a->answer.bytes, .deltas = a->answer.deltas, .bound = q->input };

	if (a->to == NULL || t->out->end == TURN_FAILED)
		return;
	f.whole = wire_is_whole(a->to->wire, &a->answer);
	f.max_tokens = a->to->max_tokens;
	if (f.bound == 0)
		f.bound = tokens_bound(request_bytes(q), q->n_messages + 1);
	t->out->measured = tokens_settle(&a->answer.said, &f, &t->out->usage, &t->out->alerts);
	t->out->text_bytes = a->sent;
	t->out->deltas = a->answer.deltas;
	t->out->first_ms = a->first_at != 0 ? (int)(a->first_at - t->began) : -1;
}

static int
total_ms(const struct turn_request *q)
{
	int	most = q->config->chat.total_ms;

	return q->total_ms > 0 && q->total_ms < most ? q->total_ms : most;
}

void
turn_run(const struct turn_request *q, const struct turn_calls *c, struct turn_result *out)
{
	struct candidate	*all = talloc_array(q->mem, struct candidate, q->n_candidates);
	struct turn		t = { .q = q, .calls = c, .out = out, .began = clock_ms() };
	int64_t			first_by;
	size_t			n = 0;

	*out = (struct turn_result){ .end = TURN_FAILED, .first_ms = -1 };
	t.total_by = t.began + total_ms(q);
	first_by = deadline_earlier(t.began + q->config->chat.first_ms, t.total_by);
	for (size_t i = 0; i < q->n_candidates; i++)
		n += candidate_find(q, &q->candidates[i], &all[n]);
	for (size_t i = 0; i < n; i++) {
		t.by = i + 1 == n ? first_by : deadline_earlier(first_by, deadline_after(q->config->chat.fallback_ms));
		if (deadline_left(t.by) == 0 || turn_ask(&t, &all[i]))
			break;
	}
	turn_count(&t);
}
