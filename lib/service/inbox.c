#include "inbox.h"

#include <string.h>
#include <time.h>

#include "json.h"
#include "text.h"

enum { PATHS = 4 };

/* The object that events of a type make dirty, and where its id stands: that varies with the API version. */
static const struct row {
	const char	*type;		/* a prefix if it ends with a dot */
	const char	*kind;
	const char	*paths[PATHS];	/* JSON Pointers; the first with an id counts */
} rows[] = {
	{ "billing_portal.configuration.", "portal_configuration", { "/data/object" } },
	{ "charge.dispute.", "dispute", { "/data/object" } },
	{ "charge.refund.", "charge", { "/data/object/charge" } },
	{ "charge.", "charge", { "/data/object" } },
	{ "checkout.session.", "checkout", { "/data/object" } },
	{ "customer.created", "customer", { "/data/object" } },
	{ "customer.updated", "customer", { "/data/object" } },
	{ "customer.deleted", "customer", { "/data/object" } },
	{ "customer.discount.", "customer", { "/data/object/customer" } },
	{ "customer.subscription.", "subscription", { "/data/object" } },
	/* An upcoming invoice has no id. Any other invoice marks its subscription when it is stored. */
	{ "invoice.upcoming", "subscription", { "/data/object/subscription",
	    "/data/object/parent/subscription_details/subscription", "/data/object/lines/data/0/subscription",
	    "/data/object/lines/data/0/parent/subscription_item_details/subscription" } },
	{ "invoice.", "invoice", { "/data/object" } },
	{ "invoiceitem.", "customer", { "/data/object/customer" } },	/* on the customer's next invoice, of whatever */
	{ "payment_intent.processing", "payment_intent", { "/data/object" } },		/* told of what takes days only */
	{ "price.", "price", { "/data/object" } },
	{ "product.", "product", { "/data/object" } },
	{ "refund.", "charge", { "/data/object/charge" } },
	{ "subscription_schedule.", "subscription", { "/data/object/subscription", "/data/object/released_subscription" } },
	/* Of these two the event is the object: what it tells is got by its id. */
	{ "v1.billing.meter.error_report_triggered", "meter_report", { "/id" } },
	{ "v1.billing.meter.no_meter_found", "meter_report", { "/id" } },
};

const char *const inbox_asked[] = {
	"checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
	"checkout.session.expired",
	"customer.created", "customer.updated", "customer.deleted",
	"customer.discount.created", "customer.discount.updated", "customer.discount.deleted",
	"customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
	"customer.subscription.paused", "customer.subscription.resumed", "customer.subscription.trial_will_end",
	"customer.subscription.pending_update_applied", "customer.subscription.pending_update_expired",
	"invoice.created", "invoice.deleted", "invoice.finalized", "invoice.finalization_failed",
	"invoice.marked_uncollectible", "invoice.overdue", "invoice.paid", "invoice.payment_action_required",
	"invoice.payment_failed", "invoice.sent", "invoice.upcoming", "invoice.updated", "invoice.voided",
	"invoiceitem.created", "invoiceitem.deleted",
	"subscription_schedule.aborted", "subscription_schedule.canceled", "subscription_schedule.completed",
	"subscription_schedule.created", "subscription_schedule.released", "subscription_schedule.updated",
	"charge.refunded", "charge.refund.updated", "charge.dispute.created", "charge.dispute.updated",
	"charge.dispute.closed", "charge.dispute.funds_reinstated", "charge.dispute.funds_withdrawn",
	"refund.created", "refund.updated", "refund.failed",
	"payment_intent.processing",
	"price.created", "price.updated", "price.deleted", "product.created", "product.updated", "product.deleted",
	"billing_portal.configuration.created", "billing_portal.configuration.updated",
	NULL
};

static const struct row *
row_find(const char *type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t	n = strlen(rows[i].type);

		if (strncmp(rows[i].type, type, n) == 0 && (rows[i].type[n - 1] == '.' || type[n] == '\0'))
			return &rows[i];
	}
	return NULL;
}

bool
inbox_asks(const char *type)
{
	for (const char *const *asked = inbox_asked; *asked != NULL; asked++) {
		if (strcmp(*asked, type) == 0)
			return true;
	}
	return false;
}

/* Stripe's ids are letters, digits and _. Anything else must not get into a path of the API. */
static bool
is_id(const char *s)
{
	size_t	n = s == NULL ? 0 : strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && n <= INBOX_MAX_ID && s[n] == '\0';
}

static const char *
object_find(struct json_object *doc, const struct row *row)
{
	for (size_t i = 0; i < PATHS && row->paths[i] != NULL; i++) {
		const char	*id = json_id(doc, row->paths[i]);

		if (is_id(id))
			return id;
	}
	return NULL;
}

/*
 * Whether one of the event's own members is given twice. The parser keeps the last, but these members identify the
 * event. Colons are counted instead of comparing names, because escapes can write one name in several ways.
 */
static bool
is_named_twice(const char *s, struct json_object *doc)
{
	int	depth = 0, names = 0;

	for (bool quoted = false; *s != '\0'; s++) {
		if (quoted && *s == '\\')
			s++;
		else if (*s == '"')
			quoted = !quoted;
		else if (!quoted) {
			depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
			names += depth == 1 && *s == ':';
		}
	}
	return names != json_object_object_length(doc);
}

/*
 * Parses JSON with broken UTF-8 or unpaired surrogates, by putting other characters in their place. The result is only
 * good for the id of an event that is stored but ignored.
 */
static enum err
parse_broken(mem_ctx *mem, const char *body, size_t n, struct json_object **out)
{
	char	*copy = text_ascii(mem, body, n);

	for (char *s = copy; (s = strchr(s, '\\')) != NULL && s[1] != '\0'; s += 2) {
		if (s[1] == 'u' && (s[2] == 'd' || s[2] == 'D'))
			s[2] = '1';
	}
	return json_parse(mem, copy, n, out);
}

/* Unix seconds, from a number or from a thin event's "2026-07-29T10:00:00.000Z"; 0 when neither. */
static int64_t
created_read(struct json_object *doc)
{
	const char	*text = json_text(doc, "/created");
	struct tm	t = { 0 };

	if (text == NULL)
		return json_int(doc, "/created", 0);
	return strptime(text, "%Y-%m-%dT%H:%M:%S", &t) != NULL ? timegm(&t) : 0;
}

/* Whether the event has the form of its type. Those that begin with an API version are thin: without their object. */
static bool
is_formed(struct json_object *doc, const char *type)
{
	return json_is(doc, "/object", strncmp(type, "v1.", strlen("v1.")) == 0 ? "v2.core.event" : "event");
}

enum err
inbox_read(mem_ctx *mem, const char *body, size_t n, struct inbox_event *e)
{
	struct json_object	*doc;
	const struct row	*row;
	bool			broken = json_parse(mem, body, n, &doc) != OK;

	if (broken)
		TRY(parse_broken(mem, body, n, &doc));
	*e = (struct inbox_event){
		.id = json_whole_text(doc, "/id"), .type = json_whole_text(doc, "/type"),
		.api_version = json_whole_text(doc, "/api_version"), .created = created_read(doc),
		.livemode = json_true(doc, "/livemode"), .thin = json_is(doc, "/object", "v2.core.event"),
		.account = json_whole_text(doc, "/account"),
	};
	if (!is_id(e->id))
		return ERR_BAD_REQUEST;
	if (e->type == NULL || strlen(e->type) > INBOX_MAX_ID)
		e->type = "";
	row = row_find(e->type);
	if (row == NULL || broken || !is_formed(doc, row->type) || is_named_twice(body, doc))
		return OK;
	e->object = object_find(doc, row);
	e->kind = e->object != NULL ? row->kind : NULL;
	return OK;
}
