/* continue: the mailed link of a draft that waits, which leads on to Stripe Checkout. */
#include <string.h>

#include "identity.h"
#include "json.h"
#include "page.h"
#include "signup.h"

static enum err
continue_form(struct visit *v, int status, const char *token, struct json_object *draft)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*state = json_text(draft, "/state") != NULL ? json_text(draft, "/state") : "unusable";
	bool			over = strcmp(state, "unusable") == 0 || strcmp(state, "complete") == 0;

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signup/continue"));
	json_put(doc, "signup", visit_path(v, "/signup"));
	json_put(doc, "token", token);
	json_put(doc, "plan", json_text(draft, "/plan"));
	json_put_true(doc, state);
	json_put(doc, "title", over ? mem_printf(v->q->mem, "continue_%s", state) : NULL);
	return page_status(v, status, "continue", doc);
}

/*
 * Mail scanners follow links, so a GET changes nothing: only the button goes on. After a form that was too old
 * (v->fault), the token comes from that form.
 */
static enum err
continue_show(struct visit *v, struct db_visitor *me)
{
	const char		*token;
	struct json_object	*draft = NULL;
	struct db_arg		link;

	TRY(visit_shown(v, "t", &token));
	if (!identity_link(v, token, &link))
		return continue_form(v, v->fault == NULL ? 404 : v->status, NULL, NULL);
	TRY(db_visitor(me, &draft, "api.waiting_draft($1, $2)", ARGS(link, identity_flow(v))));
	return continue_form(v, draft == NULL ? 410 : v->status, token, draft);
}

static enum err
continue_send(struct visit *v, struct db_visitor *me)
{
	const char	*token = form_get(&v->form, "t");
	struct wish	wish = { 0 };
	enum err	e;

	if (visit_fields(v, "t") != OK || !identity_link(v, token, &wish.link))
		return continue_form(v, 422, NULL, NULL);
	e = draft_begin(v, me, &wish);
	if (e == ERR_NOT_FOUND)
		return continue_form(v, 410, NULL, NULL);
	return draft_again(v, me, e, continue_show);
}

const struct route continue_routes[] = {
	VISITOR("GET",  "/signup/continue", continue_show),
	VISITOR("POST", "/signup/continue", continue_send),
	{ 0 }
};
