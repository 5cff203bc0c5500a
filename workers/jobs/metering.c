/* metering: tells Stripe's meters what was used, one record at a time for each customer and meter. */
#include <string.h>

#include "form.h"
#include "jobs.h"
#include "json.h"
#include "log.h"

/* The names in an event's payload. For a meter that is no longer configured they are Stripe's defaults. */
static struct config_meter
meter_of(const struct config *c, const char *name)
{
	const struct config_meter	*m = config_meter(c, name);

	return m != NULL ? *m :
	    (struct config_meter){ .event_name = name, .customer_key = "stripe_customer_id", .value_key = "value" };
}

static const char *
number(mem_ctx *mem, struct json_object *row, const char *member)
{
	return mem_printf(mem, "%lld", (long long)json_int(row, member, 0));
}

/* Its identifier keeps an event from being counted twice, so another key for each try does no harm. */
static enum err
event_post(struct jobs *j, mem_ctx *mem, struct json_object *row, struct json_object **answer)
{
	struct config_meter	m = meter_of(j->config, json_text(row, "/meter"));
	const char		*id = json_text(row, "/identifier");
	struct buf		form = { .ctx = mem };

	form_put(&form, "event_name", m.event_name);
	form_put(&form, "identifier", id);
	form_put(&form, "timestamp", number(mem, row, "/at"));
	form_put(&form, mem_printf(mem, "payload[%s]", m.customer_key), json_text(row, "/customer"));
	form_put(&form, mem_printf(mem, "payload[%s]", m.value_key), number(mem, row, "/units"));
	return stripe_call(j->stripe, mem, "POST", "/v1/billing/meter_events", form.data,
	    mem_printf(mem, "meter:%s:%s", id, number(mem, row, "/attempts")), answer);
}

/* Takes an event back. An answer that was lost is had again by the same key. */
static enum err
event_cancel(struct jobs *j, mem_ctx *mem, struct json_object *row, struct json_object **answer)
{
	struct buf	form = { .ctx = mem };

	form_put(&form, "event_name", json_text(row, "/meter"));
	form_put(&form, "type", "cancel");
	form_put(&form, "cancel[identifier]", json_text(row, "/cancel"));
	return stripe_call(j->stripe, mem, "POST", "/v1/billing/meter_event_adjustments", form.data,
	    mem_printf(mem, "meter:%s", json_text(row, "/id")), answer);
}

/*
 * Looks up what Stripe has of the minute of an event that may have come so long ago that its identifier is forgotten.
 * *send: it has not come.
 */
static enum err
event_verify(struct jobs *j, mem_ctx *mem, struct json_object *row, bool *send)
{
	struct json_object	*verdict;
	int64_t			theirs;

	TRY(summary_get(j, mem, json_text(row, "/meter"), json_text(row, "/customer"),
	    json_int(row, "/uncertain/from", 0), json_int(row, "/uncertain/until", 0), &theirs));
	TRY(db_service(db_as_service(mem, j->db), &verdict, "service.usage_verified($1::uuid, $2::uuid, $3::bigint)",
	    ARGS(TEXT(json_text(row, "/claim")), TEXT(json_text(row, "/id")), INT(theirs))));
	*send = strcmp(json_object_get_string(verdict), "send") == 0;
	return OK;
}

/* Stripe has it from an earlier call, whose answer was lost. */
static bool
is_known(struct json_object *answer)
{
	const char	*said = json_text(answer, "/error/message"), known[] = "An event already exists with identifier";

	return json_is(answer, "/error/code", "duplicate_meter_event") ||
	    (said != NULL && strncmp(said, known, strlen(known)) == 0);
}

/* Whether Stripe would refuse it again. After a conflict it is not known whether an event was taken back. */
static bool
is_final(struct json_object *row, enum err e)
{
	return e == ERR_INTERNAL || e == ERR_NOT_FOUND || (e == ERR_CONFLICT && json_text(row, "/cancel") != NULL);
}

static enum err
event_done(struct jobs *j, mem_ctx *mem, struct json_object *row, enum err e, struct json_object *answer)
{
	struct db_service	*db = db_as_service(mem, j->db);
	const char		*claim = json_text(row, "/claim"), *id = json_text(row, "/id");
	const char		*said = json_text(answer, "/error/message");

	if (e == OK || is_known(answer))
		return db_service(db, NULL, "service.usage_told($1::uuid, $2::uuid)", ARGS(TEXT(claim), TEXT(id)));
	log_line(LOG_WARN, "meter_event", LOG_TEXT("record", id), LOG_TEXT("reason", err_info(e)->name));
	return db_service(db, NULL, "service.usage_failed($1::uuid, $2::uuid, $3, $4)", ARGS(TEXT(claim), TEXT(id),
	    TEXT(said == NULL ? err_info(e)->sentence : said), BOOL(is_final(row, e))));
}

/* Another's claim by now (ERR_CONFLICT): the call took longer than its lease, and the other tells it again. */
enum err
metering_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct json_object	*row, *answer = NULL;
	int			lease = (2 * j->config->stripe.timeout_ms + STRIPE_SLACK_MS) / 1000 + LEASE_SLACK;
	bool			send = true;
	enum err		e = OK;

	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), &row, "service.claim_usage($1::int)", ARGS(INT(lease))));
	*found = row != NULL;
	if (row == NULL || json_true(row, "/parked"))
		return OK;
	if (json_at(row, "/uncertain") != NULL)
		e = event_verify(j, mem, row, &send);
	if (!send)
		return OK;
	if (e == OK)
		e = json_text(row, "/cancel") != NULL ? event_cancel(j, mem, row, &answer) : event_post(j, mem, row, &answer);
	e = event_done(j, mem, row, e, answer);
	return e == ERR_CONFLICT ? OK : e;
}
