#include "worker.h"

#include <stdio.h>
#include <sysexits.h>

#include "dispatch.h"
#include "sandbox.h"
#include "serve.h"

static int
worker_serve(mem_ctx *ctx, const struct worker *w, const struct worker_options *o, struct app *app)
{
	struct serve_calls	calls = { dispatch_handle, dispatch_refuse, dispatch_after, app };
	struct serve_options	so = {
		.listen_fd = o->listen != NULL ? serve_listen(o->listen) : serve_inherited(),
		.threads = app->threads,
		.together = w->together != 0 ? w->together : 1,
		.drain_ms = app->config->serve.drain_ms,
	};

	if (so.listen_fd < 0) {
		if (o->listen == NULL)
			fprintf(stderr, "%s: standard input is not a listening socket: give --listen PATH or HOST:PORT\n",
			    w->name);
		return EX_OSERR;
	}
	if (sandbox_enter(ctx, app) != OK)
		return EX_OSERR;
	return serve(&so, &calls) == OK ? 0 : EX_OSERR;
}

int
worker_main(const struct worker *w, int argc, char **argv)
{
	struct worker_options	o;
	struct app		app;
	mem_ctx			*ctx;
	int			code;

	return worker_begin(w, argc, argv, &ctx, &o, &app, &code) ? worker_serve(ctx, w, &o, &app) : code;
}
