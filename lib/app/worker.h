/*
 * worker: a program is a table of routes handed to a skeleton. The dispatcher checks host, method, language, body,
 * cross-site rules and form token once, before the handler runs; a handler gets an identity of the type its row names.
 */
#ifndef TOLLGATE_WORKER_H
#define TOLLGATE_WORKER_H

#include "config.h"
#include "db.h"
#include "http.h"
#include "page.h"
#include "secret.h"
#include "stripe.h"

/* What all requests of a process share; constant once serving. */
struct app {
	const struct config	*config;
	struct db		*db;
	struct stripe		*stripe;	/* NULL unless the worker needs NEED_STRIPE */
	const struct pages	*pages;		/* NULL unless the worker needs NEED_SITE */
	const char		*csp;
	const struct worker	*worker;
	void			*own;		/* the worker's */
};

/* One request on its way through. */
struct visit {
	const struct app	*app;
	const struct route	*routes;	/* the worker's */
	const struct route	*route;		/* NULL when no row matches */
	struct http_req		*q;
	struct http_res		*r;
	struct form		form;		/* the body, when it is a form */
	const char		*language;
	bool			prefixed;	/* the path named the language */
	const char		*csrf;		/* the token for forms on this page, or NULL */
	int			status;		/* page()'s: 200, or why a form that was sent is shown again */
	const char		*fault;		/* catalogue name of that reason, or NULL */
	struct secret		flow;		/* what binds a visitor's forms to the browser */
	struct secret		session;
	bool			has_flow;
	bool			has_session;	/* a well-formed cookie; whether it is anybody, the database says */
};

typedef enum err visitor_handler(struct visit *v, struct db_visitor *me);
typedef enum err user_handler(struct visit *v, struct db_user *me);
typedef void raw_handler(struct visit **all, size_t n);

/*
 * One handler a row. visitor: anybody; user: needs a session (else 303 to /signin, or 401 as JSON); raw: no identity, no
 * form, no cross-site rules, body exactly as it came: for callers that prove themselves by a signature. A raw handler is
 * given all that came together, and answers each of them.
 */
struct route {
	const char	*method;
	const char	*path;
	visitor_handler	*visitor;
	user_handler	*user;
	raw_handler	*raw;
	size_t		body;		/* limit in bytes; 0: FORM_BODY for POST */
	bool		json;		/* answers and errors are JSON whatever Accept says */
};

enum { FORM_BODY = 16 * 1024, WEBHOOK_BODY = 1024 * 1024 };

#define VISITOR(m, p, f) { .method = (m), .path = (p), .visitor = (f) }
#define USER(m, p, f) { .method = (m), .path = (p), .user = (f) }
#define USER_JSON(m, p, f) { .method = (m), .path = (p), .user = (f), .json = true }
#define RAW(m, p, f) { .method = (m), .path = (p), .raw = (f), .body = WEBHOOK_BODY, .json = true }

struct worker {
	const char		*name;		/* also its login role: tollgate_NAME */
	const char		*about;		/* one line for --help */
	unsigned		needs;		/* config sections beside NEED_DATABASE and NEED_SERVE */
	const struct route	*routes;	/* ends with an empty row */
	void			*own;		/* what its threads share beside that */
	void			(*after)(const struct app *app);	/* called once answers are out, or NULL */
	int			threads;	/* instead of serve.threads; --threads goes before both; 0: serve.threads */
	int			together;	/* requests that a thread takes at once, of those that wait; 0: one */
};

/* What was asked for on the command line. */
struct worker_options {
	const char	*config;
	const char	*listen;
	int		threads;	/* 0: the configuration's */
	bool		check;
};

/*
 * What main() begins with: reads the options (--listen and --threads only of a worker with routes), opens the log, keeps
 * keys out of reach. False: it is over, and *code is the exit status.
 */
bool worker_begin(const struct worker *worker, int argc, char **argv, struct worker_options *options, int *code);

/* --help, --version, --check, --config FILE, --listen WHERE, --threads N; then serves until SIGTERM. */
int worker_main(const struct worker *worker, int argc, char **argv);

/* The identity of whoever sent this request, for a visitor's page that treats members differently. */
struct db_user *visit_user(struct visit *v);

/* Whether somebody is signed in. No, while the database cannot say: a visitor's page is shown all the same. */
bool visit_is_member(struct visit *v);

/* Gives a visitor's page a form token, and the browser the flow cookie behind it when it has none. */
enum err visit_form(struct visit *v) MUST_CHECK;

/* The flow cookie as the database may see it: SHA-256 of its bytes, or NULL when the browser sent none. */
struct db_arg visit_flow(struct visit *v);

/* Shows the GET page of this path again, with a status and the catalogue name of the reason. */
enum err visit_again(struct visit *v, int status, const char *fault) MUST_CHECK;

/* ERR_INVALID when the form holds any other field than these (space-separated) and the token. */
enum err visit_fields(struct visit *v, const char *names) MUST_CHECK;

/* A path of ours in this visit's language: "/en/signup" when the request named one, else "/signup". */
char *visit_path(struct visit *v, const char *path);

/* SITE_URL and a path. */
char *visit_url(struct visit *v, const char *path);

#endif
