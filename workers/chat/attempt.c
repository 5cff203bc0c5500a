#include "attempt.h"

#include <string.h>
#include <strings.h>

#include "backoff.h"
#include "deadline.h"

enum {
	TICK_MS		= 1000,
	USAGE_MS	= 5000,		/* from a reason to finish to the usage */
	USAGE_GONE_MS	= 1000,		/* the same when nobody waits for the answer */
	AFTER_MS	= 20,		/* from the end of an answer to that of its HTTP body */
	SPARE_MS	= 5000,		/* of libcurl's own limit above ours */
	REFUSAL_MS	= 2000,		/* for the body of a refusal */
	REFUSAL_BYTES	= 16 * 1024
};

static const char *const	named[] = { "content-type", "date", "retry-after", "retry-after-ms", "x-should-retry",
	"x-request-id", "request-id", NULL };

static void
attempt_over(struct attempt *a, enum attempt_end end)
{
	a->end = end;
	a->over = true;
}

static void
attempt_fail(struct attempt *a, struct verdict why)
{
	a->answer.verdict = why;
	attempt_over(a, ATTEMPT_FAILED);
}

/* Our side ends it. An answer that has its reason to finish may still say what it used. */
static void
attempt_stop(struct attempt *a)
{
	if (a->answer.finish == WIRE_NONE)
		attempt_over(a, ATTEMPT_STOPPED);
	else if (!a->stopped)
		a->by = deadline_earlier(a->by, deadline_after(USAGE_GONE_MS));
	a->stopped = true;
}

static void
attempt_tick(struct attempt *a)
{
	a->tick_at = deadline_after(TICK_MS);
	if (!a->stopped && a->calls->tick(a->calls->own) != OK)
		attempt_stop(a);
}

/* The time has come at which something must have happened. */
static void
attempt_late(struct attempt *a)
{
	if (wire_is_whole(a->to->wire, &a->answer))
		attempt_over(a, ATTEMPT_WHOLE);
	else if (a->stopped)
		attempt_over(a, ATTEMPT_STOPPED);
	else if (a->first_at != 0 && clock_ms() >= a->total_by)
		attempt_over(a, ATTEMPT_LIMIT);
	else
		attempt_fail(a, (struct verdict){ VERDICT_NEXT, "error", 0, "silent for too long" });
}

/*
 * Waits for the peer. A descriptor that stays readable though tick() finds nothing would end every wait at once, so it
 * is left out until the next tick that is due.
 */
static void
attempt_wait(struct attempt *a)
{
	int	left = deadline_left(a->by), tick = deadline_left(a->tick_at);
	bool	other = feed_wait(a->feed, a->deaf || a->stopped ? -1 : a->calls->other_fd, left < tick ? left : tick);

	if (deadline_left(a->tick_at) == 0) {
		a->deaf = false;
		attempt_tick(a);
	} else if (other) {
		a->deaf = true;
		attempt_tick(a);
	}
}

/* Hands on what text there is. */
static void
attempt_text(struct attempt *a)
{
	struct buf	*text = &a->answer.text;
	size_t		n = text->len;

	text->len = 0;
	if (n == 0 || a->stopped)
		return;
	if (a->first_at == 0)
		a->first_at = clock_ms();
	if (a->sent + n > TURN_MAX_TEXT) {
		attempt_over(a, ATTEMPT_LIMIT);
		return;
	}
	if (a->calls->text(a->calls->own, text->data, n) == OK)
		a->sent += n;
	else
		attempt_stop(a);
}

/* After an event: whether it is the end, and from a reason to finish on, until when the end must come. */
static void
attempt_move(struct attempt *a, bool had_finish)
{
	attempt_text(a);
	if (a->over)
		return;
	if (a->answer.failed)
		attempt_over(a, ATTEMPT_FAILED);
	else if (a->answer.ended && a->answer.finish == WIRE_NONE && a->answer.deltas == 0)
		attempt_fail(a, verdict_lost("the answer is empty"));
	else if (a->answer.ended)
		attempt_over(a, ATTEMPT_WHOLE);
	else if (a->answer.finish != WIRE_NONE && !had_finish)
		a->by = deadline_earlier(a->total_by, deadline_after(a->stopped ? USAGE_GONE_MS : USAGE_MS));
}

static void
attempt_event(struct attempt *a, const struct sse_event *e)
{
	bool	had_finish = a->answer.finish != WIRE_NONE;

	wire_read_event(a->to->wire, &a->answer, a->step, e);
	mem_empty(a->step);
	attempt_move(a, had_finish);
}

static void
attempt_events(struct attempt *a)
{
	struct sse_event	e;

	while (!a->over && sse_read(a->sse, &e))
		attempt_event(a, &e);
}

static void
attempt_take(struct attempt *a)
{
	const char	*bytes;
	size_t		n = feed_take(a->feed, &bytes);
	enum err	e = OK;

	if (n == 0)
		return;
	if (a->turn->stream)
		e = sse_put(a->sse, bytes, n);
	else if (a->body.len + n > TURN_MAX_TEXT)
		e = ERR_TOO_LARGE;
	else
		buf_put(&a->body, bytes, n);
	attempt_events(a);
	if (e != OK && !a->over)
		attempt_fail(a, (struct verdict){ VERDICT_NEXT, "error", 0, "too long an event" });
	if (a->first_at != 0 && a->answer.finish == WIRE_NONE)
		a->by = deadline_earlier(a->total_by, deadline_after(a->turn->config->chat.idle_ms));
}

/* The peer has said all it says. */
static void
attempt_end(struct attempt *a)
{
	if (feed_state(a->feed) == FEED_FAILED && !a->stopped)
		attempt_tick(a);		/* our own end may be why it failed */
	if (a->over)
		return;
	sse_end(a->sse);
	if (!a->turn->stream && feed_state(a->feed) == FEED_ENDED) {
		wire_read_whole(a->to->wire, &a->answer, a->body.data, a->body.len);
		attempt_move(a, false);
	}
	attempt_events(a);
	if (a->over)
		return;
	if (wire_is_whole(a->to->wire, &a->answer))
		attempt_over(a, ATTEMPT_WHOLE);
	else
		attempt_fail(a, verdict_lost(feed_state(a->feed) == FEED_FAILED ? feed_why(a->feed) :
		    "the answer has no end"));
}

/* Until the state is no longer this one, or it is over; true: the state has changed. */
static bool
attempt_await(struct attempt *a, enum feed_state state)
{
	while (!a->over && feed_state(a->feed) == state) {
		attempt_wait(a);
		if (state != FEED_WAITING)
			attempt_take(a);
		if (!a->over && deadline_left(a->by) == 0)
			attempt_late(a);
	}
	return !a->over;
}

static bool
type_is(const struct attempt *a, const char *type)
{
	const char	*said = feed_header(a->feed, "content-type");

	return said != NULL && strncasecmp(said, type, strlen(type)) == 0;
}

/* The header that providers add to say whether a repetition makes sense. */
static void
attempt_advice(struct attempt *a, struct verdict *v)
{
	const char	*should = feed_header(a->feed, "x-should-retry");

	a->retry_ms = backoff_asked(feed_header(a->feed, "retry-after-ms"), feed_header(a->feed, "retry-after"),
	    feed_header(a->feed, "date"));
	if (should == NULL || strcmp(v->outcome, "spent") == 0)
		return;
	if (strcmp(should, "true") == 0)
		v->act = VERDICT_RETRY;
	else if (strcmp(should, "false") == 0 && v->act == VERDICT_RETRY)
		v->act = VERDICT_NEXT;
}

/* Reads why it was refused, but not for long, and not much of it. */
static void
attempt_refused(struct attempt *a)
{
	struct json_object	*doc;
	struct buf		body = { .ctx = a->turn->mem };
	struct verdict		v;
	const char		*bytes;
	size_t			n;

	a->by = deadline_earlier(a->by, deadline_after(REFUSAL_MS));
	do {
		if (feed_state(a->feed) == FEED_OPEN)
			attempt_wait(a);
		n = feed_take(a->feed, &bytes);
		buf_put(&body, bytes, n);
	} while (!a->over && body.len < REFUSAL_BYTES && deadline_left(a->by) > 0 &&
	    (n > 0 || feed_state(a->feed) == FEED_OPEN));
	if (a->over)
		return;
	doc = body.len > 0 ? delta_parse(a->turn->mem, body.data, body.len) : NULL;
	v = verdict_of(a->status, json_at(doc, "/error"));
	attempt_advice(a, &v);
	attempt_fail(a, v);
}

static void
attempt_answer(struct attempt *a)
{
	a->status = feed_status(a->feed);
	if (a->status == 0)
		attempt_end(a);
	else if (a->status < 200 || a->status > 299)
		attempt_refused(a);
	else if (!type_is(a, a->turn->stream ? "text/event-stream" : "application/json"))
		attempt_fail(a, (struct verdict){ VERDICT_NEXT, "error", a->status, "not what was asked for" });
	else if (attempt_await(a, FEED_OPEN)) {
		attempt_take(a);
		attempt_end(a);
	}
}

/* A connection whose answer has been read to its end can serve the next call. */
static void
attempt_drain(struct attempt *a)
{
	const int64_t	until = deadline_after(AFTER_MS);
	const char	*bytes;

	while (feed_state(a->feed) == FEED_OPEN && deadline_left(until) > 0) {
		feed_wait(a->feed, -1, deadline_left(until));
		feed_take(a->feed, &bytes);
	}
}

void
attempt_run(struct attempt *a)
{
	struct https_request	q;
	mem_ctx			*mem = a->turn->mem;

	candidate_request(a->to, a->turn, mem, &q);
	wire_begin(&a->answer, mem);
	a->sse = sse_new(mem);
	a->step = talloc_new(mem);
	a->body = (struct buf){ .ctx = mem };
	a->retry_ms = -1;
	a->began = clock_ms();
	a->by = a->first_by;
	a->tick_at = deadline_after(TICK_MS);
	q.timeout_ms = deadline_left(a->total_by) + SPARE_MS;
	a->feed = feed_open(a->turn->https, mem, &q, named);
	if (attempt_await(a, FEED_WAITING))
		attempt_answer(a);
	if (a->end == ATTEMPT_WHOLE)
		attempt_drain(a);
	feed_close(a->feed);
	wire_end(&a->answer);
	if (a->end == ATTEMPT_WHOLE || a->end == ATTEMPT_FAILED)
		attempt_text(a);
}
