#include "intake.h"

#include <string.h>

#include "json.h"
#include "text.h"

enum { TRIES = 3 };	/* at most, while the reply to the commit is lost */

/* A header may hold bytes that PostgreSQL refuses as text. It is only stored as evidence, so they become '?'. */
static void
put_ascii(struct json_object *doc, const char *name, mem_ctx *mem, const char *text)
{
	json_put(doc, name, text_ascii(mem, text, strlen(text)));
}

/* The entry of an event for service.receive_events(); the event's bytes begin at offset in the blob. */
static struct json_object *
describe(mem_ctx *mem, const struct intake *one, size_t offset)
{
	const struct inbox_event	*e = &one->event;
	const struct receipt		*r = &one->receipt;
	struct json_object		*doc = json_object_new_object();

	json_put(doc, "id", e->id);
	json_put(doc, "type", e->type);
	json_put(doc, "api_version", e->api_version);
	json_put(doc, "account", e->account);
	json_object_object_add(doc, "created", json_object_new_int64(e->created));
	json_object_object_add(doc, "livemode", json_object_new_boolean(e->livemode));
	put_ascii(doc, "signature", mem, r->signature);
	json_put(doc, "key", r->key);
	json_object_object_add(doc, "headers", json_object_get(r->headers));
	json_put(doc, "kind", e->kind);
	json_put(doc, "object", e->object);
	if (e->thin && !r->thin)
		json_put_true(doc, "thin");
	if (r->unpinned)
		json_put_true(doc, "unpinned");
	json_object_object_add(doc, "at", json_object_new_int64((int64_t)offset + 1));
	json_object_object_add(doc, "size", json_object_new_int64((int64_t)r->n));
	return doc;
}

static bool
list_holds(struct json_object *list, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text) == 0)
			return true;
	}
	return false;
}

/*
 * One statement, one commit. After a lost reply the call is repeated, which is safe. The answer to a repeat does not
 * tell what the lost call stored, so then every event counts as new, and jobs gets its hint.
 */
static enum err
store_once(struct db *db, mem_ctx *mem, struct intake *all, size_t n)
{
	struct json_object	*about = json_hang(mem, json_object_new_array()), *fresh;
	struct db_service	*me = db_as_service(mem, db);
	struct buf		blob = { .ctx = mem };
	enum err		e = ERR_UNCERTAIN;
	int			calls;

	for (size_t i = 0; i < n; i++) {
		json_object_array_add(about, describe(mem, &all[i], blob.len));
		buf_put(&blob, all[i].receipt.body, all[i].receipt.n);
	}
	for (calls = 0; calls < TRIES && e == ERR_UNCERTAIN; calls++)
		e = db_service(me, &fresh, "service.receive_events($1::jsonb, $2)", ARGS(
		    TEXT(json_object_to_json_string_ext(about, JSON_C_TO_STRING_PLAIN)), BYTES(blob.data, blob.len)));
	TRY(e);
	for (size_t i = 0; i < n; i++)
		all[i].duplicate = calls == 1 && !list_holds(fresh, all[i].event.id);
	return OK;
}

static enum err
store(struct db *db, struct intake *all, size_t n)
{
	mem_ctx		*mem = mem_new();
	enum err	e = store_once(db, mem, all, n);

	for (size_t i = 0; i < n; i++)
		all[i].err = e;
	talloc_free(mem);
	return e;
}

/* The number of events that fit into one statement. */
static size_t
fitting(const struct intake *all, size_t n)
{
	size_t	bytes = all[0].receipt.n, fit = 1;

	while (fit < n && fit < INTAKE_EVENTS && bytes + all[fit].receipt.n <= INTAKE_BYTES)
		bytes += all[fit++].receipt.n;
	return fit;
}

/* One bad event fails its whole statement, so each is then stored alone. In an outage that would only take longer. */
void
intake_store(struct db *db, struct intake *all, size_t n)
{
	for (size_t fit; n > 0; all += fit, n -= fit) {
		enum err	e;

		fit = fitting(all, n);
		e = store(db, all, fit);
		for (size_t i = 0; fit > 1 && e != OK && e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN && i < fit; i++)
			(void)!store(db, &all[i], 1);
	}
}
