/*
 * resource: what a program opens when it starts. Each has a file of its own, so that a program links only the resources
 * that it lists, and their libraries.
 */
#ifndef TOLLGATE_RESOURCE_H
#define TOLLGATE_RESOURCE_H

#include "app.h"
#include "db.h"
#include "stripe.h"

struct resource {
	const char	*name;
	unsigned	needs;		/* sections of the configuration */
	enum err	(*open)(mem_ctx *ctx, struct app *app);

	/* Before it serves, not for --check: ERR_FORBIDDEN ends the program with *why. NULL: nothing to check. */
	enum err	(*admit)(const struct app *app, mem_ctx *mem, const char **why);

	/* For /healthz. NULL: always healthy. */
	enum err	(*health)(const struct app *app);

	/* Files and directories that it reads while the program serves, NULL at the end. NULL: none. */
	const char *const *(*files)(mem_ctx *ctx, const struct app *app);
};

extern const struct resource resource_database;	/* app->db */
extern const struct resource resource_stripe;	/* app->permits; after the database in the list */
extern const struct resource resource_pages;	/* app->pages: those of pages/NAME and pages/common */
extern const struct resource resource_providers;	/* forms may lead to other parties' pages */
extern const struct resource resource_words;	/* app->words: amounts and dates; after the pages in the list */

/*
 * Open a resource of any program, also one that is not a worker. own: the program's role, pool, timeout_ms,
 * prepared, and wait_ms where it is not 0; the rest comes from the configuration. ERR_INVALID: database.conninfo is
 * unsafe, printed on stderr. db keeps the pace of all programs; NULL: this one's alone. report hears what Stripe
 * refuses.
 */
enum err resource_open_database(mem_ctx *ctx, const struct config *c, struct db_options own, struct db **out)
    MUST_CHECK;
struct stripe *resource_open_stripe(mem_ctx *ctx, const struct config *c, struct db *db, struct stripe_report report);

#endif
