#include "dispatch.h"

#include <string.h>

#include "answer.h"
#include "log.h"
#include "serve.h"
#include "session.h"
#include "stream.h"
#include "worker.h"

enum { WAIT_S = 5 };	/* where a limit does not say */

static bool
is_unsafe(const struct http_req *q)
{
	return strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0;
}

/* "/de/signup" is "/signup" in German, "/de" is "". A prefix that is no language of ours stays: no route matches it. */
static const char *
language_cut(struct visit *v)
{
	const struct config_list	*known = &v->app->config->site.languages;
	const char			*path = v->q->path;

	for (size_t i = 0; i < known->n; i++) {
		size_t	n = strlen(known->items[i]);

		if (strncmp(path + 1, known->items[i], n) == 0 && (path[n + 1] == '/' || path[n + 1] == '\0')) {
			v->language = known->items[i];
			v->prefixed = true;
			return path + n + 1;
		}
	}
	v->language = http_language(v->q, known->items, known->n);
	return path;
}

/* The host must be the configured site's, so that no request can choose the host that we link to. */
static enum err
host_check(const struct visit *v)
{
	const char	*site = strstr(v->app->config->site.url, "://") + 3, *host;
	bool		twice;

	host = http_param(v->q, "HTTP_HOST", &twice);
	if (twice)
		return ERR_BAD_REQUEST;
	if (v->q->authority != NULL)
		host = v->q->authority;
	return host != NULL && strcasecmp(host, site) == 0 ? OK : ERR_MISDIRECTED;
}

static enum err
route_choose(struct visit *v)
{
	const char		*method = strcmp(v->q->method, "HEAD") == 0 ? "GET" : v->q->method;
	struct buf		allow = { .ctx = v->q->mem };
	struct route_params	ignored;

	v->route = route_find(v->routes, v->path, method, &v->params);
	if (v->route != NULL) {
		v->r->route = v->route->path;
		return OK;
	}
	v->route = route_find(v->routes, v->path, NULL, &ignored);
	if (v->route == NULL)
		return ERR_NOT_FOUND;
	v->r->route = v->route->path;
	if (strcmp(method, "OPTIONS") == 0 && http_param(v->q, "HTTP_ACCESS_CONTROL_REQUEST_METHOD", NULL) != NULL)
		return ERR_FORBIDDEN;
	route_allow(v->routes, v->path, &allow);
	http_header(v->r, "Allow", allow.data);
	return ERR_METHOD;
}

/* A session cookie that is sent twice or malformed is ignored; the browser is told to drop it. */
static void
cookies_read(struct visit *v)
{
	bool		twice = false;
	const char	*sid = http_cookie(v->q, SESSION_COOKIE, &twice);

	v->has_session = session_cookie_read(sid, &v->session);
	if (twice || (sid != NULL && !v->has_session))
		http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	v->has_flow = session_read(http_cookie(v->q, FLOW_COOKIE, NULL), &v->flow);
}

static enum err
handler_run(struct visit *v)
{
	const struct route_kind	*k = v->route->kind;
	bool			answered = false;

	if (k->session && !v->has_session)
		return ERR_AUTH;
	if (is_unsafe(v->q))
		TRY(k->check(v, &answered));
	return answered ? OK : k->run(v);
}

/* The page on which a browser can prove what it lacks; NULL: proving helps nothing. */
static const char *
proof_page(enum err why)
{
	switch (why) {
	case ERR_AUTH: return "/signin";
	case ERR_CONFIRM: return "/signin/confirm";
	case ERR_FACTOR: return "/settings/two-factor";
	default: return NULL;
	}
}

/* A browser is sent to a page that proves who it is, from where it comes back; a script gets the error. */
static void
ask_for_proof(struct visit *v, enum err why)
{
	const char	*proof = proof_page(why);
	struct buf	path = { .ctx = v->q->mem };

	if (v->route->kind->json || http_wants_json(v->q)) {
		answer_error(v, why);
		return;
	}
	buf_printf(&path, "%s?next=%s", visit_path(v, proof), v->path);
	form_escape(&path, visit_here(v, ""));
	(void)!http_redirect(v->r, path.data);
}

static void
health(struct visit *v)
{
	const char	*text = "ok\n";
	enum err	e = OK;

	for (const struct resource *const *r = v->app->worker->resources; *r != NULL && e == OK; r++) {
		e = (*r)->health != NULL ? (*r)->health(v->app) : OK;
		if (e != OK)
			text = mem_printf(v->q->mem, "%s unavailable\n", (*r)->name);
	}
	v->r->route = "/healthz";
	http_header(v->r, "Cache-Control", "no-store");
	http_body(v->r, err_info(e)->status, "text/plain; charset=utf-8", text, strlen(text));
}

static struct visit *
visit_begin(const struct app *app, struct http_req *q, struct http_res *r)
{
	struct visit	*v = talloc(q->mem, struct visit);

	*v = (struct visit){
		.app = app, .routes = app->worker->routes, .path = q->path, .q = q, .r = r, .status = 200,
		.language = app->config->site.languages.items[0],
	};
	return v;
}

/* *wait: a raw handler answers it later, together with other requests. */
static enum err
visit_run(struct visit *v, bool *wait)
{
	enum err	e = host_check(v);

	if (e != OK)
		return e;
	v->path = language_cut(v);
	if (*v->path == '\0')
		return http_redirect(v->r, visit_path(v, "/"));
	TRY(route_choose(v));
	*wait = v->route->raw != NULL;
	if (*wait)
		return http_read_body(v->q, v->route->body);
	if (v->route->kind->cookies)
		cookies_read(v);
	e = handler_run(v);
	if (v->leave != NULL)
		v->leave(v);
	if (e == ERR_AUTH && v->has_session && !v->outlived)
		http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	else
		visit_renew(v);		/* also with an error: the former is good only until the new one is used */
	return e;
}

/* Whatever refused, one place says when to come back: limits are data, so no page knows them. */
static void
retry_tell(struct visit *v)
{
	if (v->r->status == 429)
		http_header(v->r, "Retry-After", mem_printf(v->q->mem, "%ld", v->wait > 0 ? v->wait : WAIT_S));
}

/* True when the visit waits for a raw handler. */
static bool
visit_answer(struct visit *v)
{
	bool		wait = false;
	enum err	e;

	log_request(v->q->id);
	if (strcmp(v->q->path, "/healthz") == 0 && !is_unsafe(v->q)) {
		health(v);
		return false;
	}
	e = visit_run(v, &wait);
	if (stream_begun(v->r))
		return false;
	if (proof_page(e) != NULL)
		ask_for_proof(v, e);
	else if (e != OK && e != ERR_CLOSED)
		answer_error(v, e);
	retry_tell(v);
	return wait && e == OK;
}

void
dispatch_handle(void *app, struct http_exchange *all, size_t n)
{
	struct visit	*waiting[SERVE_TOGETHER];
	size_t		m = 0, run;

	for (size_t i = 0; i < n; i++) {
		waiting[m] = visit_begin(app, all[i].q, all[i].r);
		m += visit_answer(waiting[m]);
	}
	for (size_t i = 0; i < m; i += run) {
		for (run = 1; i + run < m && waiting[i + run]->route->raw == waiting[i]->route->raw; run++)
			;
		waiting[i]->route->raw(&waiting[i], run);
	}
}

void
dispatch_refuse(void *app, struct http_req *q, struct http_res *r, enum err why)
{
	struct visit	*v = visit_begin(app, q, r);

	v->path = language_cut(v);
	answer_error(v, why);
}

void
dispatch_after(void *app)
{
	const struct worker	*w = ((const struct app *)app)->worker;

	if (w->after != NULL)
		w->after(app);
}
