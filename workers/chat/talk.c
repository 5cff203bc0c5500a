/* talk: the page of conversations. Its form waits for a whole answer; its script asks POST /api/chat instead. */
#include <string.h>

#include "asked.h"
#include "chat.h"
#include "db.h"
#include "json.h"
#include "meters.h"
#include "models.h"
#include "operation.h"
#include "page.h"
#include "pages.h"
#include "refusal.h"
#include "secret.h"
#include "text.h"

#define CHAT "/chat"

enum { EARLIER = 50, ID_LEN = 22 };

/* What the page can say once something was sent: the script shows the one whose code it is told. */
static const struct saying {
	const char	*code, *label;
} refusals[] = {
	{ "auth", "refused_auth" }, { "rate_minute", "refused_rate_minute" }, { "rate_day", "refused_rate_day" },
	{ "quota", "refused_quota" }, { "cap", "refused_cap" }, { "plan", "refused_plan" }, { "model", "refused_model" },
	{ "invalid bad_request forbidden not_found", "refused_invalid" }, { "busy", "refused_busy" },
	{ "too_large", "refused_too_large" }, { "provider interrupted", "refused_provider" },
	{ "unavailable uncertain internal limit", "refused_unavailable" }, { "offline", "refused_offline" },
}, ends[] = {
	{ "stopped", "chat_stopped" }, { "length", "chat_cut" }, { "content-filter", "chat_filtered" },
	{ "interrupted auth quota busy provider unavailable invalid", "chat_interrupted" },
};

static struct json_object *
sayings_new(const struct saying *rows, size_t n)
{
	struct json_object	*all = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object	*one = json_object_new_object();

		json_put(one, "code", rows[i].code);
		json_put(one, "label", rows[i].label);
		json_object_array_add(all, one);
	}
	return all;
}

/* The name of a conversation or message that is to be. */
static enum err
id_new(struct visit *v, const char **out)
{
	struct secret	random;

	TRY(secret_random(&random));
	*out = mem_copy(v->q->mem, secret_base64url(v->q->mem, &random), ID_LEN);
	return OK;
}

/* What is said below an answer that is no whole one. */
static const char *
note_of(struct json_object *message)
{
	const char	*text = json_text(message, "/text");

	if (json_true(message, "/mine") || json_is(message, "/state", "complete"))
		return NULL;
	if (json_is(message, "/state", "open"))
		return "chat_open";
	return text == NULL || *text == '\0' ? "chat_nothing" : "chat_interrupted";
}

static void
messages_note(struct json_object *messages)
{
	struct json_object	*last = NULL;

	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct json_object	*message = json_object_array_get_idx(messages, i);

		json_put(message, "noted", note_of(message));
		last = json_true(message, "/mine") ? message : last;
	}
	if (last != NULL)
		json_put_true(last, "last");
}

/* Those before the ones that the page shows by itself, which are useChat's: what the page needs is made of them. */
static enum err
earlier_read(struct db_user *me, const char *id, const char *before, struct json_object *chat)
{
	struct json_object	*doc, *messages;

	TRY(db_user(me, &doc, "api.chat_show($1, $2, $3::int)", ARGS(TEXT(id), TEXT(before), INT(EARLIER))));
	messages = json_at(doc, "/messages");
	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct json_object	*m = json_object_array_get_idx(messages, i);

		if (json_is(m, "/role", "user"))
			json_put_true(m, "mine");
		json_put(m, "text", json_text(m, "/parts/0/text"));
		json_put(m, "state", json_text(m, "/metadata/state"));
	}
	json_object_object_add(chat, "messages", json_object_get(messages));
	json_object_object_add(chat, "before", json_object_get(json_at(doc, "/before")));
	return OK;
}

/* What a conversation is called: how it begins, until it has a title. */
static const char *
name_of(struct json_object *chat)
{
	const char	*title = json_text(chat, "/title");

	return title != NULL ? title : json_text(chat, "/opening");
}

/* The models to choose from, those of other plans too, and whether there is one to use. */
static bool
models_put(struct visit *v, struct json_object *doc)
{
	struct json_object	*models = json_at(doc, "/models");
	const char		*wanted = v->fault != NULL ? form_get(&v->form, "model") : NULL;
	size_t			n = models != NULL ? json_object_array_length(models) : 0;
	bool			any = false;

	for (size_t i = 0; i < n; i++) {
		struct json_object	*m = json_object_array_get_idx(models, i);

		any = any || json_true(m, "/allowed");
		if (!json_true(m, "/allowed"))
			json_put_true(m, "locked");
		if (wanted != NULL ? json_is(m, "/name", wanted) : json_true(m, "/current"))
			json_put_true(m, "chosen");
	}
	if (n > 1 && json_at(doc, "/chat") == NULL)
		json_put_true(doc, "choose");
	if (n == 0)
		json_put(doc, "cannot", "cannot_models");
	return any;
}

static void
meter_put(struct visit *v, struct json_object *doc)
{
	struct json_object	*meter = json_at(doc, "/meter"), *rows;

	if (meter == NULL)
		return;
	rows = json_hang(v->q->mem, json_object_new_array());
	json_object_array_add(rows, json_object_get(meter));
	json_object_object_add(meter, "left", json_object_get(json_at(doc, "/left")));
	json_object_object_add(meter, "until", json_object_get(json_at(doc, "/until")));
	meters_show(v, rows);
	meters_figures(v, rows);
}

static void
chats_name(struct json_object *doc)
{
	struct json_object	*chats = json_at(doc, "/chats");

	for (size_t i = 0; i < json_object_array_length(chats); i++) {
		struct json_object	*chat = json_object_array_get_idx(chats, i);

		json_put(chat, "named", name_of(chat));
	}
	if (json_object_array_length(chats) > 0)
		json_put_true(doc, "any_chats");
}

static enum err
ask_put(struct visit *v, struct json_object *doc)
{
	struct json_object	*chat = json_at(doc, "/chat"), *messages = json_at(chat, "/messages");
	const char		*id = json_text(chat, "/id"), *message, *fresh;
	bool			can = models_put(v, doc) && json_true(doc, "/allowed");

	TRY(id_new(v, &fresh));
	TRY(id_new(v, &message));
	json_put(doc, "id", id != NULL ? id : fresh);
	json_put(doc, "message", message);
	json_put(doc, "titled", name_of(chat));
	json_put(doc, "id_here", id);
	if (can)
		json_put_true(doc, "can");
	else if (json_text(doc, "/cannot") == NULL) {
		json_put(doc, "cannot", "cannot_plan");
		json_put_true(doc, "upgrade");
	}
	if (messages == NULL || json_object_array_length(messages) == 0)
		json_put_true(doc, "is_empty");
	if (v->fault != NULL || id == NULL)
		json_put_true(doc, "focus");
	json_put(doc, "wanted_text", v->fault != NULL ? form_get(&v->form, "text") : NULL);
	return OK;
}

/* The tenant of a new conversation: the address names it, or the refused form that the page is shown again for. */
static enum err
tenant_read(struct visit *v, const char *id, const char **tenant)
{
	const char	*named = v->fault != NULL && id == NULL ? form_get(&v->form, "tenant") : NULL;

	TRY(visit_tenant(v, tenant));
	if (*tenant == NULL && named != NULL && text_is_uuid(named, strlen(named)))
		*tenant = named;
	return OK;
}

/* Where the links of the page lead, so that who has several tenants stays with the one that is shown. */
static void
links_put(struct visit *v, struct json_object *doc)
{
	const char	*next = json_text(doc, "/next"), *at = "";

	if (json_true(doc, "/several"))
		at = mem_printf(v->q->mem, "?tenant=%s", json_text(doc, "/tenant"));
	json_put(doc, "at", at);
	if (next != NULL)
		json_put(doc, "older", mem_printf(v->q->mem, "%s%safter=%s", at, *at ? "&" : "?", next));
}

static enum err
talk(struct visit *v, struct db_user *me, const char *id)
{
	struct json_object	*doc, *chat;
	const char		*tenant, *after, *before;

	TRY(tenant_read(v, id, &tenant));
	TRY(http_query(v->q, "after", &after));
	TRY(http_query(v->q, "before", &before));
	TRY(db_user(me, &doc, "api.chat_page($1::uuid, $2, $3)", ARGS(TEXT(tenant), TEXT(id), TEXT(after))));
	if (json_true(doc, "/nobody"))
		return http_redirect(v->r, visit_path(v, "/workspace"));	/* which says why there is none */
	chat = json_at(doc, "/chat");
	if (before != NULL && chat != NULL)
		TRY(earlier_read(me, id, before, chat));
	if (chat != NULL)
		messages_note(json_at(chat, "/messages"));
	TRY(ask_put(v, doc));
	meter_put(v, doc);
	chats_name(doc);
	json_object_object_add(doc, "refusals", sayings_new(refusals, sizeof(refusals) / sizeof(refusals[0])));
	json_object_object_add(doc, "ends", sayings_new(ends, sizeof(ends) / sizeof(ends[0])));
	json_put(doc, "chat_script", v->app->pages->chat_version);
	links_put(v, doc);
	if (json_true(doc, "/can")) {		/* beside the form, which the page shows at its end */
		json_put(doc, "told", v->fault);
		v->fault = NULL;
	}
	v->scripted = v->fetches = true;
	return page(v, "chat", doc);
}

static enum err
show(struct visit *v, struct db_user *me)
{
	return talk(v, me, NULL);
}

static enum err
show_one(struct visit *v, struct db_user *me)
{
	return talk(v, me, visit_param(v, "id"));
}

static enum err
back_to(struct visit *v, const char *chat)
{
	return http_redirect(v->r, visit_path(v, mem_printf(v->q->mem, CHAT "/%s#last", chat)));
}

/* The page again, which says why nothing came of the form, with what was typed. */
static enum err
again(struct visit *v, const char *chat, const char *code)
{
	const struct refusal	*r = refusal_find(code);

	if (r->status == 503)
		http_header(v->r, "Retry-After", mem_printf(v->q->mem, "%d", r->wait));
	return visit_again(v, chat != NULL ? mem_printf(v->q->mem, CHAT "/%s", chat) : CHAT, r->status, r->page);
}

/* known: the conversation, where it is there already. */
static enum err
answer(struct visit *v, struct db_user *me, const struct asked *a, const char *known)
{
	struct json_object	*doc;
	struct work		w;
	enum err		e = db_user(me, &doc, "api.chat_begin($1::jsonb)", ARGS(TEXT(asked_document(v, a))));

	if (e == ERR_INVALID)
		return again(v, known, "message");
	TRY(e);
	if (json_is(doc, "/state", "refused")) {
		v->wait = (long)json_int(doc, "/wait", 0);
		return again(v, known, json_text(doc, "/code"));
	}
	if (json_is(doc, "/state", "replay"))
		return back_to(v, a->chat);
	work_run(&w, v, doc, &(struct work_how){ .total_ms = WORK_UNSEEN_MS });
	if (!work_settle(&w))
		work_settle_later(&w, WORK_SEEN_MS);
	if (w.gone)
		return ERR_CLOSED;
	return work_fault(&w) != NULL && w.text.len == 0 ? again(v, a->chat, work_fault(&w)) : back_to(v, a->chat);
}

static enum err
send(struct visit *v, struct db_user *me)
{
	struct asked	a;
	enum err	e;
	const char	*known;

	TRY(visit_fields(v, "chat message text model tenant known"));
	e = asked_read_form(v, &a);
	known = form_get(&v->form, "known") != NULL && a.chat != NULL ? a.chat : NULL;
	if (e == ERR_INVALID && strcmp(a.field, "text") == 0)
		return again(v, known, "missing");
	if (e == ERR_TOO_LARGE)
		return again(v, known, "too_large");
	TRY(e);
	if (!models_enter(v->app))
		return again(v, known, "full");
	e = answer(v, me, &a, known);
	models_leave(v->app);
	return e;
}

static enum err
name(struct visit *v, struct db_user *me, const char *id)
{
	struct json_object	*request = json_new(v->q->mem);
	const char		*fault;
	struct work		w;

	json_put(request, "kind", "title");
	json_put(request, "chat", id);
	TRY(operation_run(v, me, request, &w, &fault));
	return fault != NULL ? again(v, id, fault) : back_to(v, id);
}

static enum err
act(struct visit *v, struct db_user *me)
{
	const char	*id = visit_param(v, "id"), *what = form_get(&v->form, "act");

	TRY(visit_fields(v, "act"));
	if (what != NULL && strcmp(what, "title") == 0)
		return name(v, me, id);
	if (what == NULL || strcmp(what, "delete") != 0)
		return ERR_INVALID;
	TRY(db_user(me, NULL, "api.chat_delete($1)", ARGS(TEXT(id))));
	return http_redirect(v->r, visit_path(v, CHAT));
}

const struct route talk_routes[] = {
	USER("GET",  "/chat", show),
	LARGE_USER("POST", "/chat", send),
	USER("GET",  "/chat/:id(word)", show_one),
	USER("POST", "/chat/:id(word)", act),
	{ 0 }
};
