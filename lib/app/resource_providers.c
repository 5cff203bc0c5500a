#include "providers.h"
#include "resource.h"

/* Chromium asks form-action about each redirect that follows a form. */
static enum err
providers_open(mem_ctx *ctx, struct app *app)
{
	const char	*origins = providers_origins(ctx, app->config);

	app->form_action = *app->form_action && *origins ? mem_printf(ctx, "%s %s", app->form_action, origins) :
	    *origins ? origins : app->form_action;
	return OK;
}

const struct resource resource_providers = { "providers", 0, providers_open, NULL, NULL, NULL };
