#include "reconcile.h"

#include <string.h>

#include "form.h"
#include "inbox.h"
#include "json.h"
#include "log.h"

enum {
	LEASE_SECONDS	= 60,		/* renewed with each page */
	RETRY_SECONDS	= 30,		/* after a failure */
	HOUR		= 3600,
	DAY		= 24 * HOUR,
	WRITES		= 3		/* of a page at most, while replies are lost */
};

#define STEP(f) "select service." f "($1, $2::uuid, $3::jsonb, $4::timestamptz, $5, $6, $7::boolean, $8::int)"

struct pass {
	const char	*name;		/* of its cursor */
	const char	*path;
	const char	*form;		/* parameters besides created[gte] */
	bool		since;		/* lists only objects created since the cursor's time */
	const char	*step;		/* SQL that processes a page */
	const char	*kind;		/* of objects that are only marked dirty; else NULL */
	const char	*id;		/* JSON Pointer to the id to mark */
};

static const struct pass passes[] = {
	{ "events", "/v1/events", NULL, true, STEP("adopt_events"), NULL, NULL },
	{ "undelivered", "/v1/events", "delivery_success=false", true, STEP("adopt_events"), NULL, NULL },
	{ "subscriptions", "/v1/subscriptions", "status=all&expand[0]=data.schedule", false,
	    STEP("compare_subscriptions"), NULL, NULL },
	{ "checkouts", "/v1/checkout/sessions", NULL, true, STEP("mark_objects"), "checkout", "/id" },
	{ "invoices", "/v1/invoices", NULL, true, STEP("mark_objects"), "invoice", "/id" },
	{ "disputes", "/v1/disputes", NULL, true, STEP("mark_objects"), "dispute", "/id" },
	{ "refunds", "/v1/refunds", NULL, true, STEP("mark_objects"), "charge", "/charge" },
};

enum { EVENTS, UNDELIVERED, SUBSCRIPTIONS, LISTS, N_PASSES = sizeof(passes) / sizeof(*passes) };

/* A pass in progress. */
struct run {
	const struct reconcile	*r;
	const struct pass	*p;
	mem_ctx			*mem;
	struct reconcile_result	*out;
	const char		*claim;		/* NULL: a dry run, which writes nothing */
	const char		*listed;	/* the database's time before the page was requested */
	struct stripe_list	list;
	long			done;
};

/* An event as service.adopt_events takes it. NULL: it would be ignored, or our endpoint does not subscribe to it. */
static struct json_object *
event_entry(mem_ctx *mem, struct json_object *event)
{
	const char		*raw = service_jsonb(event);
	struct json_object	*entry = json_new(mem);
	struct inbox_event	e;

	if (inbox_read(mem, raw, strlen(raw), &e) != OK || e.kind == NULL || !inbox_asks(e.type))
		return NULL;
	json_put(entry, "id", e.id);
	json_put(entry, "type", e.type);
	json_put(entry, "api_version", e.api_version);
	json_put(entry, "created", mem_printf(mem, "%lld", (long long)e.created));
	json_put(entry, "livemode", e.livemode ? "true" : "false");
	json_put(entry, "kind", e.kind);
	json_put(entry, "object", e.object);
	json_put(entry, "raw", raw);
	return entry;
}

static struct json_object *
mark_entry(mem_ctx *mem, const struct pass *p, struct json_object *object)
{
	const char		*id = json_id(object, p->id);
	struct json_object	*entry = json_new(mem);

	json_put(entry, "kind", p->kind);
	json_put(entry, "id", id);
	return id != NULL ? entry : NULL;
}

/* The page as the step takes it. */
static struct json_object *
page_entries(struct run *run, mem_ctx *mem, struct json_object *data)
{
	struct json_object	*entries;

	if (run->p == &passes[SUBSCRIPTIONS])
		return data;
	entries = json_hang(mem, json_object_new_array());
	for (size_t i = 0; i < json_object_array_length(data); i++) {
		struct json_object	*object = json_object_array_get_idx(data, i), *entry;

		entry = run->p->kind != NULL ? mark_entry(mem, run->p, object) : event_entry(mem, object);
		if (entry != NULL)
			json_object_array_add(entries, json_object_get(entry));
	}
	return entries;
}

/*
 * A pass that look_at_all asked for deletes its cursor with its last page. The repeat of such a write finds no claim
 * any more, and the pass is over. A repeat does not find what the lost write has adopted, so the result counts too few.
 */
static enum err
page_write(struct run *run, mem_ctx *mem, const struct stripe_list *l, struct json_object **answer)
{
	struct db_service	*me = db_as_service(mem, run->r->db);
	enum err		e = ERR_UNCERTAIN;
	int			calls;

	*answer = NULL;
	for (calls = 0; calls < WRITES && e == ERR_UNCERTAIN; calls++)
		e = db_service_call(me, answer, run->p->step, ARGS(TEXT(run->p->name), TEXT(run->claim),
		    TEXT(service_jsonb(page_entries(run, mem, l->data))), TEXT(run->listed), TEXT(run->list.after),
		    TEXT(l->after), BOOL(l->more), INT(LEASE_SECONDS)));
	return e == ERR_CONFLICT && calls > 1 && !l->more ? OK : e;
}

static void
page_tell(struct run *run, const struct stripe_list *l, struct json_object *found)
{
	long	n = (long)json_object_array_length(l->data);
	long	faults = json_object_is_type(found, json_type_array) ? (long)json_object_array_length(found) : 0;

	run->done += n;
	if (run->p == &passes[SUBSCRIPTIONS])
		run->out->compared += n, run->out->drifted += faults;
	else if (run->p->kind == NULL)
		run->out->events += n, run->out->missed += faults;
	else
		run->out->listed += n;
	for (long i = 0; i < faults && run->r->found != NULL; i++)
		run->r->found(run->r->arg, json_object_array_get_idx(found, (size_t)i));
	if (run->r->progress != NULL)
		run->r->progress(run->r->arg, run->p->name, run->done, l->after);
}

static enum err
page_do(struct run *run, mem_ctx *mem)
{
	struct stripe_list	l = run->list;
	struct json_object	*answer;

	TRY(stripe_list(run->r->stripe, mem, &l));
	TRY(page_write(run, mem, &l, &answer));
	page_tell(run, &l, json_at(answer, "/found"));
	run->list.more = l.more;
	if (l.after != NULL)
		run->list.after = mem_printf(run->mem, "%s", l.after);
	if (l.more)
		run->listed = mem_printf(run->mem, "%s", json_text(answer, "/now"));
	return OK;
}

/* After an error. When Stripe no longer knows the object to continue after, it refuses: then the pass begins anew. */
static void
run_leave(struct run *run, enum err why)
{
	bool			anew = run->list.after != NULL && (why == ERR_NOT_FOUND || why == ERR_INTERNAL);
	enum err		e;

	log_line(LOG_WARN, "reconcile_failed", LOG_TEXT("pass", run->p->name), LOG_TEXT("reason", err_info(why)->name));
	if (run->claim == NULL)
		return;
	e = db_service(db_as_service(run->mem, run->r->db), NULL,
	    "service.leave_cursor($1, $2::uuid, $3::int, $4::boolean)",
	    ARGS(TEXT(run->p->name), TEXT(run->claim), INT(RETRY_SECONDS), BOOL(anew)));
	if (e != OK)
		log_line(LOG_WARN, "reconcile_left", LOG_TEXT("pass", run->p->name), LOG_TEXT("reason", err_info(e)->name));
}

/* Processes page by page to the end, each on memory of its own. cursor: from take_cursor or look_cursor. */
static enum err
run_pages(struct run *run, struct json_object *cursor)
{
	struct buf	form = { .ctx = run->mem };
	enum err	e;

	run->claim = json_text(cursor, "/claim");
	run->listed = json_text(cursor, "/now");
	if (run->p->form != NULL)
		buf_puts(&form, run->p->form);
	if (run->p->since)
		form_put(&form, "created[gte]", json_text(cursor, "/from"));
	run->list = (struct stripe_list){ .path = run->p->path, .form = form.data, .after = json_text(cursor, "/after") };
	do {
		mem_ctx	*mem = mem_new();

		e = page_do(run, mem);
		talloc_free(mem);
	} while (e == OK && run->list.more);
	if (e != OK)
		run_leave(run, e);
	return e;
}

/* every, offset: as for service.take_cursor. *found: the pass was due. ERR_CONFLICT: another process runs it. */
static enum err
pass_run(const struct reconcile *r, const struct pass *p, int every, int offset, struct reconcile_result *out,
    bool *found)
{
	mem_ctx			*mem = mem_new();
	struct run		run = { .r = r, .p = p, .mem = mem, .out = out };
	struct db_service	*me = db_as_service(mem, r->db);
	struct json_object	*cursor;
	enum err		e;

	if (r->dry_run)
		e = db_service(me, &cursor, "service.look_cursor($1)", ARGS(TEXT(p->name)));
	else
		e = db_service(me, &cursor, "service.take_cursor($1, $2::int, $3::int, $4::int)", ARGS(TEXT(p->name),
		    INT(every), INT(offset), INT(LEASE_SECONDS)));
	*found = e == OK && cursor != NULL;
	if (*found && json_true(cursor, "/busy"))
		e = ERR_CONFLICT;
	else if (*found)
		e = run_pages(&run, cursor);
	talloc_free(mem);
	return e;
}

enum err
reconcile_now(const struct reconcile *r, struct reconcile_result *out)
{
	bool	found;

	*out = (struct reconcile_result){ 0 };
	for (int i = 0; i < (r->dry_run ? LISTS : N_PASSES); i++)
		TRY(pass_run(r, &passes[i], i < LISTS ? 0 : -1, 0, out, &found));
	return OK;
}

enum err
reconcile_due(const struct reconcile *r, int gap_seconds, int hour, bool *found)
{
	const int	every[N_PASSES] = { gap_seconds, gap_seconds > HOUR ? gap_seconds : HOUR, DAY, -1, -1, -1, -1 };

	for (int i = 0; i < N_PASSES; i++) {
		struct reconcile_result	out = { 0 };
		bool			due;
		enum err		e = pass_run(r, &passes[i], every[i], i == SUBSCRIPTIONS ? hour * HOUR : 0, &out, &due);

		if (!due)
			TRY(e);
		if (!due || e != OK)
			continue;
		*found = true;
		log_line(LOG_INFO, "reconcile", LOG_TEXT("pass", passes[i].name), LOG_INT("missed", out.missed),
		    LOG_INT("drifted", out.drifted), LOG_INT("seen", out.events + out.compared + out.listed));
	}
	return OK;
}
