#include "commands.h"

#include <stdio.h>
#include <sysexits.h>

#include "json.h"
#include "table.h"

#define N(array) (sizeof(array) / sizeof(array[0]))

/* A row: a name and a count; or, without a pointer to a count, the title of the rows below. */
static const struct fact {
	const char	*name, *count;
	enum colour	colour;		/* of a count above 0 */
	const char	*seconds;	/* pointer to an age, or NULL */
	const char	*note;		/* before the age; without one, what the count means or what to do */
} facts[] = {
	{ "QUEUES", NULL, COLOUR_NONE, NULL, NULL },
	{ "events", "/events/received", COLOUR_NONE, "/oldest_received_seconds", "oldest:" },
	{ "objects to fetch", "/dirty", COLOUR_NONE, "/overdue_seconds", "overdue:" },
	{ "objects to retry", "/retrying", COLOUR_WARN, NULL, "failed; retried automatically" },
	{ "mails", "/mail/pending", COLOUR_NONE, "/oldest_mail_seconds", "oldest:" },
	{ "orphans", "/orphans", COLOUR_NONE, NULL, "their customer belongs to no tenant" },
	{ "DEAD LETTERS", NULL, COLOUR_NONE, NULL, NULL },
	{ "events", "/events/dead", COLOUR_BAD, NULL, "see tollgate events dead" },
	{ "objects", "/dead_objects", COLOUR_BAD, NULL, "retry with tollgate events replay --dead" },
	{ "mails", "/mail/dead", COLOUR_BAD, NULL, "given up; why: tollgate mail list --state dead" },
};

static const struct {
	const char	*name, *pointer;
} lists[] = {
	{ "events listed", "/last_gap_look" }, { "subscriptions compared", "/last_comparison" },
	{ "in progress", "/lists_under_way" },
};

static const char *
age_text(mem_ctx *mem, int64_t seconds)
{
	static const struct {
		int64_t		seconds;
		const char	*name;
	} units[] = { { 86400, "days" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t	i = 0;

	while (i + 1 < N(units) && seconds < 2 * units[i].seconds)
		i++;
	return mem_printf(mem, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
}

static void
count_print(const char *name, int64_t n, enum colour c, const char *note)
{
	bool	plain = n == 0 || c == COLOUR_NONE;

	printf("  %-30s %s%6lld%s%s%s\n", name, plain ? "" : operator_colour(c), (long long)n,
	    plain ? "" : operator_colour(COLOUR_NONE), *note ? "  " : "", note);
}

static void
facts_print(mem_ctx *mem, struct json_object *doc)
{
	for (const struct fact *f = facts; f < facts + N(facts); f++) {
		int64_t		n = f->count ? json_int(doc, f->count, 0) : 0;
		int64_t		age = f->seconds ? json_int(doc, f->seconds, 0) : 0;
		const char	*note = n && f->note && !f->seconds ? f->note : "";

		if (n && f->seconds && json_at(doc, f->seconds))
			note = mem_printf(mem, "%s %s", f->note, age_text(mem, age > 0 ? age : 0));
		if (f->count)
			count_print(f->name, n, f->colour, note);
		else
			printf("%s\n", f->name);
	}
}

static void
alerts_print(mem_ctx *mem, struct json_object *kinds)
{
	printf("ALERTS%s\n", json_object_array_length(kinds) ? "" : "\n  none");
	for (size_t i = 0; i < json_object_array_length(kinds); i++) {
		struct json_object	*k = json_object_array_get_idx(kinds, i), *newest = json_at(k, "/newest");
		int64_t			n = json_int(k, "/open", 0);

		count_print(table_text(mem, json_at(k, "/kind")), n, COLOUR_BAD, mem_printf(mem, "since %s: %s%s",
		    table_text(mem, json_at(k, "/since")), table_text(mem, newest),
		    n > (int64_t)json_object_array_length(newest) ? ", ..." : ""));
	}
}

static void
unknown_print(mem_ctx *mem, struct json_object *types)
{
	if (json_object_array_length(types))
		printf("UNKNOWN EVENT TYPES\n");
	for (size_t i = 0; i < json_object_array_length(types); i++) {
		struct json_object	*t = json_object_array_get_idx(types, i);

		count_print(table_text(mem, json_at(t, "/type")), json_int(t, "/events", 0), COLOUR_NONE,
		    mem_printf(mem, "last: %s", table_text(mem, json_at(t, "/last"))));
	}
}

static void
lists_print(mem_ctx *mem, struct json_object *doc)
{
	printf("RECONCILIATION\n");
	for (size_t i = 0; i < N(lists); i++) {
		struct json_object	*value = json_at(doc, lists[i].pointer);
		bool			never = value == NULL;

		if (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0)
			continue;
		printf("  %-30s %s%s%s\n", lists[i].name, never ? operator_colour(COLOUR_WARN) : "",
		    never ? "never" : table_text(mem, value), never ? operator_colour(COLOUR_NONE) : "");
	}
}

static void
groups_print(const char *title, struct json_object *counts)
{
	printf("%s%s\n", title, json_object_object_length(counts) ? "" : "\n  none");
	json_object_object_foreach(counts, name, n)
		count_print(name, json_object_get_int64(n), COLOUR_NONE, "");
}

static void
roles_print(mem_ctx *mem, struct json_object *faults)
{
	if (json_object_array_length(faults))
		printf("ROLES that are not as migrate makes them: run tollgate migrate\n");
	for (size_t i = 0; i < json_object_array_length(faults); i++)
		printf("  %s%s%s\n", operator_colour(COLOUR_BAD), table_text(mem, json_object_array_get_idx(faults, i)),
		    operator_colour(COLOUR_NONE));
}

int
status_show(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.status()", NO_ARGS);

	if (e != OK)
		return operator_failed(o, e);
	if (o->json) {
		operator_json(doc);
		return EX_OK;
	}
	facts_print(o->mem, doc);
	alerts_print(o->mem, json_at(doc, "/alerts/kinds"));
	unknown_print(o->mem, json_at(doc, "/unknown_types"));
	lists_print(o->mem, doc);
	groups_print("TENANTS", json_at(doc, "/tenants"));
	groups_print("SUBSCRIPTIONS", json_at(doc, "/subscriptions"));
	roles_print(o->mem, json_at(doc, "/role_faults"));
	printf("SCHEMA\n  %s\n", table_text(o->mem, json_at(doc, "/migrations")));
	return EX_OK;
}
