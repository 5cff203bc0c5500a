/* welcome: the page to which Stripe Checkout returns. */
#include <string.h>

#include "db.h"
#include "json.h"
#include "page.h"
#include "signup.h"

static bool
is_checkout_id(const char *s)
{
	return s != NULL && strncmp(s, "cs_", 3) == 0 && strlen(s) <= 255 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s);
}

/* Shows only the state of the purchase in our database: it grants no access and shows no personal data. */
static enum err
welcome(struct visit *v, struct db_visitor *me)
{
	const char		*id, *state = "unknown";
	struct json_object	*doc = NULL;

	TRY(http_query(v->q, "session_id", &id));
	if (is_checkout_id(id))
		TRY(db_visitor(me, &doc, "api.welcome($1)", ARGS(TEXT(id))));
	if (doc == NULL)
		doc = json_new(v->q->mem);
	if (json_text(doc, "/state") != NULL)
		state = json_text(doc, "/state");
	json_put_true(doc, mem_printf(v->q->mem, "is_%s", state));
	json_put(doc, "title", mem_printf(v->q->mem, "welcome_%s", state));
	json_put(doc, "text", mem_printf(v->q->mem, "welcome_%s_text", state));
	json_put(doc, "here", mem_printf(v->q->mem, "%s?session_id=%s", visit_path(v, "/welcome"), id));
	if (strcmp(state, "ready") == 0)
		TRY(visit_form(v));
	return page_status(v, strcmp(state, "unknown") == 0 ? 404 : 200, "welcome", doc);
}

const struct route welcome_routes[] = {
	VISITOR("GET", "/welcome", welcome),
	{ 0 }
};
