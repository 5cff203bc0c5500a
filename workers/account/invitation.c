/* invitation: the page that a mailed invitation leads to. Its link proves the invited mailbox. */
#include <string.h>

#include "account.h"
#include "entrance.h"
#include "identity.h"
#include "json.h"
#include "page.h"

#define INVITATION "/invitation"

/* As the session's user where there is a session, whose pages this is not one of: it also serves visitors. */
static enum err
ask(struct visit *v, struct db_visitor *me, struct db_arg link, struct json_object **doc)
{
	if (v->has_session)
		return db_user(identity_user(v), doc, "api.invitation($1)", ARGS(link));
	return db_visitor(me, doc, "api.invitation($1)", ARGS(link));
}

static enum err
accept_it(struct visit *v, struct db_visitor *me, struct db_arg link, struct session *renewed,
    struct json_object **doc)
{
	struct secret	stored;

	if (v->has_session) {
		TRY(session_renew(renewed, &stored));
		return db_user(identity_user(v), doc, "api.accept_invitation($1, $2, $3, $4, $5::inet, $6)",
		    ARGS(link, identity_flow(v), TEXT(v->language), BYTES(stored.bytes, SECRET_SIZE),
		    TEXT(v->q->remote_addr), TEXT(visit_agent(v))));
	}
	return db_visitor(me, doc, "api.accept_invitation($1, $2, $3)", ARGS(link, identity_flow(v), TEXT(v->language)));
}

static enum err
show_gone(struct visit *v, int status)
{
	struct json_object	*doc = json_new(v->q->mem);

	json_put_true(doc, "gone");
	json_put(doc, "title", "invitation_gone");
	return page_status(v, status, "invitation", doc);
}

/* Mail scanners follow links, so a GET changes nothing: only the button accepts. */
static enum err
show(struct visit *v, struct db_visitor *me)
{
	struct json_object	*doc;
	struct db_arg		link;
	const char		*token;

	TRY(visit_shown(v, "t", &token));
	if (!identity_link(v, token, &link))
		return show_gone(v, 404);
	TRY(ask(v, me, link, &doc));
	if (json_is(doc, "/state", "gone"))
		return show_gone(v, 410);
	TRY(visit_form(v));
	json_put(doc, "token", token);
	json_put_true(doc, json_text(doc, "/state"));
	return page(v, "invitation", doc);
}

static enum err
take(struct visit *v, struct db_visitor *me)
{
	struct json_object	*doc;
	struct db_arg		link;
	struct session		renewed = v->session;

	if (visit_fields(v, "t") != OK || !identity_link(v, form_get(&v->form, "t"), &link))
		return ERR_INVALID;
	TRY(accept_it(v, me, link, &renewed, &doc));
	if (json_is(doc, "/state", "accepted"))
		return entrance_renew(v, &renewed, doc, "invitation", "/workspace");
	if (json_is(doc, "/state", "mailed"))
		return http_redirect(v->r, visit_path(v, "/signin/code"));
	return json_is(doc, "/state", "other") ? visit_again(v, INVITATION, 409, "fault_other_user") : show_gone(v, 410);
}

const struct route invitation_routes[] = {
	VISITOR("GET",  "/invitation", show),
	VISITOR("POST", "/invitation", take),
	{ 0 }
};
