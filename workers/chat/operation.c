/* operation: what a model is asked beside a conversation, as a whole: a title, a summary, the class of a text. */
#include <string.h>

#include "answer.h"
#include "chat.h"
#include "db.h"
#include "json.h"
#include "models.h"
#include "operation.h"
#include "refusal.h"

enum { TITLE = 80 };

#define BLANK " \t\r\n"
#define AROUND BLANK "\"'*#`."	/* the quotes and the stop that models put around what they are asked for */

/* The first line that has something else than these characters, without those around it. */
static const char *
line_bare(const char *text, const char *around, size_t *n)
{
	text += strspn(text, around);
	*n = strcspn(text, "\r\n");
	while (*n > 0 && strchr(around, text[*n - 1]) != NULL)
		--*n;
	return text;
}

/* One line, bare, and no longer than a title. */
static void
title_trim(struct buf *text)
{
	const char	*line;
	size_t		n;

	if (text->data == NULL)
		return;
	line = line_bare(text->data, AROUND, &n);
	n = n > TITLE ? TITLE : n;
	while (n > 0 && (line[n] & 0xc0) == 0x80)		/* within a character */
		n--;
	memmove(text->data, line, n);
	text->data[n] = '\0';
	line_bare(text->data, AROUND, &n);
	text->data[n] = '\0';
	text->len = n;
}

static const struct kind {
	const char	*name;
	void		(*trim)(struct buf *text);
} kinds[] = {
	{ "title", title_trim }, { "summary", NULL }, { "classify", NULL },
};

static const struct kind *
kind_find(const char *name)
{
	const struct kind	*k = kinds;

	while (strcmp(k->name, name) != 0)
		k++;
	return k;
}

static void
run(struct visit *v, const struct kind *k, struct json_object *begun, struct work *w)
{
	work_run(w, v, begun, &(struct work_how){ .whole = true, .total_ms = WORK_UNSEEN_MS });
	if (k->trim != NULL)
		k->trim(&w->text);
	if (!work_settle(w))
		work_settle_later(w, WORK_SEEN_MS);
}

enum err
operation_run(struct visit *v, struct db_user *me, struct json_object *request, struct work *w, const char **fault)
{
	const struct kind	*k = kind_find(json_text(request, "/kind"));
	struct json_object	*doc;
	enum err		e;

	*fault = NULL;
	*w = (struct work){ .v = v };
	json_object_object_add(request, "most", json_object_new_int(v->app->config->chat.streams_each));
	if (!models_enter(v->app)) {
		*fault = "full";
		return OK;
	}
	e = db_user(me, &doc, "api.chat_operation($1::jsonb)",
	    ARGS(TEXT(json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN))));
	w->begun = doc;
	if (e == OK && json_is(doc, "/state", "refused"))
		*fault = json_text(doc, "/code");
	else if (e == OK) {
		answer_limits(v, doc);
		run(v, k, doc, w);
		*fault = work_fault(w);
	}
	models_leave(v->app);
	return e == OK && w->gone ? ERR_CLOSED : e;
}

static struct json_object *
request_new(struct visit *v, const char *kind, const char *chat)
{
	struct json_object	*request = json_new(v->q->mem);

	json_put(request, "kind", kind);
	json_put(request, "chat", chat);
	return request;
}

static enum err
of_chat(struct visit *v, struct db_user *me, const char *kind)
{
	const char		*fault;
	struct json_object	*doc;
	struct work		w;

	TRY(operation_run(v, me, request_new(v, kind, visit_param(v, "id")), &w, &fault));
	if (fault != NULL)
		return refusal_answer(v, fault, json_is(w.begun, "/state", "refused") ? w.begun : NULL);
	doc = work_metadata(&w);
	json_put(doc, kind, w.text.data != NULL ? w.text.data : "");
	return answer_json(v, 200, doc);
}

static enum err
title(struct visit *v, struct db_user *me)
{
	return of_chat(v, me, "title");
}

static enum err
summary(struct visit *v, struct db_user *me)
{
	return of_chat(v, me, "summary");
}

/* The label that the answer names but for these characters around both, or NULL. */
static const char *
label_find(struct json_object *labels, const char *text, const char *around)
{
	size_t		n, m;
	const char	*said = line_bare(text, around, &n);

	for (size_t i = 0; i < json_object_array_length(labels); i++) {
		const char	*label = json_object_get_string(json_object_array_get_idx(labels, i));
		const char	*name = line_bare(label, around, &m);

		if (n > 0 && n == m && strncasecmp(name, said, n) == 0)
			return label;
	}
	return NULL;
}

/* What is put around a label may be a part of one: "C#". NULL: a model may say anything. */
static const char *
label_named(struct json_object *labels, const char *text)
{
	const char	*label = text != NULL ? label_find(labels, text, BLANK) : NULL;

	return label == NULL && text != NULL ? label_find(labels, text, AROUND) : label;
}

/* Without "text" the conversation is meant; not with one that is something else. */
static bool
text_is_fit(struct json_object *doc)
{
	return json_at(doc, "/text") == NULL || json_whole_text(doc, "/text") != NULL;
}

static enum err
classify(struct visit *v, struct db_user *me)
{
	struct json_object	*labels = json_at(v->json, "/labels"), *doc;
	struct json_object	*request = request_new(v, "classify", visit_param(v, "id"));
	const char		*fault;
	struct work		w;
	enum err		e;

	if (!text_is_fit(v->json))
		return answer_fault(v, ERR_INVALID, "text", "must be a string without U+0000");
	if (!json_object_is_type(labels, json_type_array))
		return answer_fault(v, ERR_INVALID, "labels", "must be 2 to 20 texts of 1 to 64 characters");
	json_put(request, "text", json_text(v->json, "/text"));
	json_object_object_add(request, "labels", json_object_get(labels));
	e = operation_run(v, me, request, &w, &fault);
	if (e == ERR_INVALID)
		return answer_fault(v, e, "body",
		    "needs 2 to 20 \"labels\" of 1 to 64 characters; \"text\" is 64 KiB at most");
	TRY(e);
	if (fault != NULL)
		return refusal_answer(v, fault, json_is(w.begun, "/state", "refused") ? w.begun : NULL);
	doc = work_metadata(&w);
	json_object_object_add(doc, "label", NULL);
	json_put(doc, "label", label_named(labels, w.text.data));
	return answer_json(v, 200, doc);
}

const struct route operation_routes[] = {
	API("POST", "/api/chat/:id(word)/title", title),
	API("POST", "/api/chat/:id(word)/summary", summary),
	LARGE_API("POST", "/api/chat/:id(word)/classify", classify),
	{ 0 }
};
