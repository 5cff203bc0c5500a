/* account: signing in by mail, signing out, and the first page behind it. */
#include <string.h>

#include "json.h"
#include "session.h"
#include "text.h"
#include "worker.h"

enum { REMEMBER_SECONDS = 30 * 24 * 3600 };

/* Where a sign-in may lead. Anything else becomes the first. */
static const char *const targets[] = { "/workspace", "/settings/billing", NULL };

/* Old and guessed names of pages. */
static const struct {
	const char	*from, *to;
} aliases[] = {
	{ "/login", "/signin" },
	{ "/register", "/signup" },
	{ "/dashboard", "/workspace" },
	{ "/dashboard/billing", "/settings/billing" },
};

static const char *
target_allowed(const char *path)
{
	for (size_t i = 0; targets[i] != NULL; i++)
		if (path != NULL && strcmp(path, targets[i]) == 0)
			return targets[i];
	return targets[0];
}

static enum err
home(struct visit *v, struct db_visitor *me)
{
	(void)me;
	return http_redirect(v->r, visit_is_member(v) ? "/workspace" : visit_path(v, "/signup"));
}

static enum err
alias(struct visit *v, struct db_visitor *me)
{
	(void)me;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcmp(v->route->path, aliases[i].from) == 0)
			return http_redirect(v->r, visit_path(v, aliases[i].to));
	return ERR_NOT_FOUND;
}

static enum err
style(struct visit *v, struct db_visitor *me)
{
	(void)me;
	http_header(v->r, "Cache-Control", "public, max-age=31536000, immutable");
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	http_body(v->r, 200, "text/css; charset=utf-8", v->app->pages->style, strlen(v->app->pages->style));
	return OK;
}

static enum err
signin_form(struct visit *v, int status, const char *next, const char *email_error)
{
	struct json_object	*doc = json_new(v->q->mem);
	const char		*email = form_get(&v->form, "email");

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin"));
	json_put(doc, "signup", visit_path(v, "/signup"));
	json_put(doc, "email", email == NULL ? "" : email);
	json_put(doc, "next", target_allowed(next));
	json_put(doc, "email_error", email_error);
	return page_status(v, status, "signin", doc);
}

static enum err
signin_show(struct visit *v, struct db_visitor *me)
{
	const char	*next = form_get(&v->q->query, "next");

	(void)me;
	if (visit_is_member(v))
		return http_redirect(v->r, target_allowed(next));
	return signin_form(v, v->status, next, NULL);
}

/* The same answer, and the same work in the database, whether anybody has that address or not. */
static enum err
signin_send(struct visit *v, struct db_visitor *me)
{
	const char		*given = form_get(&v->form, "email"), *next = form_get(&v->form, "next"), *email;
	struct json_object	*nothing;

	if (visit_fields(v, "email next") != OK)
		return visit_again(v, 422, "fault_unknown_field");
	email = text_trim(v->q->mem, given == NULL ? "" : given);
	if (!text_is_email(email))
		return signin_form(v, 422, next, *email == '\0' ? "email_missing" : "email_wrong");
	TRY(db_visitor(me, &nothing, "api.request_link($1, $2, $3, $4, $5::inet)",
	    ARGS(TEXT(email), visit_flow(v), TEXT(target_allowed(next)), TEXT(v->language), TEXT(v->q->remote_addr))));
	return http_redirect(v->r, visit_path(v, "/signin/code"));
}

static enum err
code_form(struct visit *v, int status, const char *code_error)
{
	struct json_object	*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin/code"));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "code_error", code_error);
	return page_status(v, status, "code", doc);
}

static enum err
code_show(struct visit *v, struct db_visitor *me)
{
	(void)me;
	return code_form(v, v->status, NULL);
}

/* SHA-256 of the link's bytes, as the database keeps it; false for what is no link. */
static bool
link_hash(struct visit *v, const char *token, struct db_arg *out)
{
	struct secret	bytes, hash;

	if (!session_read(token, &bytes))
		return false;
	hash = secret_sha256("", bytes.bytes, SECRET_SIZE);
	*out = BYTES(mem_copy(v->q->mem, hash.bytes, SECRET_SIZE), SECRET_SIZE);
	return true;
}

static enum err
link_form(struct visit *v, int status, const char *state, const char *token, const char *code_error)
{
	struct json_object	*doc = json_new(v->q->mem);

	TRY(visit_form(v));
	json_put(doc, "action", visit_path(v, "/signin/link"));
	json_put(doc, "again", visit_path(v, "/signin"));
	json_put(doc, "token", token);
	json_put(doc, "code_error", code_error);
	json_put_true(doc, state);
	return page_status(v, status, "link", doc);
}

/* Mail scanners follow links: looking changes nothing, the button does. A form that was too old brings its own token. */
static enum err
link_show(struct visit *v, struct db_visitor *me)
{
	const char		*token = form_get(v->fault == NULL ? &v->q->query : &v->form, "t"), *state;
	struct json_object	*doc;
	struct db_arg		hash;

	if (!link_hash(v, token, &hash))
		return link_form(v, v->fault == NULL ? 404 : v->status, "unusable", NULL, NULL);
	TRY(db_visitor(me, &doc, "api.link_state($1, $2)", ARGS(hash, visit_flow(v))));
	state = json_text(doc, "/state");
	if (state == NULL)
		return ERR_INTERNAL;
	return link_form(v, json_is(doc, "/state", "unusable") ? 410 : v->status, state, token, NULL);
}

/* A session never outlives the sign-in that replaces it. */
static void
session_end(struct visit *v)
{
	struct json_object	*nothing;

	if (v->has_session && db_user(visit_user(v), &nothing, "api.sign_out()", NO_ARGS) != OK)
		v->has_session = false;
}

/*
 * Proof is the link with the browser that asked for it, the link with the code, or that browser with the code. The new
 * session's token is made here and only its digest leaves; the same call may be repeated when its reply was lost.
 */
static enum err
session_begin(struct visit *v, struct db_visitor *me, struct db_arg link, struct json_object **verdict)
{
	const char	*code = form_get(&v->form, "code"), *agent = http_param(v->q, "HTTP_USER_AGENT", NULL);
	struct secret	token, d, hash;
	enum err	e;

	TRY(secret_random(&token));
	d = secret_sha256("db1", token.bytes, SECRET_SIZE);
	hash = secret_sha256("", d.bytes, SECRET_SIZE);
	for (int attempt = 0; attempt < 3; attempt++) {
		e = db_visitor(me, verdict, "api.sign_in($1, $2, $3, $4, $5::inet, $6)",
		    ARGS(link, TEXT(code), visit_flow(v), BYTES(hash.bytes, SECRET_SIZE), TEXT(v->q->remote_addr),
		    TEXT(agent == NULL ? "" : agent)));
		if (e != ERR_UNCERTAIN)
			break;
	}
	TRY(e);
	if (!json_true(*verdict, "/ok"))
		return OK;
	session_end(v);
	http_set_cookie(v->r, SESSION_COOKIE, secret_base64url(v->q->mem, &token), REMEMBER_SECONDS);
	return http_redirect(v->r, target_allowed(json_text(*verdict, "/next")));
}

static enum err
code_send(struct visit *v, struct db_visitor *me)
{
	struct json_object	*verdict;

	if (visit_fields(v, "code") != OK)
		return visit_again(v, 422, "fault_unknown_field");
	if (form_get(&v->form, "code") == NULL || *form_get(&v->form, "code") == '\0')
		return code_form(v, 422, "code_missing");
	TRY(session_begin(v, me, SQL_NULL, &verdict));
	return json_true(verdict, "/ok") ? OK : code_form(v, 422, "code_wrong");
}

static enum err
link_send(struct visit *v, struct db_visitor *me)
{
	const char		*token = form_get(&v->form, "t");
	struct json_object	*verdict;
	struct db_arg		hash;

	if (visit_fields(v, "t code") != OK || !link_hash(v, token, &hash))
		return link_form(v, 422, "unusable", NULL, NULL);
	TRY(session_begin(v, me, hash, &verdict));
	if (json_true(verdict, "/ok"))
		return OK;
	if (json_int(verdict, "/attempts_left", 0) > 0)
		return link_form(v, 422, "code_needed", token, "code_wrong");
	return link_form(v, 410, "unusable", NULL, NULL);
}

static enum err
workspace(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.workspace_page()", NO_ARGS));
	return page(v, "workspace", doc);
}

static enum err
signout_show(struct visit *v, struct db_user *me)
{
	struct json_object	*known;

	TRY(db_user(me, &known, "api.signed_in()", NO_ARGS));
	return json_true(known, "") ? page(v, "signout", NULL) : ERR_AUTH;
}

/* First in the database, then in the browser. */
static enum err
signout(struct visit *v, struct db_user *me)
{
	struct json_object	*nothing;

	TRY(db_user(me, &nothing, "api.sign_out()", NO_ARGS));
	http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	return http_redirect(v->r, visit_path(v, "/signin"));
}

static const struct route routes[] = {
	VISITOR("GET",  "/", home),
	VISITOR("GET",  "/style.css", style),
	VISITOR("GET",  "/login", alias),
	VISITOR("GET",  "/register", alias),
	VISITOR("GET",  "/dashboard", alias),
	VISITOR("GET",  "/dashboard/billing", alias),
	VISITOR("GET",  "/signin", signin_show),
	VISITOR("POST", "/signin", signin_send),
	VISITOR("GET",  "/signin/code", code_show),
	VISITOR("POST", "/signin/code", code_send),
	VISITOR("GET",  "/signin/link", link_show),
	VISITOR("POST", "/signin/link", link_send),
	USER("GET",  "/workspace", workspace),
	USER("GET",  "/signout", signout_show),
	USER("POST", "/signout", signout),
	{ 0 }
};

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		"account", "Signing in by mail, signing out, the workspace.", 0, .routes = routes,
	}, argc, argv);
}
