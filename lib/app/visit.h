/* visit: one request on its way through a program, as its handler sees it. */
#ifndef TOLLGATE_VISIT_H
#define TOLLGATE_VISIT_H

#include <json-c/json.h>

#include "app.h"
#include "db.h"
#include "http.h"
#include "route.h"
#include "secret.h"
#include "session.h"

struct visit {
	const struct app		*app;
	const struct route *const	*routes;	/* the worker's tables */
	const struct route		*route;		/* NULL when no row matches */
	struct route_params		params;		/* of the route: visit_param() */
	const char			*path;		/* without the language */
	struct http_req			*q;
	struct http_res			*r;
	struct form			form;		/* the body, when it is a form */
	struct json_object		*json;		/* the body, when it is JSON; else NULL */
	const char			*language;
	bool				prefixed;	/* the path named the language */
	bool				scripted;	/* the page has a script of ours: passkey_offer() */
	bool				fetches;	/* whose script asks our programs */
	const char			*csrf;		/* the token for forms on this page, or NULL */
	int				status;		/* for page(): 200, or the error of a form that is shown again */
	const char			*fault;		/* name of the text that gives the reason, or NULL */
	long				wait;		/* the Retry-After of a 429, in seconds; 0: a few */
	struct secret			flow;		/* binds a visitor's forms to the browser */
	struct session			session;
	struct session			next;		/* the session with the token that its candidate is of */
	struct db_candidate		candidate;	/* identity.c offers it; the dispatcher gives it to the browser */
	bool				outlived;	/* its token or session was replaced meanwhile */
	bool				has_flow;
	bool				has_session;	/* a well-formed cookie; only the database knows if it is valid */
	const char			*tenant;	/* that the request acts for, once it is checked; or NULL */
	struct secret			permit;		/* permit.h */
	void				(*leave)(struct visit *v);	/* called when the handler is over, or NULL */
};

/* The path's parameter of that name, checked by its kind. Never NULL for a name in the route's path. */
const char *visit_param(struct visit *v, const char *name);

/* Gives a visitor's page a form token, and the browser the flow cookie behind it when it has none. */
enum err visit_form(struct visit *v) MUST_CHECK;

/* Gives the browser the session's next token, where the database has issued one that it does not have. */
void visit_renew(struct visit *v);

/* Answers with path's GET page and this status. fault: name of the text that gives the reason. */
enum err visit_again(struct visit *v, const char *path, int status, const char *fault) MUST_CHECK;

/* ERR_INVALID when the form has a field other than these (space-separated) and the token. */
enum err visit_fields(struct visit *v, const char *names) MUST_CHECK;

/* A field that is "yes" or "no"; ERR_INVALID for anything else, which decides nothing. */
enum err visit_switch(struct visit *v, const char *name, bool *out) MUST_CHECK;

/* A page's parameter: the address's, or the field of a form that is shown again. As http_query(). */
enum err visit_shown(struct visit *v, const char *name, const char **value) MUST_CHECK;

/*
 * A path of ours in this visit's language: "/en/signup" when the request named one, else "/signup". Each link, form and
 * redirect that leads on has this (in a template {{prefix}}), so that the language stays.
 */
char *visit_path(struct visit *v, const char *path);

/* What the browser calls itself (User-Agent); "" when it does not. */
const char *visit_agent(const struct visit *v);

/* The tenant of the address ("?tenant="), or NULL. ERR_NOT_FOUND: what it names cannot be one; or as http_query. */
enum err visit_tenant(struct visit *v, const char **tenant) MUST_CHECK;

/* A path, with the tenant that the address names. */
char *visit_here(struct visit *v, const char *path);

/* site.url followed by a path. */
char *visit_url(struct visit *v, const char *path);

#endif
