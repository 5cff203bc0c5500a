#include "worker.h"

#include <stdio.h>
#include <sysexits.h>

#include "dispatch.h"
#include "serve.h"

static const char *
csp_make(mem_ctx *ctx, const struct stripe *s)
{
	return mem_printf(ctx, "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'; form-action 'self'%s%s", s == NULL ? "" : " ", s == NULL ? "" : stripe_origins(s));
}

static enum err
app_open(mem_ctx *ctx, const struct worker *w, const struct worker_options *o, struct app *app)
{
	struct config	*c;

	TRY(config_load(ctx, o->config, w->needs | NEED_SITE | NEED_DATABASE | NEED_SERVE, &c));
	*app = (struct app){ .config = c, .worker = w, .own = w->own };
	app->db = db_open(ctx, &(struct db_options){
		.conninfo = c->database.conninfo, .role = mem_printf(ctx, "tollgate_%s", w->name),
		.pool = c->database.pool, .wait_ms = c->database.wait_ms, .timeout_ms = c->database.timeout_ms,
		.prepared = c->database.prepared, .environment = c->site.environment,
	});
	TRY(pages_load(ctx, c, &app->pages));
	if (w->needs & NEED_STRIPE)
		app->stripe = stripe_open(ctx, &(struct stripe_options){
			.api_url = c->stripe.api_url, .key = c->stripe.key, .version = c->stripe.version,
			.portal_configuration = c->stripe.portal_configuration, .timeout_ms = c->stripe.timeout_ms,
			.rate = c->stripe.rate,
		});
	app->csp = csp_make(ctx, app->stripe);
	return OK;
}

/* A database that is away, or not migrated yet, is waited for while we serve; another environment's never becomes ours. */
static bool
is_refused(const struct worker *w, const struct worker_options *o, mem_ctx *ctx, const struct app *app)
{
	const char	*why;

	if (db_admit(app->db, ctx, &why) != ERR_FORBIDDEN)
		return false;
	fprintf(stderr, "%s: %s: %s\n", w->name, o->config, why);
	return true;
}

static int
worker_serve(const struct worker *w, const struct worker_options *o, const struct app *app)
{
	struct dispatch		d = { .app = app, .routes = w->routes };
	struct serve_calls	calls = { dispatch_handle, dispatch_refuse, dispatch_after, &d };
	struct serve_options	so = {
		.listen_fd = o->listen != NULL ? serve_listen(o->listen) : serve_inherited(),
		.threads = o->threads != 0 ? o->threads : w->threads != 0 ? w->threads : app->config->serve.threads,
		.together = w->together != 0 ? w->together : 1,
		.drain_ms = app->config->serve.drain_ms,
	};

	if (so.listen_fd < 0) {
		if (o->listen == NULL)
			fprintf(stderr, "%s: standard input is no listening socket: give --listen PATH or HOST:PORT\n", w->name);
		return EX_OSERR;
	}
	return serve(&so, &calls) == OK ? 0 : EX_OSERR;
}

int
worker_main(const struct worker *w, int argc, char **argv)
{
	struct worker_options	o;
	struct app		app;
	mem_ctx			*ctx;
	int			code;

	if (!worker_begin(w, argc, argv, &o, &code))
		return code;
	ctx = mem_new();
	if (app_open(ctx, w, &o, &app) != OK)
		return EX_CONFIG;
	if (o.check) {
		printf("%s: %s: no fault found\n", w->name, o.config);
		return 0;
	}
	if (is_refused(w, &o, ctx, &app))
		return EX_CONFIG;
	return worker_serve(w, &o, &app);
}
