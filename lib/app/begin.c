#include "worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "log.h"

#define CONFIG_DEFAULT "/etc/tollgate/tollgate.conf"

static void
usage(FILE *to, const struct worker *w)
{
	fprintf(to,
	    "usage: %s [--config FILE]%s [--check]\n"
	    "\n%s\n\n"
	    "  --config FILE   configuration (else $TOLLGATE_CONFIG, else " CONFIG_DEFAULT ")\n%s"
	    "  --check         check the configuration, pages and secrets, print what is wrong, exit\n"
	    "  --help, --version\n\n"
	    "Exit: 0 stopped by SIGTERM or nothing wrong; 64 usage; %s78 configuration,\n"
	    "or a database of another environment%s.\n",
	    w->name, w->routes ? " [--listen PATH|HOST:PORT] [--threads N]" : "", w->about, w->routes ?
	    "  --listen WHERE  make the FastCGI socket: a path, or HOST:PORT. Without it the socket\n"
	    "                  is taken from standard input (mod_fcgid, spawn-fcgi, systemd)\n"
	    "  --threads N     requests served in parallel (else $TOLLGATE_THREADS, else serve.threads)\n" : "",
	    w->routes ? "71 no socket; " : "", w->routes ? "" : " or of another account at Stripe");
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
options_read(const struct worker *w, int argc, char **argv, struct worker_options *o, int *code)
{
	static const struct option	known[] = {
		{ "listen", required_argument, NULL, 'l' }, { "threads", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 },
	};
	const char	*threads = w->routes ? getenv("TOLLGATE_THREADS") : NULL, *config = getenv("TOLLGATE_CONFIG");
	int		c;

	*o = (struct worker_options){ .config = config != NULL ? config : CONFIG_DEFAULT };
	*code = EX_USAGE;
	while ((c = getopt_long(argc, argv, "", w->routes ? known : known + 2, NULL)) != -1) {
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
		fprintf(stderr, "%s: %s\n", w->name,
		    optind < argc ? "takes no arguments" : "--threads must be a number from 1 to 1024");
		return false;
	}
	return true;
}

/* Keeps secrets out of core files and out of reach of other processes of this user. */
static void
harden(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static const char *
csp_make(mem_ctx *ctx, const struct app *app)
{
	return mem_printf(ctx, "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'; form-action 'self'%s%s", *app->form_action ? " " : "", app->form_action);
}

static int
threads_wanted(const struct worker *w, const struct config *c)
{
	if (w->threads_of != NULL)
		return w->threads_of(c);
	return w->threads != 0 ? w->threads : c->serve.threads;
}

static enum err
app_open(mem_ctx *ctx, const struct worker *w, const struct worker_options *o, struct app *app)
{
	unsigned	needs = w->needs | NEED_SITE | (w->routes ? NEED_SERVE : 0);
	struct config	*c;

	for (const struct resource *const *r = w->resources; *r != NULL; r++)
		needs |= (*r)->needs;
	TRY(config_load(ctx, o->config, needs, &c));
	*app = (struct app){
		.config = c, .worker = w, .form_action = "", .own = w->own,
		.threads = o->threads != 0 ? o->threads : threads_wanted(w, c),
	};
	for (const struct resource *const *r = w->resources; *r != NULL; r++)
		TRY((*r)->open(ctx, app));
	app->csp = csp_make(ctx, app);
	app->csp_script = mem_printf(ctx, "%s; script-src 'self'", app->csp);
	app->csp_fetch = mem_printf(ctx, "%s; connect-src 'self'", app->csp_script);
	return OK;
}

/*
 * The program serves while the database cannot be reached or is not migrated, because that can change. A database of
 * another environment ends it, as does a resource that another user's program could hold up.
 */
static bool
is_refused(const struct worker_options *o, mem_ctx *ctx, const struct app *app)
{
	const char	*why;

	for (const struct resource *const *r = app->worker->resources; *r != NULL; r++) {
		if ((*r)->admit == NULL || (*r)->admit(app, ctx, &why) != ERR_FORBIDDEN)
			continue;
		fprintf(stderr, "%s: %s: %s\n", app->worker->name, o->config, why);
		return true;
	}
	return false;
}

bool
worker_begin(const struct worker *w, int argc, char **argv, mem_ctx **ctx, struct worker_options *o, struct app *app,
    int *code)
{
	if (!options_read(w, argc, argv, o, code))
		return false;
	mem_init();
	log_open(w->name, LOG_INFO);
	harden();
	*ctx = mem_new();
	*code = EX_CONFIG;
	if (app_open(*ctx, w, o, app) != OK)
		return false;
	if (o->check) {
		printf("%s: %s: no fault found\n", w->name, o->config);
		*code = 0;
		return false;
	}
	return !is_refused(o, *ctx, app);
}
