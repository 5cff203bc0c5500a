/* The webhook endpoint: at our URL, pinned to stripe.version, subscribed to exactly the events in inbox_asked. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "inbox.h"
#include "json.h"
#include "provisioning.h"
#include "desired.h"
#include "user.h"

static const char	what[] = "webhook endpoint";

static struct json_object *
types_desired(struct json_object *into)
{
	struct json_object	*list = json_object_new_array();

	for (const char *const *type = inbox_asked; *type != NULL; type++)
		json_object_array_add(list, json_object_new_string(*type));
	json_object_object_add(into, "enabled_events", list);
	return into;
}

static bool
is_enabled(struct json_object *endpoint)
{
	return json_is(endpoint, "/status", "enabled");
}

static bool
is_pinned(const struct provisioning *pr, struct json_object *endpoint)
{
	return json_is(endpoint, "/api_version", pr->o->config->stripe.version);
}

/* As the caller, who may be root and name a file in /etc/tollgate. */
static int
secret_create(const struct provisioning *pr, const char *file)
{
	int	fd;

	user_as_caller(true);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	user_as_caller(false);
	if (fd < 0)
		operator_refused(pr->o, "%s: %s", file, strerror(errno));
	return fd;
}

static void
secret_remove(const char *file)
{
	user_as_caller(true);
	unlink(file);
	user_as_caller(false);
}

/* Stripe shows the secret only in this answer, so fd is opened before. An endpoint whose secret is lost is deleted. */
static enum err
secret_write(struct provisioning *pr, int fd, struct json_object *endpoint)
{
	const char		*secret = json_text(endpoint, "/secret");
	const char		*line = mem_printf(pr->o->mem, "%s\n", secret ? secret : "");
	struct json_object	*gone;

	if (secret && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0)
		return OK;
	operator_refused(pr->o, "cannot write the secret to %s: deleting the new endpoint", pr->o->secret_file);
	TRY(stripe_call(pr->o->stripe, pr->o->mem, "DELETE",
	    mem_printf(pr->o->mem, "/v1/webhook_endpoints/%s", json_text(endpoint, "/id")), NULL, NULL, &gone));
	return ERR_CLOSED;
}

static enum err
endpoint_post(struct provisioning *pr, const char *url, int fd)
{
	struct json_object	*desired = types_desired(json_new(pr->o->mem)), *made;

	json_put(desired, "url", url);
	json_put(desired, "api_version", pr->o->config->stripe.version);
	json_put(desired, "description", "Tollgate");
	TRY(operator_post(pr->o, "/v1/webhook_endpoints", desired_form(pr->o->mem, desired), &made));
	return secret_write(pr, fd, made);
}

static enum err
endpoint_create(struct provisioning *pr, const char *url)
{
	const char	*file = pr->o->secret_file;
	enum err	e;
	int		fd;

	if (!provisioning_differs(pr, CHANGE_CREATE, what, url, pr->o->config->stripe.version, NULL))
		return OK;
	if (file == NULL) {
		operator_refused(pr->o, "Stripe shows the endpoint's secret only once: give a file for it with --secret-file");
		return ERR_CLOSED;
	}
	fd = secret_create(pr, file);
	if (fd < 0)
		return ERR_CLOSED;
	e = endpoint_post(pr, url, fd);
	close(fd);
	if (e != OK)
		secret_remove(file);
	if (e == ERR_UNAVAILABLE)
		fprintf(stderr, "the endpoint may exist now: if Stripe lists it, delete it, because its secret is lost\n");
	if (e == OK)
		fprintf(stderr, "the endpoint's secret is in %s: add that file to stripe.webhook_secret_files and restart "
		    "webhooks\n", file);
	return e;
}

static enum err
endpoint_update(struct provisioning *pr, struct json_object *endpoint)
{
	mem_ctx			*mem = pr->o->mem;
	const char		*id = json_text(endpoint, "/id");
	struct json_object	*desired = types_desired(json_new(mem)), *fields, *done;

	json_put(desired, "status", "enabled");
	fields = desired_differences(mem, desired, endpoint);
	if (json_object_array_length(fields) == 0 ||
	    !provisioning_differs(pr, CHANGE_UPDATE, what, id, NULL, fields))
		return OK;
	json_object_object_del(desired, "status");
	json_object_object_add(desired, "disabled", json_object_new_boolean(false));
	return operator_post(pr->o, mem_printf(mem, "/v1/webhook_endpoints/%s", id), desired_form(mem, desired), &done);
}

/*
 * Another endpoint at our URL delivers every event twice, in another version. It is disabled only when the right one
 * existed before this run, because webhooks does not have a new endpoint's secret yet.
 */
static enum err
endpoint_retire(struct provisioning *pr, struct json_object *endpoint, bool replaced)
{
	const char		*id = json_text(endpoint, "/id");
	struct json_object	*done;

	if (!replaced) {
		provisioning_differs(pr, CHANGE_BY_HAND, what, id,
		    "has another version: apply again once webhooks uses the new secret", NULL);
		return OK;
	}
	if (!provisioning_differs(pr, CHANGE_RETIRE, what, id, "is a second endpoint at this URL", NULL))
		return OK;
	return operator_post(pr->o, mem_printf(pr->o->mem, "/v1/webhook_endpoints/%s", id), "disabled=true", &done);
}

enum err
endpoint_keep(struct provisioning *pr)
{
	const struct config	*c = pr->o->config;
	const char		*url = *c->stripe.webhook_url ? c->stripe.webhook_url :
	    mem_printf(pr->o->mem, "%s/webhooks/stripe", c->site.url);
	struct json_object	*all, *right = NULL;

	TRY(operator_list(pr->o, "/v1/webhook_endpoints", NULL, &all));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*e = json_object_array_get_idx(all, i);

		if (json_is(e, "/url", url) && is_pinned(pr, e) && (right == NULL || !is_enabled(right)))
			right = e;
	}
	TRY(right ? endpoint_update(pr, right) : endpoint_create(pr, url));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*e = json_object_array_get_idx(all, i);

		if (e != right && is_enabled(e) && json_is(e, "/url", url))
			TRY(endpoint_retire(pr, e, right != NULL));
	}
	return OK;
}
