#include "worker.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "dispatch.h"
#include "log.h"
#include "serve.h"

#define CONFIG_DEFAULT "/etc/tollgate/tollgate.conf"

struct options {
	const char	*config;
	const char	*listen;
	int		threads;	/* 0: the configuration's */
	bool		check;
};

static void
usage(FILE *to, const struct worker *w)
{
	fprintf(to,
	    "usage: %s [--config FILE] [--listen PATH|HOST:PORT] [--threads N] [--check]\n"
	    "\n%s\n\n"
	    "  --config FILE   configuration (else $TOLLGATE_CONFIG, else " CONFIG_DEFAULT ")\n"
	    "  --listen WHERE  make the FastCGI socket: a path, or HOST:PORT. Without it the socket\n"
	    "                  is taken from standard input (mod_fcgid, spawn-fcgi, systemd)\n"
	    "  --threads N     requests side by side (else $TOLLGATE_THREADS, else serve.threads)\n"
	    "  --check         read the configuration, pages and secrets, say what is wrong, serve nothing\n"
	    "  --help, --version\n\n"
	    "Exit: 0 stopped by SIGTERM or nothing wrong; 64 usage; 71 no socket; 78 configuration,\n"
	    "or a database of another environment.\n",
	    w->name, w->about);
}

static bool
threads_read(const char *text, int *out)
{
	char	*end;
	long	n = strtol(text, &end, 10);

	*out = (int)n;
	return *text != '\0' && *end == '\0' && n >= 1 && n <= 1024;
}

/* True to go on; else *code is the exit status. */
static bool
options_read(const struct worker *w, int argc, char **argv, struct options *o, int *code)
{
	static const struct option	known[] = {
		{ "config", required_argument, NULL, 'c' }, { "listen", required_argument, NULL, 'l' },
		{ "threads", required_argument, NULL, 't' }, { "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 },
	};
	const char	*threads = getenv("TOLLGATE_THREADS"), *config = getenv("TOLLGATE_CONFIG");
	int		c;

	*o = (struct options){ .config = config != NULL ? config : CONFIG_DEFAULT };
	*code = EX_USAGE;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'l': o->listen = optarg; break;
		case 't': threads = optarg; break;
		case 'k': o->check = true; break;
		case 'h': usage(stdout, w); *code = 0; return false;
		case 'v': printf("tollgate %s %s\n", w->name, TOLLGATE_VERSION); *code = 0; return false;
		default: usage(stderr, w); return false;
		}
	}
	if (optind < argc || (threads != NULL && !threads_read(threads, &o->threads))) {
		fprintf(stderr, "%s: %s\n", w->name, optind < argc ? "takes no arguments" : "--threads: a number from 1 to 1024");
		return false;
	}
	return true;
}

/* Keys stay out of core files, and out of reach of other processes of this user. */
static void
harden(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static const char *
csp_make(mem_ctx *ctx, const struct stripe *s)
{
	return mem_printf(ctx, "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'; form-action 'self'%s%s", s == NULL ? "" : " ", s == NULL ? "" : stripe_origins(s));
}

static enum err
app_open(mem_ctx *ctx, const struct worker *w, const struct options *o, struct app *app)
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
is_refused(const struct worker *w, const struct options *o, mem_ctx *ctx, const struct app *app)
{
	const char	*why;

	if (db_admit(app->db, ctx, &why) != ERR_FORBIDDEN)
		return false;
	fprintf(stderr, "%s: %s: %s\n", w->name, o->config, why);
	return true;
}

static int
worker_serve(const struct worker *w, const struct options *o, const struct app *app)
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
	struct options	o;
	struct app	app;
	mem_ctx		*ctx;
	int		code;

	if (!options_read(w, argc, argv, &o, &code))
		return code;
	mem_init();
	log_open(w->name, LOG_INFO);
	harden();
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
