/* usage: what a tenant has used, as a page with charts that are drawn here, and as a JSON API. */
#include <string.h>

#include "account.h"
#include "answer.h"
#include "json.h"
#include "meters.h"
#include "page.h"
#include "tenant.h"

#define USAGE "/settings/usage"

/* A day in a chart, whose height is 100. */
enum { STEP = 20, BAR = 16, HEIGHT = 100 };

static enum err
usage(struct visit *v, struct db_user *me, struct json_object **doc)
{
	const char	*tenant, *from;

	TRY(visit_tenant(v, &tenant));
	TRY(http_query(v->q, "from", &from));
	TRY(db_user(me, doc, "api.usage_page($1::uuid, $2)", ARGS(TEXT(tenant), TEXT(from))));
	json_put(*doc, "currency", v->app->config->usage.currency);
	return OK;
}

static long long
units_most(struct json_object *days)
{
	long long	most = 0;

	for (size_t i = 0; i < json_object_array_length(days); i++) {
		long long	units = json_int(json_object_array_get_idx(days, i), "/units", 0);

		most = units > most ? units : most;
	}
	return most;
}

/* The rectangle of a day, with numbers as texts: those of the document are figures that a page says. */
static struct json_object *
bar_new(struct visit *v, size_t i, struct json_object *day, long long most)
{
	struct json_object	*bar = json_object_new_object();
	long long		units = json_int(day, "/units", 0), height = units * HEIGHT / most;

	height = height < 1 ? 1 : height;
	json_put(bar, "x", mem_printf(v->q->mem, "%zu", i * STEP + (STEP - BAR) / 2));
	json_put(bar, "y", mem_printf(v->q->mem, "%lld", HEIGHT - height));
	json_put(bar, "height", mem_printf(v->q->mem, "%lld", height));
	json_object_object_add(bar, "at", json_object_get(json_at(day, "/at")));
	json_object_object_add(bar, "units", json_object_new_int64(units));
	return bar;
}

/* Days on which nothing was used have no rectangle, and no row in the table. */
static void
chart_put(struct visit *v, struct json_object *meter)
{
	struct json_object	*days = json_at(meter, "/days"), *bars = json_object_new_array();
	size_t			n = json_object_array_length(days);
	long long		most = units_most(days);

	for (size_t i = 0; i < n; i++) {
		struct json_object	*day = json_object_array_get_idx(days, i);
		bool			used = json_int(day, "/units", 0) > 0;

		if (used)
			json_object_array_add(bars, bar_new(v, i, day, most));
		if (used || json_int(day, "/units", 0) < 0 || json_int(day, "/micros", 0) != 0) {
			json_put_true(day, "shown");
			json_put_true(meter, "any");
		}
	}
	json_object_object_add(meter, "bars", bars);
	json_object_object_add(meter, "top", json_object_new_int64(most));
	json_put(meter, "width", mem_printf(v->q->mem, "%zu", n * STEP));
	json_object_object_add(meter, "first", json_object_get(json_at(json_object_array_get_idx(days, 0), "/at")));
	json_object_object_add(meter, "last", json_object_get(json_at(json_object_array_get_idx(days, n - 1), "/at")));
}

/* Whether there is money to tell of: some was spent, or there is a cap. */
static bool
is_priced(struct json_object *doc)
{
	struct json_object	*kinds = json_at(doc, "/kinds");
	bool			priced = json_object_array_length(json_at(doc, "/money")) > 0;

	for (size_t i = 0; i < json_object_array_length(kinds); i++)
		priced = priced || json_int(json_object_array_get_idx(kinds, i), "/micros", 0) != 0;
	return priced;
}

static void
money_show(struct visit *v, struct json_object *doc)
{
	struct json_object	*rows = json_at(doc, "/money");

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object	*row = json_object_array_get_idx(rows, i);

		json_put(row, "said", mem_printf(v->q->mem, "usage_of_%s", json_text(row, "/kind")));
		json_put(row, "bar", mem_printf(v->q->mem, "%lld", (long long)json_int(row, "/share", 0)));
	}
	if (json_object_array_length(rows) > 0)
		json_put_true(doc, "has_money");
	if (is_priced(doc))
		json_put_true(doc, "priced");
}

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc, *meters;
	const char		*here = visit_here(v, USAGE);

	TRY(usage(v, me, &doc));
	if (json_true(doc, "/nobody"))
		return http_redirect(v->r, visit_path(v, "/workspace"));	/* which says why there is none */
	meters = json_at(doc, "/meters");
	for (size_t i = 0; i < json_object_array_length(meters); i++)
		chart_put(v, json_object_array_get_idx(meters, i));
	meters_show(v, meters);
	meters_call(v, json_at(doc, "/kinds"));
	meters_call(v, json_at(doc, "/shares"));
	money_show(v, doc);
	if (json_object_array_length(json_at(doc, "/kinds")) > 0)
		json_put_true(doc, "has_kinds");
	meters_figures(v, doc);
	json_put(doc, "plan_called", mem_printf(v->q->mem, "plan_%s", json_text(doc, "/plan")));
	json_put(doc, "at", strcmp(here, USAGE) == 0 ? "" : here + strlen(USAGE));
	json_put(doc, "here", visit_path(v, here));
	json_put(doc, "more", strchr(here, '?') != NULL ? "&" : "?");
	json_put(doc, "switched", USAGE);
	return page(v, "usage", doc);
}

static enum err
list(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(usage(v, me, &doc));
	return answer_json(v, 200, doc);
}

const struct route usage_routes[] = {
	USER("GET", "/settings/usage", show),
	API("GET", "/api/user/usage", list),
	{ 0 }
};
