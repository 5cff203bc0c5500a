/* draft: what a visitor wishes to buy, on its way to Stripe Checkout. */
#include <string.h>

#include "checkout.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "session.h"
#include "signup.h"
#include "text.h"
#include "throttle.h"

/*
 * One draft for each browser, address and plan: a second click, a reload and a retry after a time-out have the same
 * key, so they find the existing draft and its checkout session.
 */
static enum err
draft_ask(struct visit *v, struct db_visitor *me, const struct wish *w, struct json_object **draft)
{
	const char	*what, *key;

	if (w->email == NULL)
		return db_visitor(me, draft, "api.continue_draft($1, $2)", ARGS(w->link, identity_flow(v)));
	what = mem_printf(v->q->mem, "%s %s", text_email_canonical(v->q->mem, w->email), w->plan);
	key = mem_printf(v->q->mem, "\\x%s", session_key(v->q->mem, &v->flow, "signup", what));
	return db_visitor(me, draft, "api.open_draft($1::bytea, $2, $3, $4, $5, $6::inet)", ARGS(TEXT(key),
	    TEXT(w->email), TEXT(w->plan), TEXT(v->language), identity_flow(v), TEXT(v->q->remote_addr)));
}

static const char *
welcome_path(struct visit *v, const char *session)
{
	return visit_path(v, mem_printf(v->q->mem, "/welcome?session_id=%s", session));
}

/*
 * A checkout session of the draft whose day is over ("/expire") is closed first; when it has been paid, *url is its
 * welcome page. ERR_CONFLICT: this attempt's idempotency key is spent, and the draft's next attempt may be tried.
 */
static enum err
checkout_begin(struct visit *v, struct db_visitor *me, struct json_object *draft, const char **url)
{
	const char	*key = mem_printf(v->q->mem, "\\x%s", json_text(draft, "/key"));
	const char	*language = json_text(draft, "/language"), *other = json_text(draft, "/expire"), *id;
	int64_t		attempt = checkout_attempt(draft);
	enum err	e = other != NULL ? checkout_close(v, other) : OK;

	if (e == ERR_CONFLICT) {
		*url = welcome_path(v, other);
		return OK;
	}
	TRY(e);
	e = checkout_open(v, draft, mem_printf(v->q->mem, "/%s/welcome?session_id={CHECKOUT_SESSION_ID}", language),
	    mem_printf(v->q->mem, "/%s/signup?plan=%s&from=checkout", language, json_text(draft, "/plan")), &id, url);
	if (e == ERR_CONFLICT)
		TRY(db_visitor(me, NULL, "api.checkout_expired($1::bytea, $2::int)", ARGS(TEXT(key), INT(attempt))));
	TRY(e);
	e = db_visitor(me, NULL, "api.checkout_opened($1::bytea, $2::int, $3, $4, $5::boolean)",
	    ARGS(TEXT(key), INT(attempt), TEXT(id), TEXT(*url), BOOL(checkout_trial(v, draft) > 0)));
	if (e != OK)
		return checkout_unrecorded(v, id, e);
	return *url == NULL ? ERR_UNAVAILABLE : OK;
}

static enum err
waiting_page(struct visit *v, struct json_object *draft)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put(doc, "email", json_text(draft, "/email"));
	return page_status(v, 200, "waiting", doc);
}

/* The answer of the database may be lost: asking again finds the same draft. */
static enum err
draft_read(struct visit *v, struct db_visitor *me, const struct wish *w, struct json_object **draft)
{
	enum err	e = draft_ask(v, me, w, draft);

	return throttle_note(v, "draft", e == ERR_UNCERTAIN ? draft_ask(v, me, w, draft) : e);
}

/* The page of a checkout session that is open ("/url") is given again, without a call to Stripe. */
enum err
draft_begin(struct visit *v, struct db_visitor *me, const struct wish *w)
{
	struct json_object	*draft;
	const char		*url;
	enum err		e = ERR_CONFLICT;

	for (int attempt = 0; attempt < 2 && e == ERR_CONFLICT; attempt++) {
		TRY(draft_read(v, me, w, &draft));
		if (json_is(draft, "/state", "complete"))
			return http_redirect(v->r, welcome_path(v, json_text(draft, "/session")));
		if (json_is(draft, "/state", "waits"))
			return waiting_page(v, draft);
		url = json_text(draft, "/url");
		e = url != NULL ? OK : checkout_begin(v, me, draft, &url);
	}
	TRY(e);
	return http_redirect(v->r, url);
}

enum err
draft_again(struct visit *v, struct db_visitor *me, enum err e, visitor_handler *show)
{
	if (e != ERR_LIMIT && e != ERR_CONFLICT && e != ERR_BAD_REQUEST && err_info(e)->status < 500)
		return e;
	v->status = e == ERR_LIMIT ? 429 : e == ERR_BAD_REQUEST ? 422 : 503;
	v->fault = e == ERR_LIMIT ? "fault_limit" : checkout_fault(e);
	TRY(show(v, me));
	if (v->status == 503)
		http_header(v->r, "Retry-After", "5");
	return OK;
}
