#include "visit.h"

#include <string.h>

#include "log.h"
#include "mem.h"
#include "session.h"
#include "text.h"

const char *
visit_param(struct visit *v, const char *name)
{
	for (unsigned i = 0; i < v->params.n; i++) {
		if (strlen(name) == v->params.list[i].name_len &&
		    memcmp(name, v->params.list[i].name, v->params.list[i].name_len) == 0)
			return mem_copy(v->q->mem, v->params.list[i].value, v->params.list[i].value_len);
	}
	return NULL;
}

enum err
visit_form(struct visit *v)
{
	if (!v->has_flow)
		TRY(secret_random(&v->flow));
	v->has_flow = true;
	v->csrf = session_csrf(v->q->mem, &v->flow);
	/* Sent each time, so that FLOW_SECONDS count from the page that shows the form. */
	http_set_cookie(v->r, FLOW_COOKIE, secret_base64url(v->q->mem, &v->flow), FLOW_SECONDS);
	return OK;
}

void
visit_renew(struct visit *v)
{
	if (!v->candidate.issued)
		return;
	http_set_cookie(v->r, SESSION_COOKIE, session_cookie(v->q->mem, &v->next), v->candidate.max_age);
	log_line(LOG_INFO, "session_rotated", LOG_TEXT("route", v->route->path));
	v->candidate.issued = false;
}

enum err
visit_again(struct visit *v, const char *path, int status, const char *fault)
{
	const struct route	*get = route_find(v->routes, path, "GET", &v->params);

	if (get == NULL || get->kind->run == NULL)
		return ERR_FORBIDDEN;
	if (get->kind->session && !v->has_session)
		return ERR_AUTH;
	v->status = status;
	v->fault = fault;
	v->route = get;
	v->path = path;
	return get->kind->run(v);
}

/* Whether name is one of the space-separated names. A client may send any name, an empty one too. */
static bool
name_listed(const char *names, const char *name)
{
	size_t	n = strlen(name);

	if (n == 0 || strchr(name, ' ') != NULL)
		return false;
	for (const char *at = names; (at = strstr(at, name)) != NULL; at += n)
		if ((at == names || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

enum err
visit_fields(struct visit *v, const char *names)
{
	for (size_t i = 0; i < v->form.n; i++)
		if (strcmp(v->form.fields[i].name, "csrf") != 0 && !name_listed(names, v->form.fields[i].name))
			return ERR_INVALID;
	return OK;
}

enum err
visit_switch(struct visit *v, const char *name, bool *out)
{
	const char	*value = form_get(&v->form, name);

	*out = value != NULL && strcmp(value, "yes") == 0;
	return *out || (value != NULL && strcmp(value, "no") == 0) ? OK : ERR_INVALID;
}

enum err
visit_shown(struct visit *v, const char *name, const char **value)
{
	if (v->fault == NULL)
		return http_query(v->q, name, value);
	*value = form_get(&v->form, name);
	return OK;
}

char *
visit_path(struct visit *v, const char *path)
{
	return v->prefixed ? mem_printf(v->q->mem, "/%s%s", v->language, path) : mem_copy(v->q->mem, path, strlen(path));
}

enum err
visit_tenant(struct visit *v, const char **tenant)
{
	const char	*asked;

	TRY(http_query(v->q, "tenant", &asked));
	*tenant = asked != NULL && text_is_uuid(asked, strlen(asked)) ? asked : NULL;
	return asked == NULL || *tenant != NULL ? OK : ERR_NOT_FOUND;
}

char *
visit_here(struct visit *v, const char *path)
{
	const char	*tenant;

	if (visit_tenant(v, &tenant) != OK || tenant == NULL)
		return mem_copy(v->q->mem, path, strlen(path));
	return mem_printf(v->q->mem, "%s?tenant=%s", path, tenant);
}

char *
visit_url(struct visit *v, const char *path)
{
	return mem_printf(v->q->mem, "%s%s", v->app->config->site.url, path);
}

const char *
visit_agent(const struct visit *v)
{
	const char	*agent = http_param(v->q, "HTTP_USER_AGENT", NULL);

	return agent == NULL ? "" : agent;
}
