#include "events.h"

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"
#include "text.h"

#define N(array) (sizeof(array) / sizeof(array[0]))

static const struct column event_columns[] = {
	{ "RECEIVED", "/received_at" }, { "EVENT", "/id" }, { "STATE", "/state" }, { "TRIES", "/attempts" },
	{ "TYPE", "/type" }, { "OBJECT", "/object" },
};
static const struct column dead_columns[] = {
	{ "DEAD SINCE", "/dead_at" }, { "KIND", "/kind" }, { "OBJECT", "/object" }, { "TRIES", "/attempts" },
	{ "LAST ERROR", "/last_error" }, { "EVENTS", "/events" },
};

static bool
state_is_known(const char *state)
{
	static const char *const	states[] = { "received", "done", "ignored", "dead" };
	size_t				i = 0;

	while (i < N(states) && strcmp(states[i], state) != 0)
		i++;
	return i < N(states);
}

/* What ops.type_fits() understands: a type, or the beginning of one and a *. */
static bool
type_is_pattern(const char *type)
{
	size_t	n = strcspn(type, "*");

	return *type && (type[n] == '\0' || type[n + 1] == '\0');
}

bool
events_filter_is_valid(const struct operator *o)
{
	if (o->state && !state_is_known(o->state))
		operator_refused(o, "--state must be received, done, ignored or dead");
	else if (o->type && !type_is_pattern(o->type))
		operator_refused(o, "--type must be a type of event, or the beginning of one with * at its end: 'invoice.*'");
	else if (o->object && *o->object == '\0')
		operator_refused(o, "--object must be the ID of an object at Stripe");
	else
		return true;
	return false;
}

struct json_object *
events_filter(const struct operator *o, mem_ctx *mem)
{
	struct json_object	*filter = json_new(mem);

	json_put(filter, "id", o->subject);
	json_put(filter, "state", o->dead ? "dead" : o->state);
	json_put(filter, "type", o->type);
	json_put(filter, "object", o->object);
	json_put(filter, "since", o->since);
	json_put(filter, "until", o->until);
	return filter;
}

static int
hex_digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

char *
events_body(mem_ctx *mem, struct json_object *event, size_t *n)
{
	const char	*hex = json_text(event, "/raw");
	char		*body = mem_copy(mem, hex, strlen(hex) / 2);

	*n = strlen(hex) / 2;
	for (size_t i = 0; i < *n; i++)
		body[i] = (char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	return body;
}

int
events_list(const struct operator *o)
{
	struct json_object	*rows;
	int			limit;
	enum err		e;

	if (!operator_limit(o, &limit))
		return EX_USAGE;
	if (!events_filter_is_valid(o))
		return EX_USAGE;
	e = db_service(operator_as(o, o->mem), &rows, "ops.list_events($1::jsonb, $2::int)",
	    ARGS(TEXT(json_object_to_json_string(events_filter(o, o->mem))), INT(limit)));
	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(rows);
	else
		table_print(o->mem, rows, event_columns, N(event_columns));
	return EX_OK;
}

/* Adds the body as text when it is valid text; the exact bytes are in "raw", in hex. */
static void
show_json(struct json_object *event, const char *body, size_t n)
{
	if (text_is_utf8(body, n) && strlen(body) == n)
		json_put(event, "body", body);
	operator_json(event);
}

/* Control characters of the body must not reach the terminal: each becomes '?'. */
static void
show_text(const struct operator *o, struct json_object *event, const char *body, size_t n)
{
	json_object_object_del(event, "raw");
	table_values(o->mem, event, "");
	putchar('\n');
	for (size_t i = 0; i < n; i++)
		putchar(iscntrl((unsigned char)body[i]) && body[i] != '\n' && body[i] != '\t' ? '?' : body[i]);
	putchar('\n');
}

int
events_show(const struct operator *o)
{
	struct json_object	*event;
	size_t			n;
	char			*body;
	enum err		e = db_service(operator_as(o, o->mem), &event, "ops.show_event($1)", ARGS(TEXT(o->subject)));

	if (e != OK)
		return operator_failed(o, e);
	if (event == NULL)
		return operator_refused(o, "there is no event %s", o->subject);
	body = events_body(o->mem, event, &n);
	if (o->raw)
		fwrite(body, 1, n, stdout);
	else if (o->json)
		show_json(event, body, n);
	else
		show_text(o, event, body, n);
	return EX_OK;
}

enum err
events_dead_page(const struct operator *o, mem_ctx *mem, struct json_object *after, struct json_object **rows)
{
	return db_service(operator_as(o, mem), rows, "ops.list_dead($1::jsonb)",
	    ARGS(after ? TEXT(json_object_to_json_string(after)) : SQL_NULL));
}

/* Collects all pages, because --json prints one array. */
int
events_dead(const struct operator *o)
{
	struct json_object	*all = json_hang(o->mem, json_object_new_array()), *rows, *last = NULL;
	enum err		e;

	do {
		e = events_dead_page(o, o->mem, last, &rows);
		if (e != OK)
			return operator_failed(o, e);
		last = NULL;
		for (size_t i = 0; i < json_object_array_length(rows); i++) {
			last = json_object_array_get_idx(rows, i);
			json_object_array_add(all, json_object_get(last));
		}
	} while (last);
	if (o->json)
		operator_json(all);
	else
		table_print(o->mem, all, dead_columns, N(dead_columns));
	return EX_OK;
}
