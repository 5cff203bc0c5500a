#include "proof.h"

#include <string.h>

#include "identity.h"
#include "json.h"
#include "page.h"

/* state: sent, usable, code_needed or unusable, each a part of the template. */
static enum err
proof_page(struct visit *v, const struct proof *p, int status, const char *state, const char *code_error,
    const char *password_error)
{
	struct json_object	*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, mem_printf(v->q->mem, "/%s/link", p->purpose)));
	json_put(doc, "again", visit_path(v, mem_printf(v->q->mem, "/%s", p->purpose)));
	json_put(doc, "token", p->token);
	json_put(doc, "code", p->code);
	json_put(doc, "email", p->email);
	json_put(doc, "code_error", code_error);
	json_put(doc, "password_error", password_error);
	json_put_true(doc, state);
	if (p->email == NULL || p->own)
		json_put_true(doc, "own");
	json_put(doc, "title", strcmp(state, "unusable") == 0 ? "link_unusable" : NULL);
	return page_status(v, status, mem_printf(v->q->mem, "%s_link", p->purpose), doc);
}

enum err
proof_over(struct visit *v, const char *purpose)
{
	return proof_page(v, &(struct proof){ .purpose = purpose }, 410, "unusable", NULL, NULL);
}

enum err
proof_again(struct visit *v, const struct proof *p, const char *password_error)
{
	return proof_page(v, p, 422, "usable", NULL, password_error);
}

/* Mail scanners follow links, so a GET changes nothing. After a form that was too old its own token is shown again. */
enum err
proof_show(struct visit *v, struct db_visitor *me, const char *purpose)
{
	struct proof		p = { .purpose = purpose, .own = true };
	struct json_object	*doc;
	const char		*state;

	TRY(visit_shown(v, "t", &p.token));
	if (p.token == NULL)
		return proof_page(v, &p, v->status, "sent", NULL, NULL);
	if (!identity_link(v, p.token, &p.link))
		return proof_page(v, &p, v->fault == NULL ? 404 : v->status, "unusable", NULL, NULL);
	TRY(db_visitor(me, &doc, "api.proof_state($1, $2, $3)", ARGS(TEXT(purpose), p.link, identity_flow(v))));
	state = json_text(doc, "/state");
	if (state == NULL)
		return ERR_INTERNAL;
	p.email = json_text(doc, "/email");
	return proof_page(v, &p, json_is(doc, "/state", "unusable") ? 410 : v->status, state, NULL, NULL);
}

/* A code that is wrong may be typed again, while attempts are left. Without a link there may be no request at all. */
static enum err
proof_missing(struct visit *v, const struct proof *p, struct json_object *verdict)
{
	const char	*error = p->code == NULL ? "code_missing" : "code_wrong";

	if (p->token == NULL)
		return proof_page(v, p, 422, "sent", error, NULL);
	return json_int(verdict, "/attempts_left", 0) > 0 ? proof_page(v, p, 422, "code_needed", error, NULL) :
	    proof_over(v, p->purpose);
}

enum err
proof_check(struct visit *v, struct db_visitor *me, const char *purpose, struct proof *out, bool *proven)
{
	const char		*code = form_get(&v->form, "code");
	struct json_object	*verdict;

	*proven = false;
	*out = (struct proof){ .purpose = purpose, .token = form_get(&v->form, "t"), .link = SQL_NULL, .own = true };
	out->code = code != NULL && *code != '\0' ? code : NULL;
	if (visit_fields(v, "t code password remember") != OK || (out->token && !identity_link(v, out->token, &out->link)))
		return proof_over(v, purpose);
	TRY(db_visitor(me, &verdict, "api.check_proof($1, $2, $3, $4)",
	    ARGS(TEXT(purpose), out->link, TEXT(out->code), identity_flow(v))));
	*proven = json_true(verdict, "/ok");
	if (!*proven)
		return proof_missing(v, out, verdict);
	out->email = json_text(verdict, "/email");
	out->own = json_true(verdict, "/own");
	return OK;
}
