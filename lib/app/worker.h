/*
 * worker: a program is tables of routes and a list of resources, handed to a skeleton that reads options and
 * configuration, opens the resources and serves (dispatch.h) until SIGTERM.
 */
#ifndef TOLLGATE_WORKER_H
#define TOLLGATE_WORKER_H

#include "app.h"
#include "mem.h"
#include "resource.h"
#include "route.h"

struct worker {
	const char			*name;		/* also its login role, tollgate_NAME, and its folder of pages */
	const char			*about;		/* one line for --help */
	const struct resource *const	*resources;	/* NULL at the end */
	const struct route *const	*routes;	/* tables, NULL at the end; NULL: serves no request (jobs) */
	unsigned			needs;		/* sections of the configuration besides those of its resources */
	int				pool;		/* connections instead of database.pool; 0: database.pool */
	int				wait_ms;	/* for a connection instead of database.wait_ms; 0: database.wait_ms */
	int				threads;	/* overrides serve.threads; 0: serve.threads; --threads overrides both */
	int				(*threads_of)(const struct config *c);	/* where other keys say how many; or NULL */
	int				together;	/* waiting requests that a thread takes at once; 0: one */
	void				*own;		/* data of its own that its threads share */
	void				(*after)(const struct app *app);	/* called once responses are sent */
};

/* From the command line. */
struct worker_options {
	const char	*config;
	const char	*listen;
	int		threads;	/* 0: the configuration's */
	bool		check;
};

/*
 * Everything up to serving: reads the options (--listen and --threads only of a worker with routes), opens the log,
 * keeps secrets out of core files, reads the configuration, opens the resources, and has them admit the program, which
 * --check does not. False: the program ends now, with *code as its exit status.
 */
bool worker_begin(const struct worker *worker, int argc, char **argv, mem_ctx **ctx, struct worker_options *options,
    struct app *app, int *code);

/* main() of a FastCGI program: begins, then serves until SIGTERM. */
int worker_main(const struct worker *worker, int argc, char **argv);

#endif
