#include "resource.h"
#include "worker.h"

#include <stdio.h>

enum err
resource_open_database(mem_ctx *ctx, const struct config *c, struct db_options own, struct db **out)
{
	const char	*wrong = db_conninfo_fault(ctx, c->database.conninfo, c->database.conninfo_shared);

	if (wrong != NULL) {
		fprintf(stderr, "%s: database.conninfo %s\n", c->database.conninfo_at, wrong);
		return ERR_INVALID;
	}
	own.conninfo = c->database.conninfo;
	own.wait_ms = own.wait_ms != 0 ? own.wait_ms : c->database.wait_ms;
	own.environment = c->site.environment;
	*out = db_open(ctx, &own);
	return OK;
}

static enum err
database_open(mem_ctx *ctx, struct app *app)
{
	const struct config	*c = app->config;
	const struct worker	*w = app->worker;

	return resource_open_database(ctx, c, (struct db_options){
		.role = mem_printf(ctx, "tollgate_%s", w->name), .pool = w->pool != 0 ? w->pool : c->database.pool,
		.wait_ms = w->wait_ms, .timeout_ms = c->database.timeout_ms, .prepared = c->database.prepared,
	}, &app->db);
}

static enum err
database_admit(const struct app *app, mem_ctx *mem, const char **why)
{
	return db_admit(app->db, mem, why);
}

static enum err
database_health(const struct app *app)
{
	return db_ping(app->db);
}

static const char *const *
database_files(mem_ctx *ctx, const struct app *app)
{
	return db_files(ctx, app->config->database.conninfo);
}

const struct resource resource_database = {
	"database", NEED_SITE | NEED_DATABASE, database_open, database_admit, database_health, database_files
};
