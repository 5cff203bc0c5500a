#include "dispatch.h"

#include <string.h>

#include "json.h"
#include "log.h"
#include "serve.h"
#include "session.h"

const struct route *
route_find(const struct route *routes, const char *path, const char *method)
{
	for (const struct route *t = routes; t->path != NULL; t++)
		if (strcmp(t->path, path) == 0 && (method == NULL || strcmp(t->method, method) == 0))
			return t;
	return NULL;
}

static bool
is_unsafe(const struct http_req *q)
{
	return strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0;
}

/* "/de/signup" is "/signup" in German; a prefix that is no language of ours stays, and matches nothing. */
static const char *
language_cut(struct visit *v)
{
	const struct config_list	*known = &v->app->config->site.languages;
	const char			*path = v->q->path;

	for (size_t i = 0; i < known->n; i++) {
		size_t	n = strlen(known->items[i]);

		if (strncmp(path + 1, known->items[i], n) == 0 && path[n + 1] == '/') {
			v->language = known->items[i];
			v->prefixed = true;
			return path + n + 1;
		}
	}
	v->language = http_language(v->q, known->items, known->n);
	return path;
}

/* Host must be the configured site's: what we link to is never taken from a request. */
static enum err
host_check(const struct visit *v)
{
	const char	*site = strstr(v->app->config->site.url, "://") + 3, *host;
	bool		twice;

	host = http_param(v->q, "HTTP_HOST", &twice);
	if (twice)
		return ERR_BAD_REQUEST;
	return host != NULL && strcasecmp(host, site) == 0 ? OK : ERR_MISDIRECTED;
}

static enum err
route_choose(struct visit *v, const char *path)
{
	const char	*method = strcmp(v->q->method, "HEAD") == 0 ? "GET" : v->q->method;
	struct buf	allow = { .ctx = v->q->mem };

	v->route = route_find(v->routes, path, method);
	if (v->route != NULL) {
		v->r->route = v->route->path;
		return OK;
	}
	v->route = route_find(v->routes, path, NULL);
	if (v->route == NULL)
		return ERR_NOT_FOUND;
	v->r->route = v->route->path;
	if (strcmp(method, "OPTIONS") == 0 && http_param(v->q, "HTTP_ACCESS_CONTROL_REQUEST_METHOD", NULL) != NULL)
		return ERR_FORBIDDEN;
	for (const struct route *t = v->routes; t->path != NULL; t++)
		if (strcmp(t->path, path) == 0)
			buf_printf(&allow, "%s%s%s", allow.len ? ", " : "", t->method,
			    strcmp(t->method, "GET") == 0 ? ", HEAD" : "");
	http_header(v->r, "Allow", allow.data);
	return ERR_METHOD;
}

/* A cookie that is there twice or is not 32 bytes of base64url is nobody's; the browser is told to drop it. */
static void
cookies_read(struct visit *v)
{
	bool		twice = false;
	const char	*sid = http_cookie(v->q, SESSION_COOKIE, &twice);

	v->has_session = session_read(sid, &v->session);
	if (twice || (sid != NULL && !v->has_session))
		http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	v->has_flow = session_read(http_cookie(v->q, FLOW_COOKIE, NULL), &v->flow);
}

/* Where the browser says the request comes from; silence is a refusal too. */
static enum err
origin_check(const struct visit *v)
{
	bool		twice_origin, twice_site;
	const char	*origin = http_param(v->q, "HTTP_ORIGIN", &twice_origin);
	const char	*site = http_param(v->q, "HTTP_SEC_FETCH_SITE", &twice_site);

	if (twice_origin || twice_site)
		return ERR_BAD_REQUEST;
	if (origin == NULL && site == NULL)
		return ERR_FORBIDDEN;
	if (site != NULL && strcmp(site, "same-origin") != 0)
		return ERR_FORBIDDEN;
	return origin == NULL || strcmp(origin, v->app->config->site.url) == 0 ? OK : ERR_FORBIDDEN;
}

static enum err
token_check(const struct visit *v)
{
	const char	*given = form_get(&v->form, "csrf");
	bool		user = v->route->user != NULL;

	if (given == NULL)
		given = http_param(v->q, "HTTP_X_CSRF_TOKEN", NULL);
	if (!(user ? v->has_session : v->has_flow))
		return ERR_FORBIDDEN;
	return session_csrf_ok(user ? &v->session : &v->flow, given) ? OK : ERR_FORBIDDEN;
}

/* A JSON endpoint takes an empty body, a JSON object or a form; a page takes a form. */
static enum err
body_parse(struct visit *v)
{
	struct json_object	*ignored;

	if (v->route->json && v->q->body_len == 0)
		return OK;
	if (v->route->json && http_content_is(v->q, "application/json"))
		return json_parse_unique(v->q->mem, v->q->body, v->q->body_len, &ignored);
	if (!http_content_is(v->q, "application/x-www-form-urlencoded"))
		return ERR_MEDIA;
	return form_parse(v->q->mem, v->q->body, v->q->body_len, &v->form);
}

/*
 * All that must hold before a form's fields mean anything. A visitor's form that cannot be read or is too old is shown
 * again with the reason, so that nobody is left with a bare error: *answered says so.
 */
static enum err
unsafe_check(struct visit *v, bool *answered)
{
	enum err	e = origin_check(v);

	*answered = false;
	if (e == OK)
		e = http_read_body(v->q, v->route->body ? v->route->body : FORM_BODY);
	if (e != OK)
		return e;
	e = body_parse(v);
	if (e == ERR_BAD_REQUEST && v->route->visitor != NULL && !v->route->json) {
		*answered = true;
		return visit_again(v, 400, "fault_unreadable");
	}
	TRY(e);
	e = token_check(v);
	if (e == ERR_FORBIDDEN && v->route->visitor != NULL && !v->route->json) {
		*answered = true;
		return visit_again(v, 403, "fault_expired");
	}
	return e;
}

static enum err
handler_run(struct visit *v)
{
	const struct route	*t = v->route;
	bool			answered = false;

	if (t->user != NULL && !v->has_session)
		return ERR_AUTH;
	if (is_unsafe(v->q))
		TRY(unsafe_check(v, &answered));
	if (answered)
		return OK;
	if (t->visitor != NULL)
		return t->visitor(v, db_as_visitor(v->q->mem, v->app->db));
	v->csrf = session_csrf(v->q->mem, &v->session);
	return t->user(v, visit_user(v));
}

/* Nobody is signed in: a person goes to the sign-in page and comes back, a program gets 401. */
static void
ask_to_sign_in(struct visit *v)
{
	const char	*path;

	if (v->has_session)
		http_set_cookie(v->r, SESSION_COOKIE, "", 0);
	if (v->route->json || http_wants_json(v->q)) {
		page_error(v, ERR_AUTH);
		return;
	}
	path = mem_printf(v->q->mem, "%s?next=%s", visit_path(v, "/signin"), v->route->path);
	(void)!http_redirect(v->r, path);
}

static void
health(struct visit *v)
{
	enum err	e = db_ping(v->app->db);
	const char	*text = e == OK ? "ok\n" : "database unavailable\n";

	v->r->route = "/healthz";
	http_header(v->r, "Cache-Control", "no-store");
	http_body(v->r, err_info(e)->status, "text/plain; charset=utf-8", text, strlen(text));
}

static struct visit *
visit_begin(const struct dispatch *d, struct http_req *q, struct http_res *r)
{
	struct visit	*v = talloc(q->mem, struct visit);

	*v = (struct visit){
		.app = d->app, .routes = d->routes, .q = q, .r = r, .status = 200,
		.language = d->app->config->site.languages.items[0],
	};
	return v;
}

/* *wait: it is a raw handler's, who answers all of them later. */
static enum err
visit_run(struct visit *v, bool *wait)
{
	enum err	e = host_check(v);

	if (e == OK)
		e = route_choose(v, language_cut(v));
	if (e != OK)
		return e;
	*wait = v->route->raw != NULL;
	if (*wait)
		return http_read_body(v->q, v->route->body);
	cookies_read(v);
	return handler_run(v);
}

/* True when it is left to a raw handler. */
static bool
visit_answer(struct visit *v)
{
	bool		wait = false;
	enum err	e;

	log_request(v->q->id);
	if (strcmp(v->q->path, "/healthz") == 0) {
		health(v);
		return false;
	}
	e = visit_run(v, &wait);
	if (e == ERR_AUTH)
		ask_to_sign_in(v);
	else if (e != OK && e != ERR_CLOSED)
		page_error(v, e);
	return wait && e == OK;
}

void
dispatch_handle(void *dispatch, struct http_exchange *all, size_t n)
{
	struct visit	*waiting[SERVE_TOGETHER];
	size_t		m = 0, run;

	for (size_t i = 0; i < n; i++) {
		waiting[m] = visit_begin(dispatch, all[i].q, all[i].r);
		m += visit_answer(waiting[m]);
	}
	for (size_t i = 0; i < m; i += run) {
		for (run = 1; i + run < m && waiting[i + run]->route->raw == waiting[i]->route->raw; run++)
			;
		waiting[i]->route->raw(&waiting[i], run);
	}
}

void
dispatch_refuse(void *dispatch, struct http_req *q, struct http_res *r, enum err why)
{
	page_error(visit_begin(dispatch, q, r), why);
}

void
dispatch_after(void *dispatch)
{
	const struct app	*app = ((const struct dispatch *)dispatch)->app;

	if (app->worker->after != NULL)
		app->worker->after(app);
}
