#include <string.h>

#include "dispatch.h"
#include "json.h"
#include "log.h"
#include "session.h"

struct db_user *
visit_user(struct visit *v)
{
	return db_as_user(v->q->mem, v->app->db, session_bearer(v->q->mem, &v->session));
}

bool
visit_is_member(struct visit *v)
{
	struct json_object	*known = NULL;

	return v->has_session && db_user(visit_user(v), &known, "api.signed_in()", NO_ARGS) == OK && json_true(known, "");
}

enum err
visit_form(struct visit *v)
{
	if (!v->has_flow)
		TRY(secret_random(&v->flow));
	v->has_flow = true;
	v->csrf = session_csrf(v->q->mem, &v->flow);
	/* Sent again each time: the hour counts from the page that shows the form. */
	http_set_cookie(v->r, FLOW_COOKIE, secret_base64url(v->q->mem, &v->flow), FLOW_SECONDS);
	return OK;
}

struct db_arg
visit_flow(struct visit *v)
{
	struct secret	hash;

	if (!v->has_flow)
		return SQL_NULL;
	hash = secret_sha256("", v->flow.bytes, SECRET_SIZE);
	return BYTES(mem_copy(v->q->mem, hash.bytes, SECRET_SIZE), SECRET_SIZE);
}

enum err
visit_again(struct visit *v, int status, const char *fault)
{
	const struct route	*get = route_find(v->routes, v->route->path, "GET");

	v->status = status;
	v->fault = fault;
	if (get == NULL || get->visitor == NULL)
		return ERR_FORBIDDEN;
	v->route = get;
	return get->visitor(v, db_as_visitor(v->q->mem, v->app->db));
}

/* Whether name is one of the space-separated names. */
static bool
name_listed(const char *names, const char *name)
{
	size_t	n = strlen(name);

	for (const char *at = names; (at = strstr(at, name)) != NULL; at += n)
		if ((at == names || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return n > 0;
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

char *
visit_path(struct visit *v, const char *path)
{
	return v->prefixed ? mem_printf(v->q->mem, "/%s%s", v->language, path) : mem_copy(v->q->mem, path, strlen(path));
}

char *
visit_url(struct visit *v, const char *path)
{
	return mem_printf(v->q->mem, "%s%s", v->app->config->site.url, path);
}
