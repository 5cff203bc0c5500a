#include "permit.h"

#include <limits.h>
#include <unistd.h>

#include "identity.h"
#include "json.h"

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
		.stripe = resource_open_stripe(ctx, app->config, app->db), .host = mem_printf(ctx, "%s", host),
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
	(void)!db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.end_call($1)",
	    ARGS(BYTES(v->permit.bytes, SECRET_SIZE)));
}

static enum err
permit_ask(struct visit *v, const struct permits *p, struct json_object **answer)
{
	struct db_args	args = ARGS(TEXT(p->host), INT(p->calls), INT(p->call_ms), BYTES(v->permit.bytes, SECRET_SIZE),
	    identity_flow(v), TEXT(v->q->remote_addr));

	if (v->has_session)
		return db_user(identity_user(v), answer, "api.take_call($1, $2::int, $3::int, $4, $5, $6::inet)", args);
	return db_visitor(db_as_visitor(v->q->mem, v->app->db), answer,
	    "api.take_call($1, $2::int, $3::int, $4, $5, $6::inet)", args);
}

enum err
permit_take(struct visit *v, struct stripe **out)
{
	const struct permits	*p = v->app->permits;
	struct json_object	*answer;

	*out = NULL;
	if (v->leave == NULL)
		TRY(secret_random(&v->permit));
	TRY(permit_ask(v, p, &answer));
	if (!json_true(answer, "/permitted"))
		return ERR_UNAVAILABLE;
	v->leave = permit_end;
	*out = p->stripe;
	return OK;
}
