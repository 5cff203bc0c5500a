/*
 * second: the second proof of a sign-in, a code by time or a recovery code. Until then the browser has a cookie of its
 * own for it, which is no session's.
 */
#include "help.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "passkey.h"
#include "session.h"
#include "signin.h"

/* The sign-in that this browser has pending, by the same setting as a session. NULL: the browser names none. */
static struct db_user *
second_identity(struct visit *v)
{
	struct secret	token;

	if (!session_read(http_cookie(v->q, SECOND_COOKIE, NULL), &token))
		return NULL;
	return identity_half(v, &token);
}

/* Too late, or after five wrong codes: only a new sign-in helps. */
static enum err
second_over(struct visit *v)
{
	struct json_object	*doc = json_new(v->q->mem);

	http_set_cookie(v->r, SECOND_COOKIE, "", 0);
	json_put_true(doc, "over");
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "title", "second_over");
	return page_status(v, 410, "second", doc);
}

static enum err
second_form(struct visit *v, struct db_user *half, int status, const char *code_error)
{
	struct json_object	*doc;

	TRY(db_user(half, &doc, "api.second_page()", NO_ARGS));
	if (!json_true(doc, "/due"))
		return second_over(v);
	TRY(visit_form(v));
	if (json_at(doc, "/keys") != NULL)
		passkey_offer(v, doc);
	json_put(doc, "passkey_action", visit_path(v, "/signin/passkey/second"));
	json_put(doc, "action", visit_path(v, "/signin/second"));
	json_put(doc, "again", visit_path(v, "/signin"));
	help_put(v->q->mem, v->app->config, doc);
	json_put(doc, "code_error", code_error);
	return page_status(v, status, "second", doc);
}

static enum err
second_show(struct visit *v, struct db_visitor *me)
{
	struct db_user	*half = second_identity(v);

	(void)me;
	return half == NULL ? http_redirect(v->r, visit_path(v, "/signin")) : second_form(v, half, v->status, NULL);
}

/* The session's token is made here, as for the first proof: a call whose reply was lost may be repeated. */
static enum err
second_prove(struct visit *v, struct db_user *half, const char *code, struct json_object **verdict)
{
	struct entrance	entry;

	TRY(entrance_new(v, &entry));
	TRY(db_user_repeat(half, verdict, "api.sign_in_second($1, $2, $3, $4::inet, $5, $6)",
	    ARGS(TEXT(code), seed_key(v), BYTES(entry.stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr),
	    TEXT(visit_agent(v)), identity_digest(v, &entry.device))));
	if (!json_true(*verdict, "/ok"))
		return OK;
	http_set_cookie(v->r, SECOND_COOKIE, "", 0);
	entry.remember = json_true(*verdict, "/remember");
	return entrance_grant(v, &entry, json_text(*verdict, "/next"));
}

static enum err
second_send(struct visit *v, struct db_visitor *me)
{
	struct db_user		*half = second_identity(v);
	const char		*code = form_get(&v->form, "code");
	struct json_object	*verdict;
	enum err		e;

	(void)me;
	if (half == NULL)
		return second_over(v);
	if (visit_fields(v, "code") != OK)
		return visit_again(v, v->path, 422, "fault_unknown_field");
	if (code == NULL || *code == '\0')
		return second_form(v, half, 422, "second_missing");
	e = second_prove(v, half, code, &verdict);
	if (e == ERR_LIMIT) {
		v->fault = "fault_second";
		return second_form(v, half, 429, NULL);
	}
	TRY(e);
	if (json_true(verdict, "/ok"))
		return OK;
	return json_int(verdict, "/attempts_left", 0) > 0 ? second_form(v, half, 422, "second_wrong") : second_over(v);
}

const struct route second_routes[] = {
	VISITOR("GET",  "/signin/second", second_show),
	VISITOR("POST", "/signin/second", second_send),
	{ 0 }
};
