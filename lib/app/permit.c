#include "permit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "identity.h"
#include "json.h"
#include "report.h"
#include "throttle.h"

struct permits {
	struct stripe	*stripe;
	const char	*host;
	int		calls;		/* in flight at most */
	int		call_ms;	/* the longest call, and some time for the database */
};

/* One process with several threads keeps one of them for other pages; the keys of the configuration may be equal. */
static int
calls_allowed(const struct app *app)
{
	int	calls = app->config->serve.calls;

	return app->threads > 1 && calls >= app->threads ? app->threads - 1 : calls;
}

struct permits *
permits_open(mem_ctx *ctx, const struct app *app)
{
	struct permits	*p = talloc(ctx, struct permits);
	char		host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	*p = (struct permits){
		.stripe = resource_open_stripe(ctx, app->config, app->db, report_of(ctx, app->db)),
		.host = mem_printf(ctx, "%s", host),
		.calls = calls_allowed(app), .call_ms = 2 * app->config->stripe.timeout_ms + 2 * STRIPE_SLACK_MS,
	};
	return p;
}

const struct stripe *
permits_stripe(const struct permits *p)
{
	return p->stripe;
}

/* An error is left alone: the permit ends by itself. */
static void
permit_end(struct visit *v)
{
	(void)!db_visitor(identity_visitor(v), NULL, "api.end_call($1)",
	    ARGS(BYTES(v->permit.bytes, SECRET_SIZE)));
}

static enum err
permit_ask(struct visit *v, const struct permits *p, const char *gone, struct json_object **answer)
{
	struct db_args	args = ARGS(TEXT(p->host), INT(p->calls), INT(p->call_ms), BYTES(v->permit.bytes, SECRET_SIZE),
	    identity_flow(v), TEXT(v->q->remote_addr), INT(getpid()), TEXT(gone), TEXT(v->tenant));

	if (v->has_session)
		return db_user(identity_user(v), answer,
		    "api.take_call($1, $2::int, $3::int, $4, $5, $6::inet, $7::int, $8::int[], $9::uuid)", args);
	return db_visitor(identity_visitor(v), answer,
	    "api.take_call($1, $2::int, $3::int, $4, $5, $6::inet, $7::int, $8::int[], $9::uuid)", args);
}

/* Which of the processes that hold all permits have ended, as an array of SQL; NULL: none. */
static const char *
pids_gone(struct visit *v, struct json_object *answer)
{
	struct json_object	*pids = json_object_object_get(answer, "pids");
	struct buf		gone = { .ctx = v->q->mem };

	if (!json_object_is_type(pids, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(pids); i++) {
		int	pid = json_object_get_int(json_object_array_get_idx(pids, i));

		if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)
			buf_puts(&gone, mem_printf(v->q->mem, "%s%d", gone.len == 0 ? "{" : ",", pid));
	}
	if (gone.len == 0)
		return NULL;
	buf_puts(&gone, "}");
	return gone.data;
}

enum err
permit_take(struct visit *v, struct stripe **out)
{
	const struct permits	*p = v->app->permits;
	struct json_object	*answer;
	const char		*gone;

	*out = NULL;
	if (v->leave == NULL)
		TRY(secret_random(&v->permit));
	TRY(throttle_note(v, "call", permit_ask(v, p, "{}", &answer)));
	gone = json_true(answer, "/permitted") ? NULL : pids_gone(v, answer);
	if (gone != NULL)
		TRY(permit_ask(v, p, gone, &answer));
	if (!json_true(answer, "/permitted"))
		return ERR_UNAVAILABLE;
	v->leave = permit_end;
	*out = p->stripe;
	return OK;
}
