/* welcome: the page to which Stripe Checkout returns. */
#include <string.h>

#include "db.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "signup.h"
#include "text.h"

static bool
is_checkout_id(const char *s)
{
	return s != NULL && strncmp(s, "cs_", 3) == 0 && strlen(s) <= 255 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s);
}

/* What this browser may know of the purchase: {"state", ...} */
static enum err
purchase_read(struct visit *v, struct db_visitor *me, const char *id, struct json_object **doc)
{
	*doc = NULL;
	if (is_checkout_id(id))
		TRY(db_visitor(me, doc, "api.welcome($1, $2)", ARGS(TEXT(id), identity_flow(v))));
	if (*doc == NULL)
		*doc = json_new(v->q->mem);
	json_put(*doc, "session", id);
	json_put(*doc, "here", mem_printf(v->q->mem, "%s?session_id=%s", visit_path(v, "/welcome"), id));
	return OK;
}

/* The form for another address. email_error: what is wrong with the one that was given, or NULL. */
static enum err
correct_form(struct visit *v, struct json_object *doc, const char *email_error)
{
	json_put(doc, "typed", form_get(&v->form, "email"));
	json_put(doc, "email_error", email_error);
	TRY(visit_form(v));
	return page_status(v, email_error ? 422 : v->status, "correct", doc);
}

/*
 * Shows only the state of the purchase in our database: it grants no access, and shows the address to the browser that
 * bought alone, which may correct it.
 */
static enum err
welcome(struct visit *v, struct db_visitor *me)
{
	const char		*id, *correct, *state;
	struct json_object	*doc;

	TRY(visit_shown(v, "session_id", &id));
	TRY(visit_shown(v, "correct", &correct));
	TRY(purchase_read(v, me, id, &doc));
	if (correct == NULL)			/* after a form that was too old, what was typed stands in it again */
		correct = form_get(&v->form, "email");
	if (correct && json_true(doc, "/may_correct"))
		return correct_form(v, doc, NULL);
	state = json_text(doc, "/state") ? json_text(doc, "/state") : "unknown";
	json_put_true(doc, mem_printf(v->q->mem, "is_%s", state));
	json_put(doc, "title", mem_printf(v->q->mem, "welcome_%s", state));
	json_put(doc, "text", mem_printf(v->q->mem, "welcome_%s_text", state));
	if (strcmp(state, "ready") == 0)
		TRY(visit_form(v));
	return page_status(v, strcmp(state, "unknown") == 0 ? 404 : v->status, "welcome", doc);
}

/* Another address for what this browser has bought, once. What may not be corrected any more is shown as it is. */
static enum err
correct(struct visit *v, struct db_visitor *me)
{
	const char		*id = form_get(&v->form, "session_id"), *given = form_get(&v->form, "email"), *email;
	struct json_object	*doc;
	enum err		e;

	if (visit_fields(v, "email session_id") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	TRY(purchase_read(v, me, id, &doc));
	if (!is_checkout_id(id) || !json_true(doc, "/may_correct"))
		return http_redirect(v->r, visit_path(v, is_checkout_id(id) ?
		    mem_printf(v->q->mem, "/welcome?session_id=%s", id) : "/welcome"));
	email = text_trim(v->q->mem, given ? given : "");
	if (!text_is_email(email))
		return correct_form(v, doc, *email == '\0' ? "email_missing" : "email_wrong");
	e = db_visitor(me, NULL, "api.correct_address($1, $2, $3)", ARGS(TEXT(id), identity_flow(v), TEXT(email)));
	if (e == ERR_INVALID)
		return correct_form(v, doc, "correct_same");
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return http_redirect(v->r, visit_path(v, mem_printf(v->q->mem, "/welcome?session_id=%s", id)));
}

const struct route welcome_routes[] = {
	VISITOR("GET", "/welcome", welcome),
	VISITOR("POST", "/welcome", correct),
	{ 0 }
};
