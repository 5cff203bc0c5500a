/* reply: POST /api/chat, an answer that is written as it comes. */
#include <string.h>

#include "answer.h"
#include "asked.h"
#include "chat.h"
#include "db.h"
#include "json.h"
#include "models.h"
#include "refusal.h"
#include "work.h"

static struct json_object *
replay_metadata(struct visit *v, struct json_object *doc)
{
	struct json_object	*out = json_new(v->q->mem);

	json_object_object_add(out, "usage", json_object_get(json_at(doc, "/usage")));
	if (json_at(doc, "/left") != NULL)
		json_object_object_add(out, "left", json_object_get(json_at(doc, "/left")));
	return out;
}

/* What was answered before, once more. */
static enum err
replay(struct parts *p, struct json_object *doc)
{
	const char	*text = json_text(doc, "/text");

	if (text != NULL && *text != '\0')
		TRY(parts_text(p, text, strlen(text)));
	return parts_finish(p, json_text(doc, "/finish"), replay_metadata(p->v, doc));
}

/* The end, as a part where the answer has begun, else as a status. */
static enum err
end(struct work *w, struct parts *p)
{
	const char	*fault = work_fault(w);

	if (w->gone)
		return ERR_CLOSED;
	if (fault == NULL)
		return parts_finish(p, turn_finish(w->turn.end), work_metadata(w));
	if (p->stream == NULL)
		return refusal_answer(w->v, fault, NULL);
	return parts_error(p, refusal_document(w->v, fault, NULL));
}

/*
 * The hold is settled before the end is told, so that who asks again at once finds it so. A server that must stop has
 * little time, and tells first; and where the database is away, nobody waits for it.
 */
static enum err
run(struct visit *v, struct json_object *begun, struct parts *p)
{
	struct work	w;
	bool		first, settled;
	enum err	e;

	work_run(&w, v, begun, &(struct work_how){ .parts = p });
	first = stream_draining(v->r);
	settled = !first && work_settle(&w);
	e = end(&w, p);
	if (settled || (first && work_settle(&w)))
		return e;
	parts_end(p);
	work_settle_later(&w, WORK_HOLD_MS);
	return e;
}

static enum err
respond(struct visit *v, struct db_user *me, const struct asked *a)
{
	struct json_object	*doc;
	struct parts		p;

	TRY(db_user(me, &doc, "api.chat_begin($1::jsonb)", ARGS(TEXT(asked_document(v, a)))));
	if (json_is(doc, "/state", "refused"))
		return refusal_answer(v, json_text(doc, "/code"), doc);
	answer_limits(v, doc);
	parts_init(&p, v, json_text(doc, "/answer"));
	return json_is(doc, "/state", "replay") ? replay(&p, doc) : run(v, doc, &p);
}

static enum err
reply(struct visit *v, struct db_user *me)
{
	struct asked	a;
	enum err	e = asked_read(v, &a);

	if (e == ERR_INVALID)
		return answer_fault(v, e, a.field, a.reason);
	if (e == ERR_TOO_LARGE)
		return answer_fault(v, e, "text", "is over 64 KiB");
	if (!models_enter(v->app))
		return refusal_answer(v, "full", NULL);
	e = respond(v, me, &a);
	models_leave(v->app);
	return e;
}

const struct route reply_routes[] = {
	LARGE_API("POST", "/api/chat", reply),
	{ 0 }
};
