#include "commands.h"

#include <string.h>
#include <sysexits.h>

#include "events.h"
#include "inbox.h"
#include "json.h"
#include "progress.h"
#include "table.h"

struct replay {
	const struct operator	*o;
	struct progress		progress;
	struct json_object	*last;		/* the row that the next page follows; NULL for the first page */
	long			events;
	long			objects;
};

static void
line_print(const struct replay *r, mem_ctx *mem, struct json_object *row)
{
	const char	*kind = json_text(row, "/kind");

	if (r->o->json) {
		json_object_object_del(row, "raw");
		operator_json(row);
	} else if (kind)
		printf("%s %s %s: %s %s %s\n", table_text(mem, json_at(row, "/id")), table_text(mem, json_at(row, "/type")),
		    table_text(mem, json_at(row, "/state")), r->o->dry_run ? "would fetch" : "fetches", kind,
		    table_text(mem, json_at(row, "/object")));
	else
		printf("%s %s %s: names no object to fetch\n", table_text(mem, json_at(row, "/id")),
		    table_text(mem, json_at(row, "/type")), table_text(mem, json_at(row, "/state")));
}

/* An event stored without an object is read again: this version may know its type. */
static void
row_read(mem_ctx *mem, struct json_object *row)
{
	struct inbox_event	e;
	size_t			n;
	char			*body;

	if (json_text(row, "/raw") == NULL)
		return;
	body = events_body(mem, row, &n);
	if (inbox_read(mem, body, n, &e) != OK || e.kind == NULL)
		return;
	json_object_object_add(row, "kind", json_object_new_string(e.kind));
	json_object_object_add(row, "object", json_object_new_string(e.object));
}

static enum err
rows_replay(struct replay *r, mem_ctx *mem, struct json_object *rows)
{
	struct json_object	*done;

	if (r->o->dry_run)
		return OK;
	TRY(db_service(operator_as(r->o, mem), &done, "ops.replay_events($1::jsonb)",
	    ARGS(TEXT(json_object_to_json_string_ext(rows, JSON_C_TO_STRING_PLAIN)))));
	r->objects += (long)json_int(done, "/objects", 0);
	return OK;
}

/* Copies the last row's keys to memory that outlives the page. */
static void
place_keep(struct replay *r, struct json_object *row)
{
	r->last = json_new(r->o->mem);
	for (const char *const *name = (const char *const []){ "at", "id", "kind", "object", NULL }; *name; name++)
		json_put(r->last, *name, json_text(row, mem_printf(r->o->mem, "/%s", *name)));
}

static enum err
events_page(struct replay *r, mem_ctx *mem, size_t *n)
{
	struct json_object	*rows, *filter = events_filter(r->o, mem);

	TRY(db_service(operator_as(r->o, mem), &rows, "ops.list_replay($1::jsonb, $2::jsonb)",
	    ARGS(TEXT(json_object_to_json_string(filter)),
	    r->last ? TEXT(json_object_to_json_string(r->last)) : SQL_NULL)));
	*n = json_object_array_length(rows);
	for (size_t i = 0; i < *n; i++) {
		row_read(mem, json_object_array_get_idx(rows, i));
		line_print(r, mem, json_object_array_get_idx(rows, i));
	}
	if (*n > 0)
		place_keep(r, json_object_array_get_idx(rows, *n - 1));
	return rows_replay(r, mem, rows);
}

/* Adds a row for each event of a dead-lettered object, or one for the object when it has no events. */
static void
dead_add(struct replay *r, mem_ctx *mem, struct json_object *list, struct json_object *object)
{
	struct json_object	*ids = json_at(object, "/events");
	size_t			n = json_object_array_length(ids);

	for (size_t i = 0; i < n || i == 0; i++) {
		struct json_object	*row = json_object_new_object();

		json_put(row, "id", n ? json_object_get_string(json_object_array_get_idx(ids, i)) : NULL);
		json_put(row, "state", "dead");
		json_put(row, "kind", json_text(object, "/kind"));
		json_put(row, "object", json_text(object, "/object"));
		json_object_array_add(list, row);
		line_print(r, mem, row);
	}
}

static enum err
dead_page(struct replay *r, mem_ctx *mem, size_t *n)
{
	struct json_object	*objects, *rows = json_hang(mem, json_object_new_array());
	size_t			found;

	TRY(events_dead_page(r->o, mem, r->last, &objects));
	found = json_object_array_length(objects);
	for (size_t i = 0; i < found; i++)
		dead_add(r, mem, rows, json_object_array_get_idx(objects, i));
	if (found > 0)
		place_keep(r, json_object_array_get_idx(objects, found - 1));
	*n = json_object_array_length(rows);
	return rows_replay(r, mem, rows);
}

static enum err
pages_replay(struct replay *r)
{
	size_t	n = 1;

	while (n > 0) {
		mem_ctx		*mem = mem_new();
		enum err	e = r->o->dead ? dead_page(r, mem, &n) : events_page(r, mem, &n);

		talloc_free(mem);
		TRY(e);
		r->events += (long)n;
		progress_step(&r->progress, r->events, json_text(r->last, "/id"));
	}
	return OK;
}

static enum err
count_read(const struct operator *o, long *total)
{
	struct json_object	*n;

	*total = 0;
	if (o->dead)
		return OK;
	TRY(db_service(operator_as(o, o->mem), &n, "ops.count_events($1::jsonb)",
	    ARGS(TEXT(json_object_to_json_string(events_filter(o, o->mem))))));
	*total = (long)json_int(n, "/n", 0);
	return OK;
}

int
events_replay(const struct operator *o)
{
	struct replay	r = { .o = o };
	long		total;
	enum err	e;

	if ((o->subject != NULL) + o->dead + (o->since || o->until) != 1) {
		operator_refused(o, "give one of these: an EVENT, --dead, or a time range by --since, --until");
		return EX_USAGE;
	}
	if (o->dead && (o->state || o->type || o->object)) {
		operator_refused(o, "--dead takes no filter: to replay only some, use --since 90d --state dead and the filter");
		return EX_USAGE;
	}
	if (!events_filter_is_valid(o))
		return EX_USAGE;
	e = count_read(o, &total);
	if (e == OK && o->subject && total == 0)
		return operator_refused(o, "there is no event %s", o->subject);
	progress_begin(&r.progress, o->dry_run ? "events that would be replayed:" : "events replayed:", total);
	if (e == OK)
		e = pages_replay(&r);
	if (e != OK)
		return operator_failed(o, e);
	progress_end(&r.progress, r.events);
	return EX_OK;
}
