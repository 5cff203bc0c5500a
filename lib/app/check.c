#include "check.h"

#include <string.h>

#include "json.h"
#include "session.h"

/*
 * Checks the origin that the browser names. A form needs Origin or Sec-Fetch-Site: some older browsers send only one.
 * An API call needs Origin, which browsers send with every request of a script but GET and HEAD.
 */
static enum err
origin_check(const struct visit *v, bool needs_origin)
{
	bool		twice_origin, twice_site;
	const char	*origin = http_param(v->q, "HTTP_ORIGIN", &twice_origin);
	const char	*site = http_param(v->q, "HTTP_SEC_FETCH_SITE", &twice_site);

	if (twice_origin || twice_site)
		return ERR_BAD_REQUEST;
	if (origin == NULL && (site == NULL || needs_origin))
		return ERR_FORBIDDEN;
	if (site != NULL && strcmp(site, "same-origin") != 0)
		return ERR_FORBIDDEN;
	return origin == NULL || strcmp(origin, v->app->config->site.url) == 0 ? OK : ERR_FORBIDDEN;
}

static enum err
body_read(struct visit *v)
{
	return http_read_body(v->q, v->route->body ? v->route->body : FORM_BODY);
}

static enum err
form_parse_body(struct visit *v)
{
	if (!http_content_is(v->q, "application/x-www-form-urlencoded"))
		return ERR_MEDIA;
	return form_parse(v->q->mem, v->q->body, v->q->body_len, &v->form);
}

static enum err
token_check(const struct visit *v)
{
	const char	*given = form_get(&v->form, "csrf");
	bool		session = v->route->kind->session;

	if (given == NULL)
		given = http_param(v->q, "HTTP_X_CSRF_TOKEN", NULL);
	if (!(session ? v->has_session : v->has_flow))
		return ERR_FORBIDDEN;
	return session_csrf_ok(session ? &v->session.stable : &v->flow, given) ? OK : ERR_FORBIDDEN;
}

enum err
check_form(struct visit *v, bool *answered)
{
	bool		again = !v->route->kind->session;
	enum err	e;

	TRY(origin_check(v, false));
	TRY(body_read(v));
	e = form_parse_body(v);
	*answered = again && e == ERR_BAD_REQUEST;
	if (*answered)
		return visit_again(v, v->path, 400, "fault_unreadable");
	TRY(e);
	e = token_check(v);
	*answered = again && e == ERR_FORBIDDEN;
	return *answered ? visit_again(v, v->path, 403, "fault_expired") : e;
}

enum err
check_api(struct visit *v, bool *answered)
{
	*answered = false;
	TRY(origin_check(v, true));
	return check_json(v);
}

enum err
check_json(struct visit *v)
{
	TRY(body_read(v));
	if (v->q->body_len == 0)
		return OK;
	if (!http_content_is(v->q, "application/json"))
		return ERR_MEDIA;
	return json_parse_unique(v->q->mem, v->q->body, v->q->body_len, &v->json);
}

const char *
check_bearer(const struct visit *v)
{
	static const char	scheme[] = "Bearer ";
	const char		*sent = http_param(v->q, "HTTP_AUTHORIZATION", NULL);

	if (sent == NULL || strncasecmp(sent, scheme, strlen(scheme)) != 0)
		return NULL;
	return sent + strlen(scheme) + strspn(sent + strlen(scheme), " ");	/* RFC 9110: one space or more */
}
