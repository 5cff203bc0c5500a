#include "stripe.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "breaker.h"
#include "bucket.h"
#include "clock.h"
#include "https.h"
#include "json.h"
#include "log.h"
#include "private/call.h"
#include "private/hosted.h"
#include "refusal.h"
#include "sentence.h"

enum { PAUSE_LEAST_MS = 500, PAUSE_MOST_MS = 5000, PAUSE_ALL_MOST_MS = 60000, ATTEMPT_LEAST_MS = 100 };

struct stripe {
	struct https		*https;
	const char		*api_url;
	const char		*version;	/* whole header lines */
	const char		*authorization;
	int			timeout_ms;
	struct stripe_hosted	hosted;
	struct stripe_pace	pace;
	struct stripe_report	report;
	pthread_mutex_t		lock;		/* guards the four below */
	struct breaker		breaker;
	int64_t			answered;	/* as in stripe_health */
	struct bucket		bucket;
	struct refusals		refusals;
};

/* Headers of an answer that matter; the order is that of `named`. */
enum { REQUEST_ID, SHOULD_RETRY, RETRY_AFTER, REPLAYED, N_NAMED };
static const char *const named[] = { "Request-Id", "Stripe-Should-Retry", "Retry-After", "Idempotent-Replayed", NULL };

struct attempt {
	struct https_answer	answer;
	const char		*headers[N_NAMED];
	struct json_object	*doc;		/* NULL unless the body is a JSON object */
	bool			lost;		/* no answer from Stripe, or an incomplete one */
	bool			spent;		/* Stripe replays a failure that it has stored under this key */
	bool			retry;
};

static void
stripe_close(void *thing)
{
	pthread_mutex_destroy(&((struct stripe *)thing)->lock);
}

struct stripe *
stripe_open(mem_ctx *ctx, const struct stripe_options *options)
{
	struct stripe	*s = talloc_zero(ctx, struct stripe);

	s->hosted = stripe_hosted_of(s, options);
	s->https = https_open(s, s->hosted.loopback);
	s->api_url = mem_printf(s, "%s", options->api_url);
	s->version = mem_printf(s, "Stripe-Version: %s", options->version);
	s->authorization = mem_printf(s, "Authorization: Bearer %s", options->key);
	s->timeout_ms = options->timeout_ms;
	s->bucket.rate = options->rate;
	s->pace = options->pace;
	s->report = options->report;
	pthread_mutex_init(&s->lock, NULL);
	mem_hang(s, s, stripe_close);
	return s;
}

const struct stripe_hosted *
stripe_hosted(const struct stripe *s)
{
	return &s->hosted;
}

const char *
stripe_origins(const struct stripe *s)
{
	return s->hosted.origins;
}

void
stripe_stop(struct stripe *s)
{
	https_stop(s->https);
}

bool
stripe_is_up(struct stripe *s)
{
	bool	open;

	pthread_mutex_lock(&s->lock);
	open = breaker_is_open(&s->breaker, clock_ms()) || clock_ms() < s->bucket.paused_until;
	pthread_mutex_unlock(&s->lock);
	return !open;
}

struct stripe_health
stripe_health(struct stripe *s)
{
	struct stripe_health	h;

	pthread_mutex_lock(&s->lock);
	h = (struct stripe_health){ breaker_has_opened(&s->breaker), s->answered };
	pthread_mutex_unlock(&s->lock);
	return h;
}

/* Repeating is safe: every attempt carries the same idempotency key. */
static bool
worth_repeating(const struct attempt *a)
{
	const char	*said = a->headers[SHOULD_RETRY];
	int		status = a->answer.status;

	if (a->answer.too_large || a->spent)
		return false;
	if (status == 0)
		return true;
	if (said != NULL && strcasecmp(said, "true") == 0)
		return true;
	if (said != NULL && strcasecmp(said, "false") == 0)
		return false;
	return a->lost || status == 409 || status == 429 || status >= 500 || (status < 300 && a->doc == NULL);
}

/* The seconds that Retry-After names, or -1. */
static long
seconds_named(const struct attempt *a)
{
	const char	*said = a->headers[RETRY_AFTER];
	char		*end;
	long		seconds = said == NULL ? -1 : strtol(said, &end, 10);

	return seconds >= 0 && end != said && *end == '\0' ? seconds : -1;
}

/*
 * Milliseconds to wait after attempt n, as Stripe's own libraries do: 0.5 s doubled each time, up to 5 s, plus or minus
 * up to a half at random, never under 0.5 s. -1: Retry-After asks for more than 5 s.
 */
static int
pause_after(const struct attempt *a, int n)
{
	unsigned	ms = PAUSE_LEAST_MS << (n - 1);
	long		seconds = seconds_named(a);

	if (seconds >= 0)
		return seconds > PAUSE_MOST_MS / 1000 ? -1 : (int)seconds * 1000;
	ms = ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : ms;
	ms = ms / 2 + arc4random_uniform(ms);
	return (int)(ms < PAUSE_LEAST_MS ? PAUSE_LEAST_MS : ms);
}

static enum err
attempt_verdict(const struct attempt *a)
{
	int	status = a->answer.status;

	if (a->spent)
		return ERR_CONFLICT;
	if (a->answer.too_large)
		return ERR_UPSTREAM;
	if (a->lost || status == 409 || status == 429 || status >= 500)
		return ERR_UNAVAILABLE;
	if (status < 400 && (status >= 300 || a->doc == NULL))
		return ERR_UPSTREAM;
	if (status == 401 || status == 403)
		return ERR_KEY_REFUSED;
	if (status == 404)
		return ERR_NOT_FOUND;
	return status < 300 ? OK : ERR_INTERNAL;
}

/* Why an attempt failed: Stripe's own sentence, else what happened on the way. */
static const char *
reason_of(mem_ctx *mem, const struct attempt *a)
{
	const char	*said = sentence_of(mem, a->doc);

	if (said != NULL)
		return said;
	return a->answer.why != NULL ? a->answer.why : a->answer.status >= 400 ? "Stripe gives no reason" : NULL;
}

static void
attempt_log(mem_ctx *mem, const struct attempt *a, const char *method, const char *path, int n)
{
	const struct log_field	fields[] = {
		LOG_TEXT("method", method), LOG_TEXT("path", path), LOG_INT("attempt", n),
		LOG_INT("status", a->answer.status), LOG_TEXT("stripe_request", a->headers[REQUEST_ID]),
		LOG_TEXT("type", json_text(a->doc, "/error/type")), LOG_TEXT("code", json_text(a->doc, "/error/code")),
		LOG_TEXT("param", json_text(a->doc, "/error/param")), LOG_TEXT("reason", reason_of(mem, a)),
		LOG_TEXT("request_log_url", sentence_page(a->doc)),
	};
	enum err	e = attempt_verdict(a);

	log_fields(e == OK ? LOG_INFO : e == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, "stripe", fields,
	    e == OK ? 5 : sizeof(fields) / sizeof(*fields));
}

/*
 * A body that is not JSON was truncated, or is not from Stripe but from a proxy: it counts as no answer, whatever its
 * status. Except for a redirect, which is ERR_UPSTREAM: Stripe sends none.
 */
static bool
body_is_lost(const struct https_answer *a)
{
	return (a->status < 300 || a->status >= 400) && (a->body.len == 0 || !json_is_whole(a->body.data, a->body.len));
}

static void
attempt_make(struct stripe *s, mem_ctx *mem, const struct https_request *q, struct attempt *a)
{
	*a = (struct attempt){ 0 };
	https_exchange(s->https, mem, q, &a->answer, named, a->headers);
	if (a->answer.status == 0) {
		a->lost = !a->answer.too_large;
	} else if (json_parse(mem, a->answer.body.data, a->answer.body.len, &a->doc) != OK) {
		a->lost = body_is_lost(&a->answer);
		a->answer.why = a->lost ? "body is not JSON" : "body is not acceptable JSON";
	}
	if (!json_object_is_type(a->doc, json_type_object))
		a->doc = NULL;
	a->spent = q->body != NULL && a->answer.status >= 500 && a->headers[REPLAYED] != NULL &&
	    strcasecmp(a->headers[REPLAYED], "true") == 0;
	a->retry = worth_repeating(a);
}

/* A 429 slows all threads down, except lock_timeout: a locked object delays only the calls for that object. */
static void
pace_note(struct stripe *s, mem_ctx *mem, const struct attempt *a, int pause)
{
	long	seconds = seconds_named(a);

	if (a->answer.status != 429 || json_is(a->doc, "/error/code", "lock_timeout"))
		return;
	if (pause < 0)
		pause = seconds > PAUSE_ALL_MOST_MS / 1000 ? PAUSE_ALL_MOST_MS : (int)seconds * 1000;
	pthread_mutex_lock(&s->lock);
	bucket_pause(&s->bucket, clock_ms(), pause);
	pthread_mutex_unlock(&s->lock);
	if (s->pace.pause != NULL)
		s->pace.pause(s->pace.arg, mem, pause);
}

/* 0, and the attempt is counted, or the ms to wait. A pause of this process holds also while others know of none. */
static int64_t
pace_ask(struct stripe *s, mem_ctx *mem)
{
	int64_t	wait;
	int	turn = -1;

	pthread_mutex_lock(&s->lock);
	wait = s->bucket.paused_until - clock_ms();
	pthread_mutex_unlock(&s->lock);
	if (wait > 0)
		return wait;
	if (s->pace.turn != NULL && s->bucket.rate != 0)
		turn = s->pace.turn(s->pace.arg, mem, s->bucket.rate);
	if (turn >= 0)
		return turn;
	pthread_mutex_lock(&s->lock);
	wait = bucket_take(&s->bucket, clock_ms());
	pthread_mutex_unlock(&s->lock);
	return wait;
}

/*
 * Waits until an attempt may be made. False when that is too late, or the process stops; then stripe_is_up() is false
 * for as long, also when another process has begun the pause.
 */
static bool
pace_await(struct stripe *s, mem_ctx *mem, int64_t end)
{
	int64_t	wait;

	while ((wait = pace_ask(s, mem)) != 0) {
		if (clock_ms() + wait + ATTEMPT_LEAST_MS <= end) {
			if (!https_pause(s->https, (int)wait))
				return false;
			continue;
		}
		pthread_mutex_lock(&s->lock);
		if (s->bucket.paused_until < clock_ms() + wait)
			s->bucket.paused_until = clock_ms() + wait;
		pthread_mutex_unlock(&s->lock);
		return false;
	}
	return true;
}

/* Makes the attempts and leaves the last one in *a. False: no attempt could be made. */
static bool
attempts_make(struct stripe *s, mem_ctx *mem, struct https_request *q, const char *path, struct attempt *a)
{
	int64_t	end = clock_ms() + 2 * (int64_t)s->timeout_ms + STRIPE_SLACK_MS;

	for (int n = 1; ; n++) {
		int64_t	left;
		int	pause;

		if (!pace_await(s, mem, end))
			return n > 1;
		left = end - clock_ms();
		q->timeout_ms = left < s->timeout_ms ? (int)left : s->timeout_ms;
		attempt_make(s, mem, q, a);
		attempt_log(mem, a, q->method, path, n);
		pause = pause_after(a, n);
		pace_note(s, mem, a, pause);
		if (!a->retry || n > STRIPE_RETRIES || pause < 0 || clock_ms() + pause + ATTEMPT_LEAST_MS > end)
			return true;
		if (!https_pause(s->https, pause))
			return true;
	}
}

static void
request_prepare(struct stripe *s, mem_ctx *mem, struct https_request *q, const char *path, const char *form,
    const char *key)
{
	bool		posts = strcmp(q->method, "POST") == 0;
	const char	**headers = talloc_zero_array(mem, const char *, 5);

	headers[0] = s->authorization;
	headers[1] = s->version;
	if (posts) {
		headers[2] = "Content-Type: application/x-www-form-urlencoded";
		headers[3] = mem_printf(mem, "Idempotency-Key: %s", key);
		q->body = form != NULL ? form : "";
	}
	q->headers = headers;
	q->url = posts || form == NULL ? mem_printf(mem, "%s%s", s->api_url, path) :
	    mem_printf(mem, "%s%s?%s", s->api_url, path, form);
}

static bool
breaker_ask(struct stripe *s)
{
	bool	allowed;

	pthread_mutex_lock(&s->lock);
	allowed = breaker_allows(&s->breaker, clock_ms());
	pthread_mutex_unlock(&s->lock);
	if (!allowed)
		log_line(LOG_WARN, "stripe_refused", LOG_TEXT("reason", "the circuit breaker is open after failed calls"));
	return allowed;
}

/* Stripe's HTTP status, or 0 without an answer of its own. A 429, a 409 and a replayed answer are answers. */
static int
status_told(const struct attempt *a)
{
	return a->lost && a->answer.status != 429 ? 0 : a->answer.status;
}

/* An unknown key (401) opens the breaker, as an outage does. */
static void
breaker_tell(struct stripe *s, const struct attempt *a)
{
	int	status = status_told(a);
	bool	answered = a->spent || a->answer.too_large || (status != 0 && status < 500), news;

	pthread_mutex_lock(&s->lock);
	news = refusal_note_key(&s->refusals, status);
	if (s->refusals.all)
		breaker_trip(&s->breaker, clock_ms());
	else
		breaker_note(&s->breaker, answered, clock_ms());
	if (answered && !s->refusals.all)
		s->answered = clock_ms();
	pthread_mutex_unlock(&s->lock);
	if (news)
		log_line(status == 401 ? LOG_ERROR : LOG_INFO, "stripe_key", LOG_TEXT("reason", status == 401 ?
		    "Stripe does not know this key: it is wrong, revoked or expired" : "Stripe knows this key again"));
}

/* A fault of our request is one for the operator: what is wrong stands in the configuration or at Stripe. */
static void
report_tell(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form,
    const struct attempt *a)
{
	struct stripe_refused	r = {
		.call = refusal_kind(mem, method, path), .path = path, .form = form,
		.code = json_text(a->doc, "/error/code"), .param = json_text(a->doc, "/error/param"),
		.sentence = sentence_of(mem, a->doc), .request = a->headers[REQUEST_ID], .page = sentence_page(a->doc),
	};
	enum err		e = attempt_verdict(a);

	if (s->report.refused != NULL && e == ERR_INTERNAL)
		s->report.refused(s->report.arg, mem, &r);
	if (s->report.accepted != NULL && e == OK)
		s->report.accepted(s->report.arg, mem, r.call, form);
}

enum err
stripe_call_status(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form,
    const char *key, struct json_object **out, int *status)
{
	struct https_request	q = { .method = method };
	struct attempt		a;

	*out = NULL;
	*status = 0;
	if (!breaker_ask(s))
		return ERR_UNAVAILABLE;
	request_prepare(s, mem, &q, path, form, key);
	if (!attempts_make(s, mem, &q, path, &a)) {
		log_line(LOG_WARN, "stripe_refused", LOG_TEXT("reason", "no time left: rate limit or pause"));
		return ERR_UNAVAILABLE;
	}
	breaker_tell(s, &a);
	report_tell(s, mem, method, path, form, &a);
	*status = a.answer.status;
	*out = a.doc;
	return attempt_verdict(&a);
}

static bool
refusal_ask(struct stripe *s, const char *method, const char *path)
{
	bool	allowed;

	pthread_mutex_lock(&s->lock);
	allowed = refusal_allows(&s->refusals, method, path, clock_ms());
	pthread_mutex_unlock(&s->lock);
	return allowed;
}

static void
refusal_tell(struct stripe *s, const char *method, const char *path, enum err e, int status)
{
	bool	refused = e == ERR_KEY_REFUSED, news;

	pthread_mutex_lock(&s->lock);
	news = refusal_note(&s->refusals, method, path, e == ERR_UNAVAILABLE ? 0 : status, clock_ms());
	pthread_mutex_unlock(&s->lock);
	if (news)
		log_line(refused ? LOG_ERROR : LOG_INFO, "stripe_key", LOG_TEXT("reason", refused ?
		    "this key lacks the right to make this call" : "this key may make this call again"),
		    LOG_TEXT("method", method), LOG_TEXT("path", path));
}

enum err
stripe_call(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form, const char *key,
    struct json_object **out)
{
	int		status;
	enum err	e;

	*out = NULL;
	if (!refusal_ask(s, method, path))
		return ERR_KEY_REFUSED;
	e = stripe_call_status(s, mem, method, path, form, key, out, &status);
	refusal_tell(s, method, path, e, status);
	return e;
}

bool
stripe_knows_key(struct stripe *s)
{
	bool	refused;

	pthread_mutex_lock(&s->lock);
	refused = s->refusals.all;
	pthread_mutex_unlock(&s->lock);
	return !refused;
}

struct json_object *
stripe_refused(struct stripe *s, mem_ctx *mem)
{
	struct json_object	*all = json_hang(mem, json_object_new_array());

	pthread_mutex_lock(&s->lock);
	if (s->refusals.all)
		json_object_array_add(all, json_object_new_string("every call"));
	for (size_t i = 0; !s->refusals.all && i < REFUSALS; i++) {
		if (s->refusals.list[i].what[0] != '\0')
			json_object_array_add(all, json_object_new_string(s->refusals.list[i].what));
	}
	pthread_mutex_unlock(&s->lock);
	return all;
}
