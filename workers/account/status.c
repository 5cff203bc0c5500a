/*
 * status: how the site is, for everybody: a page, and JSON. Each process asks the database once in a few seconds,
 * however often it is asked. Without a database the answer is 503, and says so.
 */
#include "account.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "db.h"
#include "json.h"
#include "page.h"
#include "pages.h"

enum { KEPT_MS = 5000 };

/* Threads that come while one asks get what was known before. */
static bool
status_known(struct status *s, mem_ctx *mem, char **text)
{
	bool	known;

	pthread_mutex_lock(&s->lock);
	known = *s->text != '\0' && (s->asking || clock_ms() - s->asked_at < KEPT_MS);
	if (known)
		*text = mem_printf(mem, "%s", s->text);
	else
		s->asking = true;
	pthread_mutex_unlock(&s->lock);
	return known;
}

/* text NULL, or one that is too long: nothing is known for the next who asks. */
static void
status_keep(struct status *s, const char *text)
{
	bool	fits = text != NULL && strlen(text) < sizeof(s->text);

	pthread_mutex_lock(&s->lock);
	snprintf(s->text, sizeof(s->text), "%s", fits ? text : "");
	s->asked_at = clock_ms();
	s->asking = false;
	pthread_mutex_unlock(&s->lock);
}

static struct json_object *
status_down(mem_ctx *mem)
{
	static const char	down[] = "{\"state\":\"down\",\"database\":{\"state\":\"down\"}}";
	struct json_object	*doc;

	return json_parse(mem, down, strlen(down), &doc) == OK ? doc : json_new(mem);
}

static enum err
status_ask(struct visit *v, struct status *s, char **text)
{
	struct json_object	*doc;
	enum err		e = db_visitor(db_as_visitor(v->q->mem, v->app->db), &doc, "api.site_status()", NO_ARGS);

	if (e == ERR_UNAVAILABLE || e == ERR_UNCERTAIN) {
		doc = status_down(v->q->mem);
		e = OK;
	}
	*text = e == OK ? mem_printf(v->q->mem, "%s", json_object_to_json_string(doc)) : NULL;
	status_keep(s, *text);
	return e;
}

static enum err
status(struct visit *v, struct json_object **doc, int *code)
{
	struct status	*s = v->app->own;
	char		*text;

	if (!status_known(s, v->q->mem, &text))
		TRY(status_ask(v, s, &text));
	TRY(json_parse(v->q->mem, text, strlen(text), doc));
	*code = json_is(*doc, "/state", "down") ? err_info(ERR_UNAVAILABLE)->status : 200;
	if (*code != 200)
		http_header(v->r, "Retry-After", "5");
	return OK;
}

/* For scripts. */
static enum err
list(struct visit *v)
{
	struct json_object	*doc;
	int			code;

	TRY(status(v, &doc, &code));
	if (code != 200)
		answer_put_error(doc, err_info(ERR_UNAVAILABLE)->name, err_info(ERR_UNAVAILABLE)->sentence);
	return answer_json(v, code, doc);
}

/* The looks of a state, and the text that names it. */
static const struct look {
	const char	*state, *class, *said;
} looks[] = {
	{ "up", "good", "health_up" },
	{ "idle", "", "health_idle" },
	{ "unknown", "warn", "health_unknown" },
	{ "delayed", "warn", "health_delayed" },
	{ "elevated", "warn", "health_elevated" },
	{ "degraded", "warn", "health_degraded" },
	{ "down", "bad", "health_down" },
};

static void
look_put(struct json_object *row)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		if (json_is(row, "/state", looks[i].state)) {
			json_put(row, "class", looks[i].class);
			json_put(row, "said", looks[i].said);
		}
	}
}

/*
 * A moment of the document, with the time of day beside the date. label: the text that says what was then. Null where
 * there is none, else a template would find that of the whole document.
 */
static void
moment_put(struct json_object *row, struct json_object *at, const char *label)
{
	const char	*iso = json_text(at, "/iso");
	char		clock[sizeof("00:00")] = "";

	json_object_object_add(row, "moment", NULL);
	if (iso == NULL || strlen(iso) < strlen("0000-00-00T00:00"))
		return;
	memcpy(clock, iso + strlen("0000-00-00T"), sizeof(clock) - 1);
	json_put(at, "clock", clock);
	json_object_object_add(row, "moment", json_object_get(at));
	json_put(row, "label", label);
}

/* What a program is to people; one without a text of ours has its name. */
static void
program_show(struct visit *v, struct json_object *row)
{
	const char	*name = json_text(row, "/name"), *called = mem_printf(v->q->mem, "program_%s", name);

	if (pages_partial(pages_language(v->app->pages, v->language), called) != NULL)
		json_put(row, "called", called);
	moment_put(row, json_at(row, "/since"), "health_since");
	look_put(row);
}

static void
model_show(struct json_object *row)
{
	moment_put(row, json_is(row, "/breaker", "open") ? json_at(row, "/until") : NULL, "health_until");
	if (json_is(row, "/breaker", "half"))
		json_put(row, "note", "health_half");
	look_put(row);
}

static void
part_add(struct json_object *rows, struct json_object *part, const char *called, const char *at, const char *label)
{
	if (part == NULL)
		return;
	json_put(part, "called", called);
	moment_put(part, json_at(part, at), label);
	look_put(part);
	json_object_array_add(rows, json_object_get(part));
}

static void
stripe_show(struct json_object *stripe)
{
	if (json_is(stripe, "/pace", "paused"))
		json_put(stripe, "note", "health_paused");
	else if (json_is(stripe, "/pace", "busy"))
		json_put(stripe, "note", "health_busy");
}

static void
parts_show(struct json_object *doc)
{
	struct json_object	*rows = json_object_new_array();
	struct json_object	*stripe = json_at(doc, "/stripe"), *mail = json_at(doc, "/mail");
	bool			refused = json_is(stripe, "/state", "down"), late = json_is(mail, "/state", "delayed");

	part_add(rows, json_at(doc, "/database"), "health_database", "/since", "health_since");
	part_add(rows, stripe, "health_stripe", refused ? "/since" : "/answered", refused ? "health_since" :
	    "health_answered");
	stripe_show(stripe);
	part_add(rows, mail, "health_mail", late ? "/waits_since" : "/looked", late ? "health_waits" : "health_looked");
	json_object_object_add(doc, "parts", rows);
}

static void
status_show(struct visit *v, struct json_object *doc)
{
	struct json_object	*programs = json_at(doc, "/programs"), *models = json_at(doc, "/models");

	for (size_t i = 0; programs != NULL && i < json_object_array_length(programs); i++)
		program_show(v, json_object_array_get_idx(programs, i));
	for (size_t i = 0; models != NULL && i < json_object_array_length(models); i++)
		model_show(json_object_array_get_idx(models, i));
	if (programs != NULL)
		json_put_true(doc, "any_program");
	if (models != NULL && json_object_array_length(models) > 0)
		json_put_true(doc, "any_model");
	parts_show(doc);
	look_put(doc);
	moment_put(doc, json_at(doc, "/at"), "health_at");
	json_put(doc, "whole", mem_printf(v->q->mem, "health_all_%s", json_text(doc, "/state")));
	json_put(doc, "title", "health_title");		/* also with 503: the page is no error */
}

static enum err
show(struct visit *v)
{
	struct json_object	*doc;
	int			code;

	if (http_wants_json(v->q))
		return list(v);
	TRY(status(v, &doc, &code));
	status_show(v, doc);
	return page_status(v, code, "status", doc);
}

const struct route status_routes[] = {
	PUBLIC("/status", show),
	PUBLIC("/api/status", list),
	{ 0 }
};
