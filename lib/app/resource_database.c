#include "resource.h"
#include "worker.h"

struct db *
resource_open_database(mem_ctx *ctx, const struct config *c, struct db_options own)
{
	own.conninfo = c->database.conninfo;
	own.wait_ms = c->database.wait_ms;
	own.environment = c->site.environment;
	return db_open(ctx, &own);
}

static enum err
database_open(mem_ctx *ctx, struct app *app)
{
	const struct config	*c = app->config;
	const struct worker	*w = app->worker;

	app->db = resource_open_database(ctx, c, (struct db_options){
		.role = mem_printf(ctx, "tollgate_%s", w->name), .pool = w->pool != 0 ? w->pool : c->database.pool,
		.timeout_ms = c->database.timeout_ms, .prepared = c->database.prepared,
	});
	return OK;
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
