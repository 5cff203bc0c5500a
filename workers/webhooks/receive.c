/* receive: verifies events, stores them, and acknowledges them once they are committed. */
#include <string.h>
#include <time.h>

#include "answer.h"
#include "clock.h"
#include "intake.h"
#include "json.h"
#include "log.h"
#include "serve.h"
#include "signature.h"
#include "text.h"
#include "webhooks.h"

/* The request headers that are stored with an event, besides its body and signature. */
static const struct header {
	const char	*param;
	const char	*name;
} headers[] = {
	{ "CONTENT_TYPE", "content_type" }, { "HTTP_USER_AGENT", "user_agent" }, { "REMOTE_ADDR", "remote_addr" },
};

static void
refuse(struct visit *v, const char *code, const char *sentence)
{
	struct json_object	*doc = json_new(v->q->mem);

	log_line(LOG_WARN, "webhook_refused", LOG_TEXT("reason", sentence));
	answer_put_error(doc, code, sentence);
	(void)answer_json(v, 400, doc);
}

static struct json_object *
headers_keep(const struct http_req *q)
{
	struct json_object	*doc = json_new(q->mem);

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const char	*value = http_param(q, headers[i].param, NULL);

		if (value != NULL)
			json_put(doc, headers[i].name, text_ascii(q->mem, value, strlen(value)));
	}
	return doc;
}

/* Those of the webhook endpoint, then those of the event destination. On the request's memory. */
static struct config_list
secrets_of(const struct visit *v)
{
	const struct config_list	*whole = &v->app->config->stripe.webhook_secrets;
	const struct config_list	*thin = &v->app->config->stripe.thin_secrets;
	struct config_list		all = { talloc_array(v->q->mem, const char *, whole->n + thin->n), 0 };

	for (size_t i = 0; i < whole->n; i++)
		all.items[all.n++] = whole->items[i];
	for (size_t i = 0; i < thin->n; i++)
		all.items[all.n++] = thin->items[i];
	return all;
}

/* Whether a delivery that does not verify may be Stripe's: only then does its failure mean that something is wrong. */
static bool
seems_stripes(struct visit *v, const struct receipt *r, enum signature_cause cause)
{
	struct inbox_event	e;
	const char		*agent = http_param(v->q, "HTTP_USER_AGENT", NULL);

	if (cause == SIGNATURE_CLOCK)
		return true;
	if (cause == SIGNATURE_FORM || agent == NULL || strncmp(agent, "Stripe/", strlen("Stripe/")) != 0)
		return false;
	if (inbox_read(v->q->mem, r->body, r->n, &e) != OK)
		return cause == SIGNATURE_BODY;
	return strncmp(e.id, "evt_", strlen("evt_")) == 0 && (e.thin ? v->app->config->stripe.thin_secrets.n > 0 :
	    e.api_version != NULL && strcmp(e.api_version, v->app->config->stripe.version) == 0);
}

/* Raises the alert of this cause; NULL: ends those of all. */
static void
signature_report(struct visit *v, const char *cause)
{
	struct webhooks	*own = v->app->own;

	if (db_service(db_as_service(v->q->mem, v->app->db), NULL, "service.report_signature($1)", ARGS(TEXT(cause))) != OK)
		distrust_again(&own->distrust);
}

/* Says why the signature is invalid, to the log, and to the operator when deliveries keep failing. */
static void
distrust(struct visit *v, const struct receipt *r)
{
	struct config_list	secrets = secrets_of(v);
	struct webhooks		*own = v->app->own;
	enum signature_cause	cause = signature_cause(r->signature, r->body, r->n, secrets.items, secrets.n);

	log_line(LOG_WARN, "webhook_distrusted", LOG_TEXT("cause", signature_cause_name(cause)));
	if (seems_stripes(v, r, cause) && distrust_note(&own->distrust, (int)cause, v->q->remote_addr, clock_ms()))
		signature_report(v, signature_cause_name(cause));
}

static enum signature_verdict
verify(const struct visit *v, struct receipt *r)
{
	struct config_list	secrets = secrets_of(v);
	enum signature_verdict	verdict;
	size_t			which;

	*r = (struct receipt){ .body = v->q->body, .n = v->q->body_len,
	    .signature = http_param(v->q, "HTTP_STRIPE_SIGNATURE", NULL) };
	verdict = signature_verify(r->signature, r->body, r->n, secrets.items, secrets.n, time(NULL), &which);
	if (verdict == SIGNATURE_OK) {
		r->key = signature_key_id(v->q->mem, secrets.items[which]);
		r->thin = which >= v->app->config->stripe.webhook_secrets.n;
		r->headers = headers_keep(v->q);
	}
	return verdict;
}

/*
 * Events of any API version are read. One of another version than ours is reported: its endpoint may not be pinned, and
 * then its format changes with the Stripe account's default. Thin events have no version.
 */
static bool
is_unpinned(const char *version, const char *ours)
{
	return version != NULL && strcmp(version, ours) != 0;
}

/*
 * Reads one request. False: it was refused, and is answered. A thin event that the event destination's secret has not
 * signed is kept and ignored.
 */
static bool
take(struct visit *v, struct intake *one)
{
	switch (verify(v, &one->receipt)) {
	case SIGNATURE_MISSING:
		refuse(v, "missing_signature", "Missing signature");
		return false;
	case SIGNATURE_INVALID:
		distrust(v, &one->receipt);
		refuse(v, "invalid_signature", "Invalid signature");
		return false;
	case SIGNATURE_OK:
		break;
	}
	if (inbox_read(v->q->mem, one->receipt.body, one->receipt.n, &one->event) != OK) {
		refuse(v, "invalid_payload", "Invalid payload");
		return false;
	}
	if (one->event.thin && !one->receipt.thin)
		one->event.kind = NULL;
	one->receipt.unpinned = is_unpinned(one->event.api_version, v->app->config->stripe.version);
	return true;
}

static void
answer(struct visit *v, const struct intake *one)
{
	struct json_object	*doc = json_new(v->q->mem);

	if (one->err != OK) {
		answer_error(v, one->err);
		return;
	}
	if (one->event.kind != NULL && !one->duplicate)
		hint_want(&((struct webhooks *)v->app->own)->hint);
	log_line(LOG_INFO, "webhook", LOG_TEXT("id", one->event.id), LOG_TEXT("type", one->event.type),
	    LOG_TEXT("object", one->event.object), LOG_TEXT("key", one->receipt.key), LOG_INT("duplicate", one->duplicate));
	json_put_true(doc, "received");
	(void)answer_json(v, 200, doc);
}

/* Deliveries verify: what was told of earlier ones is over. */
static void
trust(struct visit *v)
{
	struct webhooks	*own = v->app->own;

	if (distrust_end(&own->distrust))
		signature_report(v, NULL);
}

static void
receive(struct visit **all, size_t n)
{
	struct intake	events[SERVE_TOGETHER];
	size_t		m = 0;

	for (size_t i = 0; i < n; i++) {
		log_request(all[i]->q->id);
		all[m] = all[i];
		m += take(all[i], &events[m]);
	}
	if (m > 0) {
		intake_store(all[0]->app->db, events, m);
		trust(all[0]);
	}
	log_hold(true);
	for (size_t i = 0; i < m; i++) {
		log_request(all[i]->q->id);
		answer(all[i], &events[i]);
	}
	log_hold(false);
}

const struct route receive_routes[] = {
	RAW("POST", "/webhooks/stripe", receive),
	RAW("POST", "/api/webhooks/stripe", receive),
	RAW("POST", "/api/billing/sync", receive),
	{ 0 }
};
