#include "page.h"
#include "pages.h"
#include "resource.h"
#include "worker.h"

static enum err
pages_open(mem_ctx *ctx, struct app *app)
{
	app->error_page = page_error;
	return pages_load(ctx, app->config, app->worker->name, &app->pages);
}

const struct resource resource_pages = { "pages", NEED_SITE, pages_open, NULL, NULL, NULL };
