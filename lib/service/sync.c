#include "sync.h"

#include <poll.h>
#include <string.h>

#include "deadline.h"
#include "form.h"
#include "json.h"
#include "log.h"

enum { TRIES = 16, WAIT_MS = 500 };	/* to store a fetched object, in all less than the lease */

#define WRITE(kind) "select service.write_" kind "($1::uuid, $2, $3, $4::bigint, $5::jsonb)"

/* A list inside a document, of which Stripe includes the first ten items, and the path of the whole list. */
struct list {
	const char	*pointer;
	const char	*path;
	const char	*of;		/* the query parameter for the document's id */
};

static const struct list items = { "/items", "/v1/subscription_items", "subscription" };

static const struct kind {
	const char		*name;
	const char		*path;
	const char		*write;
	const char		*form;	/* query parameters, or NULL */
	const struct list	*list;	/* to be completed; of other lists only the first item is read */
	const char		*of;	/* POST to path with the id as this parameter; NULL: GET, with the id at path's end */
	const char		*method;	/* POST or DELETE, which then ends or changes the object; NULL: none */
	const char		*end;		/* of the path for it, after the id; or NULL */
	const char		*body;		/* its form, or NULL */
	const char		*metered;	/* its form for what has a metered price, or NULL */
	const char		*open;		/* the statuses in which it is called, a space after each; NULL: always */
} kinds[] = {
	{ "cancellation", "/v1/subscriptions/", .write = WRITE("cancellation"), .method = "DELETE",
	    .metered = "invoice_now=true",	/* else what was used since the last invoice is never billed */
	    .open = "active trialing past_due unpaid incomplete paused " },
	{ "charge", "/v1/charges/", .write = WRITE("charge") },
	{ "checkout", "/v1/checkout/sessions/", .write = WRITE("checkout") },
	{ "customer", "/v1/customers/", .write = WRITE("customer") },
	{ "dispute", "/v1/disputes/", .write = WRITE("dispute"), .form = "expand[0]=charge" },	/* it names the customer */
	{ "erasure", "/v1/customers/", .write = WRITE("erasure"), .method = "POST",
	    .body = "email=&name=&phone=&description=&address[line1]=&address[line2]=&address[city]=&address[state]="
	    "&address[postal_code]=&address[country]=" },
	{ "expiry", "/v1/checkout/sessions/", .write = WRITE("expiry"), .method = "POST", .end = "/expire",
	    .open = "open " },
	{ "invoice", "/v1/invoices/", .write = WRITE("invoice"), .form = "expand[0]=payments" },	/* else left out */
	{ "meter_report", "/v2/core/events/", .write = WRITE("meter_report") },
	{ "payment_intent", "/v1/payment_intents/", .write = WRITE("payment_intent") },
	{ "portal_configuration", "/v1/billing_portal/configurations/", .write = WRITE("portal_configuration"),
	    .form = "expand[0]=features.subscription_update.products" },		/* else left out */
	{ "preview", "/v1/invoices/create_preview", .write = WRITE("preview"), .of = "subscription" },
	{ "price", "/v1/prices/", .write = WRITE("price"), .form = "expand[0]=tiers" },	/* else left out */
	{ "product", "/v1/products/", .write = WRITE("product") },
	{ "subscription", "/v1/subscriptions/", .write = WRITE("subscription"), .form = "expand[0]=schedule",
	    .list = &items },
};

struct task {
	const char	*claim;
	const char	*kind;
	const char	*id;
	int64_t		version;
	const char	*newest;	/* newest event that waits for it, or NULL */
	int64_t		attempt;	/* 1: no try failed since it was last stored */
	int64_t		until;		/* when the last call to Stripe must begin, in clock_ms()'s milliseconds */
};

static const struct kind *
kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* *found false: nothing is due. */
static enum err
task_claim(struct db_service *me, struct sync_terms terms, struct task *p, bool *found)
{
	struct json_object	*doc;

	TRY(db_service(me, &doc, "service.claim_object($1::int, $2::int)",
	    ARGS(INT(terms.lease_seconds), INT(terms.settle_ms))));
	*found = doc != NULL;
	if (doc == NULL)
		return OK;
	*p = (struct task){ json_text(doc, "/claim"), json_text(doc, "/kind"), json_text(doc, "/id"),
	    json_int(doc, "/version", 0), json_text(doc, "/newest_event"),
	    json_int(doc, "/attempts", 0) + 1, deadline_after(terms.lease_seconds * 1000 / SYNC_CALLS) };
	return p->claim != NULL && p->kind != NULL && p->id != NULL ? OK : ERR_INTERNAL;
}

/*
 * A write is idempotent, so it is repeated after a lost reply. While the database is away this waits too: otherwise the
 * object would stay claimed until its lease ends, which counts as a try.
 */
static enum err
write_repeat(struct db_service *me, struct json_object **done, const char *sql, struct db_args args)
{
	enum err	e = ERR_UNCERTAIN;

	for (int i = 0; i < TRIES && (e == ERR_UNCERTAIN || e == ERR_UNAVAILABLE); i++) {
		if (i > 0)
			poll(NULL, 0, WAIT_MS);
		e = db_service_call(me, done, sql, args);
	}
	return e;
}

static enum err
task_fail(struct db_service *me, const struct task *p, enum err why)
{
	log_line(LOG_WARN, "sync_failed", LOG_TEXT("kind", p->kind), LOG_TEXT("id", p->id),
	    LOG_TEXT("newest_event", p->newest), LOG_TEXT("reason", err_info(why)->name), LOG_INT("attempt", p->attempt));
	return write_repeat(me, NULL, "select service.fail_object($1::uuid, $2, $3, $4)",
	    ARGS(TEXT(p->claim), TEXT(p->kind), TEXT(p->id), TEXT(err_info(why)->name)));
}

static void
task_log(const struct task *p, struct json_object *done)
{
	bool	dead = json_true(done, "/dead");

	log_line(dead ? LOG_ERROR : LOG_INFO, dead ? "sync_dead" : "sync", LOG_TEXT("kind", p->kind), LOG_TEXT("id", p->id),
	    LOG_TEXT("newest_event", p->newest), LOG_INT("version", p->version), LOG_INT("attempt", p->attempt),
	    LOG_TEXT("warning", json_text(done, "/warning")));
}

static enum err
task_write(struct db_service *me, const struct task *p, const char *sql, const char *doc)
{
	const struct db_arg	args[] = { TEXT(p->claim), TEXT(p->kind), TEXT(p->id), INT(p->version), TEXT(doc) };
	struct json_object	*done;

	TRY(write_repeat(me, &done, sql, (struct db_args){ args, doc != NULL ? 5 : 4 }));
	task_log(p, done);
	return OK;
}

/*
 * Reads a truncated list again from its beginning: there its order may differ, and it may have changed since. A list of
 * more pages than the lease has time for is ERR_UNAVAILABLE, so that no other process fetches the object meanwhile.
 */
static enum err
list_complete(struct stripe *s, mem_ctx *mem, const struct list *list, const struct task *p, struct json_object *doc)
{
	struct json_object	*part = json_at(doc, list->pointer), *whole;
	struct buf		form = { .ctx = mem };

	if (part == NULL || !json_true(part, "/has_more"))
		return OK;
	form_put(&form, list->of, p->id);
	whole = json_object_new_array();
	json_object_object_add(part, "data", whole);
	TRY(stripe_list_all(s, mem, list->path, form.data, p->until, whole));
	json_object_object_add(part, "has_more", json_object_new_boolean(false));
	return OK;
}

/* Whether there is nothing to end or to change. */
static bool
is_over(const struct kind *k, struct json_object *doc)
{
	const char	*status = json_text(doc, "/status"), *at;

	if (json_true(doc, "/deleted"))
		return true;
	if (k->open == NULL)
		return false;
	at = status == NULL ? NULL : strstr(k->open, status);
	return at == NULL || at[strlen(status)] != ' ' || (at != k->open && at[-1] != ' ');
}

/* A list that goes on may have one further on. */
static bool
is_metered(struct json_object *doc)
{
	struct json_object	*data = json_at(doc, "/items/data");

	for (size_t i = 0; data != NULL && i < json_object_array_length(data); i++) {
		if (json_is(json_object_array_get_idx(data, i), "/price/recurring/usage_type", "metered"))
			return true;
	}
	return json_true(doc, "/items/has_more");
}

/* A claim asks once for something that is made anew at each request, so the claim is its Idempotency-Key. */
static enum err
object_get(mem_ctx *mem, struct stripe *s, const struct kind *k, const struct task *p, struct json_object **doc)
{
	struct buf	path = { .ctx = mem }, form = { .ctx = mem };

	if (k->of != NULL) {
		form_put(&form, k->of, p->id);
		return stripe_call(s, mem, "POST", k->path, form.data, mem_printf(mem, "%s-%s", k->name, p->claim), doc);
	}
	buf_puts(&path, k->path);
	form_escape(&path, p->id);
	TRY(stripe_call(s, mem, "GET", path.data, k->form, NULL, doc));
	if (k->method == NULL || is_over(k, *doc))
		return OK;
	buf_puts(&path, k->end == NULL ? "" : k->end);
	return stripe_call(s, mem, k->method, path.data, k->metered && is_metered(*doc) ? k->metered : k->body,
	    strcmp(k->method, "POST") == 0 ? mem_printf(mem, "%s-%s", k->name, p->claim) : NULL, doc);
}

static enum err
task_do(struct db_service *me, mem_ctx *mem, struct stripe *s, const struct task *p)
{
	const struct kind	*k = kind_find(p->kind);
	struct json_object	*doc;
	enum err		e;

	if (k == NULL)
		return ERR_INTERNAL;
	e = object_get(mem, s, k, p, &doc);
	if (e == ERR_NOT_FOUND)
		return task_write(me, p, "select service.object_gone($1::uuid, $2, $3, $4::bigint)", NULL);
	TRY(e);
	if (k->list != NULL)
		TRY(list_complete(s, mem, k->list, p, doc));
	return task_write(me, p, k->write, service_jsonb(doc));
}

/* A write is ERR_CONFLICT when the object was claimed anew, after the lease ran out or after a lost reply. */
enum err
sync_one(struct db_service *me, mem_ctx *mem, struct stripe *s, struct sync_terms terms, bool *found)
{
	struct task	p;
	enum err	e;

	TRY(task_claim(me, terms, &p, found));
	if (!*found)
		return OK;
	e = task_do(me, mem, s, &p);
	if (e != OK && e != ERR_CONFLICT)
		e = task_fail(me, &p, e);
	return e == ERR_CONFLICT ? OK : e;
}
