/* summary: what Stripe's meters have counted, and whether that is what they were told. */
#include <string.h>

#include "form.h"
#include "jobs.h"
#include "json.h"
#include "log.h"

/* The id of the active meter of this name, else of one that was; NULL without one. */
static enum err
meter_find(struct jobs *j, mem_ctx *mem, const char *name, const char **id)
{
	struct json_object	*all = json_hang(mem, json_object_new_array());

	*id = NULL;
	TRY(stripe_list_all(j->stripe, mem, "/v1/billing/meters", NULL, INT64_MAX, all));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*meter = json_object_array_get_idx(all, i);

		if (json_is(meter, "/event_name", name) && (*id == NULL || json_is(meter, "/status", "active")))
			*id = json_text(meter, "/id");
	}
	return OK;
}

/* A sum is a whole number, as what it sums up is. Without events there is none, or one of 0. */
static enum err
sum_read(struct json_object *answer, int64_t *units)
{
	struct json_object	*data = json_at(answer, "/data"), *value;

	if (!json_object_is_type(data, json_type_array))
		return ERR_UPSTREAM;
	*units = 0;
	if (json_object_array_length(data) == 0)
		return OK;
	value = json_at(json_object_array_get_idx(data, 0), "/aggregated_value");
	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return ERR_UPSTREAM;
	*units = json_object_get_int64(value);
	return OK;
}

enum err
summary_get(struct jobs *j, mem_ctx *mem, const char *meter, const char *customer, int64_t from, int64_t end,
    int64_t *units)
{
	struct buf		path = { .ctx = mem }, form = { .ctx = mem };
	struct json_object	*answer;
	const char		*id;

	*units = 0;
	TRY(meter_find(j, mem, meter, &id));
	if (id == NULL)
		return OK;
	buf_puts(&path, "/v1/billing/meters/");
	form_escape(&path, id);
	buf_puts(&path, "/event_summaries");
	form_put(&form, "customer", customer);
	form_put(&form, "start_time", mem_printf(mem, "%lld", (long long)from));
	form_put(&form, "end_time", mem_printf(mem, "%lld", (long long)end));
	TRY(stripe_call(j->stripe, mem, "GET", path.data, form.data, NULL, &answer));
	return sum_read(answer, units);
}

/* One day of one tenant and meter. A call that fails is made again when the day is due again. */
enum err
compare_task(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct db_service	*db = db_as_service(mem, j->db);
	struct json_object	*day, *sums;
	int64_t			theirs;

	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	TRY(db_service(db, &day, "service.claim_comparison()", NO_ARGS));
	*found = day != NULL;
	if (day == NULL || json_true(day, "/skipped"))
		return OK;
	if (summary_get(j, mem, json_text(day, "/meter"), json_text(day, "/customer"), json_int(day, "/from", 0),
	    json_int(day, "/until", 0), &theirs) != OK)
		return OK;
	TRY(db_service(db, &sums, "service.compare_usage($1::uuid, $2, $3::date, $4::bigint)", ARGS(
	    TEXT(json_text(day, "/tenant")), TEXT(json_text(day, "/meter")), TEXT(json_text(day, "/day")), INT(theirs))));
	log_line(LOG_INFO, "usage_compared", LOG_TEXT("tenant", json_text(day, "/tenant")),
	    LOG_TEXT("meter", json_text(day, "/meter")), LOG_TEXT("day", json_text(day, "/day")),
	    LOG_INT("ours", json_int(sums, "/ours", 0)), LOG_INT("theirs", theirs));
	return OK;
}
