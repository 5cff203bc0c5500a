#include "models.h"

#include <stdatomic.h>
#include <string.h>

enum { SPARE_THREADS = 8 };

struct models {
	struct https	*https;
	int		most;		/* answers at a time */
	atomic_int	entered;
};

int
models_threads(const struct config *c)
{
	return c->chat.streams + SPARE_THREADS;
}

/* A provider on this machine, which the configuration alone may name. */
static bool
is_local(const struct config *c)
{
	for (size_t i = 0; i < c->n_model_providers; i++) {
		if (strncmp(c->model_providers[i].url, "http://", 7) == 0)
			return true;
	}
	return false;
}

/* With fewer threads, one is left for other pages; under mod_fcgid, which has a process for each request, none is. */
static enum err
models_open(mem_ctx *ctx, struct app *app)
{
	struct models	*m = talloc_zero(ctx, struct models);
	int		streams = app->config->chat.streams;

	m->https = https_open(m, is_local(app->config));
	m->most = app->threads > 1 && streams >= app->threads ? app->threads - 1 : streams;
	app->own = m;
	return OK;
}

const struct resource resource_models = { "models", NEED_CHAT | NEED_MODEL_KEYS, models_open, NULL, NULL, NULL };

struct https *
models_https(const struct app *app)
{
	return ((struct models *)app->own)->https;
}

bool
models_enter(const struct app *app)
{
	struct models	*m = app->own;

	if (atomic_fetch_add(&m->entered, 1) < m->most)
		return true;
	atomic_fetch_sub(&m->entered, 1);
	return false;
}

void
models_leave(const struct app *app)
{
	struct models	*m = app->own;

	atomic_fetch_sub(&m->entered, 1);
}
