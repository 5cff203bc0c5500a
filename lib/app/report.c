#include "report.h"

#include <pthread.h>
#include <string.h>

#include "form.h"
#include "json.h"

enum { CALMS = 32, CALM_NAME = 64 };

/*
 * The kinds of call that have no open alert, as far as this process knows: the database is asked after the first call
 * of a kind, and after each one while its alert is open. An alert that another process raises is ended by that process.
 */
struct report {
	struct db	*db;
	pthread_mutex_t	lock;
	char		calm[CALMS][CALM_NAME];		/* "": free */
};

/* Refusals that the caller answers itself: they are no fault of the operator's. NULL: any. */
static const struct expected {
	const char	*end;		/* of the path */
	const char	*code, *param;
} expected[] = {
	{ "/expire", NULL, NULL },					/* it was paid, or has expired meanwhile */
	{ "/v1/checkout/sessions", "resource_missing", "customer" },	/* deleted at Stripe: another is made */
	{ "/v1/checkout/sessions", "email_invalid", NULL },		/* the visitor's own fault */
	{ "/v1/customers", "email_invalid", NULL },
	{ "/v1/billing/meter_events", "duplicate_meter_event", NULL },	/* Stripe has the event from an earlier call */
};

static bool
ends_with(const char *s, const char *end)
{
	size_t	n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_same(const char *wanted, const char *given)
{
	return wanted == NULL || (given != NULL && strcmp(wanted, given) == 0);
}

static bool
is_expected(const struct stripe_refused *r)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (ends_with(r->path, expected[i].end) && is_same(expected[i].code, r->code) &&
		    is_same(expected[i].param, r->param))
			return true;
	}
	return false;
}

/* The place of this kind of call, or of another name in its stead; NULL: there is none. */
static char *
calm_find(struct report *p, const char *name)
{
	for (size_t i = 0; i < CALMS; i++) {
		if (strcmp(p->calm[i], name) == 0)
			return p->calm[i];
	}
	return NULL;
}

static bool
calm_has(struct report *p, const char *call)
{
	bool	has;

	pthread_mutex_lock(&p->lock);
	has = calm_find(p, call) != NULL;
	pthread_mutex_unlock(&p->lock);
	return has;
}

static void
calm_set(struct report *p, const char *call, bool calm)
{
	char	*place;

	pthread_mutex_lock(&p->lock);
	place = calm_find(p, call);
	if (!calm && place != NULL)
		place[0] = '\0';
	else if (calm && place == NULL && strlen(call) < CALM_NAME && (place = calm_find(p, "")) != NULL)
		strcpy(place, call);
	pthread_mutex_unlock(&p->lock);
}

/* As the ids of Stripe's objects, which say which of several causes is mended: "price_1". */
static bool
is_id(const char *value)
{
	static const char	word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return strchr(value, '_') != NULL && strlen(value) < 256 && strspn(value, word) == strlen(value);
}

/* The id that the parameter has which Stripe refused, or NULL. */
static const char *
refused_id(mem_ctx *mem, const struct stripe_refused *r)
{
	struct form	form = { 0 };
	const char	*value = NULL;

	if (r->form != NULL && r->param != NULL && form_parse(mem, r->form, strlen(r->form), &form) == OK)
		value = form_get(&form, r->param);
	return value != NULL && is_id(value) ? value : NULL;
}

/* The ids among the parameters, as PostgreSQL reads a list. */
static const char *
ids_of(mem_ctx *mem, const char *encoded)
{
	struct buf	ids = { .ctx = mem };
	struct form	form = { 0 };

	buf_printf(&ids, "{");
	if (encoded != NULL && form_parse(mem, encoded, strlen(encoded), &form) != OK)
		form.n = 0;
	for (size_t i = 0; i < form.n; i++) {
		if (is_id(form.fields[i].value))
			buf_printf(&ids, "%s%s", ids.len > 1 ? "," : "", form.fields[i].value);
	}
	buf_printf(&ids, "}");
	return ids.data;
}

/* An alert that cannot be raised is raised by the next refusal; the log has this one. */
static void
report_refused(void *arg, mem_ctx *mem, const struct stripe_refused *r)
{
	struct report		*p = arg;
	struct json_object	*doc = json_new(mem);

	if (is_expected(r))
		return;
	calm_set(p, r->call, false);
	json_put(doc, "code", r->code);
	json_put(doc, "param", r->param);
	json_put(doc, "value", refused_id(mem, r));
	json_put(doc, "message", r->sentence);
	json_put(doc, "request", r->request);
	json_put(doc, "request_log_url", r->page);
	(void)!db_visitor(db_as_visitor(mem, p->db), NULL, "api.report_refusal($1, $2::jsonb)",
	    ARGS(TEXT(r->call), TEXT(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN))));
}

static void
report_accepted(void *arg, mem_ctx *mem, const char *call, const char *form)
{
	struct report		*p = arg;
	struct json_object	*doc = NULL;

	if (calm_has(p, call))
		return;
	if (db_visitor(db_as_visitor(mem, p->db), &doc, "api.end_refusal($1, $2::text[])",
	    ARGS(TEXT(call), TEXT(ids_of(mem, form)))) == OK && !json_true(doc, "/open"))
		calm_set(p, call, true);
}

struct stripe_report
report_of(mem_ctx *ctx, struct db *db)
{
	struct report	*p;

	if (db == NULL)
		return (struct stripe_report){ 0 };
	p = talloc_zero(ctx, struct report);
	p->db = db;
	pthread_mutex_init(&p->lock, NULL);
	return (struct stripe_report){ report_refused, report_accepted, p };
}
