/* webhooks: verifies what Stripe sends, writes it down, and says so once that is committed. jobs acts on it. */
#include <string.h>
#include <time.h>

#include "batch.h"
#include "inbox.h"
#include "json.h"
#include "log.h"
#include "signature.h"
#include "worker.h"

enum { THREADS = 32 };	/* they mostly wait for the commit that they share */

static enum err
refuse(struct visit *v, const char *sentence)
{
	struct json_object	*doc = json_new(v->q->mem);

	log_line(LOG_WARN, "webhook_refused", LOG_TEXT("reason", sentence));
	json_put(doc, "error", sentence);
	return page_json(v, 400, doc);
}

static enum signature_verdict
verify(struct visit *v, struct inbox_receipt *receipt)
{
	const struct config_list	*secrets = &v->app->config->stripe.webhook_secrets;
	bool				twice = false;

	*receipt = (struct inbox_receipt){ v->q->body, v->q->body_len, http_param(v->q, "HTTP_STRIPE_SIGNATURE", &twice), 0 };
	if (twice)
		return SIGNATURE_INVALID;
	return signature_verify(receipt->signature, receipt->body, receipt->n, secrets->items, secrets->n, time(NULL),
	    &receipt->key_index);
}

static enum err
store(struct visit *v, const struct inbox_event *e, const struct inbox_receipt *receipt)
{
	bool	duplicate;

	TRY(batch_receive(v->app->own, v->app->db, v->q->mem, e, receipt, &duplicate));
	log_line(LOG_INFO, "webhook", LOG_TEXT("id", e->id), LOG_TEXT("type", e->type), LOG_TEXT("object", e->object),
	    LOG_INT("key", (int64_t)receipt->key_index), LOG_INT("duplicate", duplicate));
	return OK;
}

static enum err
receive(struct visit *v)
{
	struct inbox_receipt	receipt;
	struct inbox_event	e;
	struct json_object	*doc = json_new(v->q->mem);

	switch (verify(v, &receipt)) {
	case SIGNATURE_MISSING:	return refuse(v, "Missing signature");
	case SIGNATURE_INVALID:	return refuse(v, "Invalid signature");
	case SIGNATURE_OK:	break;
	}
	if (inbox_read(v->q->mem, receipt.body, receipt.n, &e) != OK)
		return refuse(v, "Invalid payload");
	TRY(store(v, &e, &receipt));
	json_put_true(doc, "received");
	return page_json(v, 200, doc);
}

static const struct route routes[] = {
	RAW("POST", "/webhooks/stripe", receive),
	RAW("POST", "/api/webhooks/stripe", receive),
	RAW("POST", "/api/billing/sync", receive),
	{ 0 }
};

int
main(int argc, char **argv)
{
	struct batch	batch = BATCH_NEW;

	return worker_main(&(struct worker){
		"webhooks", "Takes Stripe's webhooks into the inbox.", NEED_WEBHOOK, routes, .own = &batch, .threads = THREADS,
	}, argc, argv);
}
