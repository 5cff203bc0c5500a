#include "document.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

struct document {
	struct document_options	o;
	pthread_mutex_t		lock;
	pthread_cond_t		fetched;
	bool			busy;		/* a thread is fetching */
	mem_ctx			*kept;		/* of the text, which another thread may replace; or NULL */
	const char		*text;
	size_t			n;
	int64_t			due;		/* from then on it is old */
	int64_t			tried;		/* when the last fetch ended; 0: never */
	char			why[120];	/* the last one failed */
	bool			good_news;	/* it did not, and nobody has been told */
};

static void
document_close(void *thing)
{
	struct document	*d = thing;

	talloc_free(d->kept);
	pthread_cond_destroy(&d->fetched);
	pthread_mutex_destroy(&d->lock);
}

struct document *
document_open(mem_ctx *ctx, const struct document_options *options)
{
	struct document		*d = talloc_zero(ctx, struct document);
	pthread_condattr_t	clock;

	d->o = *options;
	d->o.again_ms = d->o.again_ms ? d->o.again_ms : DOCUMENT_AGAIN_MS;
	d->o.wait_ms = d->o.wait_ms ? d->o.wait_ms : DOCUMENT_WAIT_MS;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&d->fetched, &clock);
	pthread_condattr_destroy(&clock);
	mem_hang(d, d, document_close);
	return d;
}

/* max-age of a Cache-Control header, within what is allowed. */
static int64_t
life_of(const struct document_options *o, const char *cache_control)
{
	const char	*age = cache_control ? strstr(cache_control, "max-age=") : NULL;
	int64_t		ms = age ? strtoll(age + strlen("max-age="), NULL, 10) : 0;

	ms = ms > o->most_ms / 1000 ? o->most_ms : ms * 1000;
	return ms < o->least_ms ? o->least_ms : ms;
}

/* What is wrong with the answer, or NULL. */
static const char *
answer_fault(const struct document_options *o, mem_ctx *mem, const struct https_answer *a)
{
	struct json_object	*doc;

	if (a->too_large)
		return "is larger than 256 KiB";
	if (a->status != 200)
		return a->status == 0 ? a->why : mem_printf(mem, "is answered with status %d", a->status);
	if (json_parse_unique(mem, a->body.data, a->body.len, &doc) != OK || !json_object_is_type(doc, json_type_object))
		return "is no JSON object";
	return o->fault(mem, o->arg, doc);
}

/* Called with the lock, which is let go meanwhile. */
static void
document_fetch(struct document *d)
{
	static const char *const	headers[] = { "Accept: application/json", NULL }, *const named[] = { "cache-control",
	    NULL };
	mem_ctx				*mem = mem_new();
	struct https_answer		a;
	const char			*cache[1], *why;

	d->busy = true;
	pthread_mutex_unlock(&d->lock);
	https_exchange(d->o.https, mem, &(struct https_request){ .method = "GET", .url = d->o.url, .headers = headers,
	    .timeout_ms = DOCUMENT_FETCH_MS, .max_body = DOCUMENT_MAX }, &a, named, cache);
	why = answer_fault(&d->o, mem, &a);
	if (why != NULL)
		log_line(LOG_WARN, "issuer_document", LOG_TEXT("url", d->o.url), LOG_TEXT("reason", why));
	pthread_mutex_lock(&d->lock);
	d->tried = clock_ms();
	strncpy(d->why, why ? why : "", sizeof(d->why) - 1);
	if (why == NULL) {
		talloc_free(d->kept);
		d->kept = mem_new();
		d->text = mem_copy(d->kept, a.body.data, a.body.len);
		d->n = a.body.len;
		d->due = d->tried + life_of(&d->o, cache[0]);
	}
	d->good_news = why == NULL;
	d->busy = false;
	pthread_cond_broadcast(&d->fetched);
	talloc_free(mem);
}

/* Called with the lock. Until the fetch of another thread has ended, if it is soon. */
static void
document_await(struct document *d)
{
	int64_t		until = clock_ms() + d->o.wait_ms;
	struct timespec	t = { until / 1000, until % 1000 * 1000000 };
	int		late = 0;

	while (d->busy && d->text == NULL && late == 0)
		late = pthread_cond_timedwait(&d->fetched, &d->lock, &t);
}

/* After a fetch that failed another one is due soon: it may be what ends the operator's alert. */
static bool
is_due(const struct document *d, enum document_wish wish)
{
	int64_t	since = clock_ms() - d->tried;

	if (d->tried == 0)
		return true;
	if (d->text == NULL)
		return since >= DOCUMENT_FAILED_MS;
	return (wish == DOCUMENT_NEWER || *d->why || clock_ms() >= d->due) && since >= d->o.again_ms;
}

enum err
document_read(struct document *d, mem_ctx *mem, enum document_wish wish, struct json_object **out, const char **why)
{
	const char	*text = NULL;
	size_t		n = 0;

	pthread_mutex_lock(&d->lock);
	if (wish != DOCUMENT_KEPT)
		document_await(d);
	if (wish != DOCUMENT_KEPT && !d->busy && is_due(d, wish))
		document_fetch(d);
	if (d->text != NULL)
		text = mem_copy(mem, d->text, n = d->n);
	*why = mem_printf(mem, "%s %s", d->o.url, *d->why ? d->why : "is not here yet");
	pthread_mutex_unlock(&d->lock);
	return text == NULL ? ERR_UNAVAILABLE : json_parse_unique(mem, text, n, out);
}

bool
document_waits(struct document *d)
{
	bool	waits;

	pthread_mutex_lock(&d->lock);
	waits = d->busy ? d->text == NULL : is_due(d, DOCUMENT_ANY);
	pthread_mutex_unlock(&d->lock);
	return waits;
}

bool
document_news(struct document *d, mem_ctx *mem, const char **why)
{
	bool	is_news;

	pthread_mutex_lock(&d->lock);
	*why = *d->why ? mem_printf(mem, "%s %s", d->o.url, d->why) : NULL;
	is_news = *why != NULL || d->good_news;
	d->good_news = false;
	pthread_mutex_unlock(&d->lock);
	return is_news;
}
