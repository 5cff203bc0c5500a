/* connect: an identity that waits for a mailbox is confirmed by a mailed link or its code, and signs in. */
#include "authn.h"
#include "entrance.h"
#include "identity.h"
#include "json.h"
#include "page.h"

/* state: sent, usable, code_needed or unusable, each a part of the template. said: whose link it is, or NULL. */
static enum err
connect_page(struct visit *v, int status, const char *state, const char *token, struct json_object *said,
    const char *code_error)
{
	static const char *const	names[] = { "email", "provider", "known_as" };
	struct json_object		*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin/connect"));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "token", token);
	for (size_t i = 0; said != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		json_put(doc, names[i], json_text(said, mem_printf(v->q->mem, "/%s", names[i])));
	json_put(doc, "code_error", code_error);
	json_put_true(doc, state);
	return page_status(v, status, "connect", doc);
}

static enum err
over(struct visit *v)
{
	return connect_page(v, 410, "unusable", NULL, NULL, NULL);
}

/* Mail scanners follow links, so a GET changes nothing. Without a link it is the page that waits for the mail. */
static enum err
connect_show(struct visit *v, struct db_visitor *me)
{
	struct json_object	*doc;
	struct db_arg		link;
	const char		*token, *state;

	TRY(visit_shown(v, "t", &token));
	if (token == NULL)
		return connect_page(v, v->status, "sent", NULL, NULL, NULL);
	if (!identity_link(v, token, &link))
		return connect_page(v, v->fault == NULL ? 404 : v->status, "unusable", NULL, NULL, NULL);
	TRY(db_visitor(me, &doc, "api.proof_state($1, $2, $3)", ARGS(TEXT("connect"), link, identity_flow(v))));
	state = json_text(doc, "/state");
	if (state == NULL)
		return ERR_INTERNAL;
	return connect_page(v, json_is(doc, "/state", "unusable") ? 410 : v->status, state, token, doc, NULL);
}

/* The token is made here, so a call whose reply was lost may be repeated. */
static enum err
verdict_ask(struct visit *v, struct db_visitor *me, struct db_arg link, const char *code, struct entrance *entry,
    struct json_object **verdict)
{
	TRY(entrance_new(v, entry));
	return db_visitor_repeat(me, verdict, "api.connect_by_link($1, $2, $3, $4, $5::inet, $6, $7)",
	    ARGS(link, TEXT(code), identity_flow(v), BYTES(entry->stored.bytes, SECRET_SIZE), TEXT(v->q->remote_addr),
	    TEXT(visit_agent(v)), identity_digest(v, &entry->device)));
}

static enum err
connect_send(struct visit *v, struct db_visitor *me)
{
	const char		*token = form_get(&v->form, "t"), *code = form_get(&v->form, "code"), *wrong;
	struct db_arg		link = SQL_NULL;
	struct json_object	*verdict;
	struct entrance		entry;

	if (visit_fields(v, "t code") != OK || (token != NULL && !identity_link(v, token, &link)))
		return over(v);
	code = code != NULL && *code != '\0' ? code : NULL;
	TRY(verdict_ask(v, me, link, code, &entry, &verdict));
	if (json_true(verdict, "/ok"))
		return json_true(verdict, "/second") ? entrance_ask_second(v, &entry) :
		    entrance_grant(v, &entry, json_text(verdict, "/next"));
	wrong = code == NULL ? "code_missing" : "code_wrong";
	if (token == NULL)
		return connect_page(v, 422, "sent", NULL, NULL, wrong);
	if (json_int(verdict, "/attempts_left", 0) <= 0)
		return over(v);
	return connect_page(v, 422, "code_needed", token, NULL, wrong);
}

const struct route connect_routes[] = {
	VISITOR("GET",  "/signin/connect", connect_show),
	VISITOR("POST", "/signin/connect", connect_send),
	{ 0 }
};
