#include "meters.h"

#include <string.h>

#include "json.h"
#include "pages.h"

/* What each state of usage.meter_document() looks like. */
static const struct state {
	const char	*name, *class;	/* class NULL: a sentence like any other */
	bool		upgrade;	/* another plan helps */
} states[] = {
	{ "near", "warn", true }, { "over", "bad", true }, { "most", "bad", true }, { "none", "bad", true },
	{ "paused", "warn", true }, { "sold", NULL, false },
};

static void
meter_call(struct visit *v, struct json_object *row)
{
	const char			*meter = json_text(row, "/meter");
	const char			*label = mem_printf(v->q->mem, "meter_%s", meter);
	const struct config_meter	*m = config_meter(v->app->config, meter);

	json_put(row, "word", m == NULL ? meter : m->display_name);
	if (pages_partial(pages_language(v->app->pages, v->language), label) != NULL)
		json_put(row, "called", label);
}

void
meters_call(struct visit *v, struct json_object *rows)
{
	for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++)
		meter_call(v, json_object_array_get_idx(rows, i));
}

static void
meter_show(struct visit *v, struct json_object *row)
{
	if (json_at(row, "/share") != NULL)	/* also where it is 0, which a template takes for nothing */
		json_put(row, "bar", mem_printf(v->q->mem, "%lld", (long long)json_int(row, "/share", 0)));
	if (json_int(row, "/held", 0) > 0)
		json_put_true(row, "holding");
	if (json_true(row, "/sold") && json_int(row, "/beyond", 0) == 0)
		json_put_true(row, "sells");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!json_is(row, "/state", states[i].name))
			continue;
		json_put(row, "said", mem_printf(v->q->mem, "usage_%s", states[i].name));
		json_put(row, "class", states[i].class);
		if (states[i].upgrade)
			json_put_true(row, "upgrade");
	}
}

void
meters_show(struct visit *v, struct json_object *rows)
{
	meters_call(v, rows);
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		meter_show(v, json_object_array_get_idx(rows, i));
}

static bool
is_money(const char *name)
{
	static const char	end[] = "micros";
	size_t			n = strlen(name);

	return n >= sizeof(end) - 1 && strcmp(name + n - (sizeof(end) - 1), end) == 0;
}

static struct json_object *
figure_new(struct json_object *number, const char *currency)
{
	struct json_object	*said = json_object_new_object();

	json_object_object_add(said, currency != NULL ? "micros" : "figure", json_object_get(number));
	json_put(said, "currency", currency);
	return said;
}

void
meters_figures(struct visit *v, struct json_object *doc)
{
	if (json_object_is_type(doc, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(doc); i++)
			meters_figures(v, json_object_array_get_idx(doc, i));
	}
	if (!json_object_is_type(doc, json_type_object))
		return;
	json_object_object_foreach(doc, name, member) {
		meters_figures(v, member);
		if (json_object_is_type(member, json_type_int))
			json_object_object_add(doc, name,
			    figure_new(member, is_money(name) ? v->app->config->usage.currency : NULL));
	}
}
