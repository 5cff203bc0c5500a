#include <unistd.h>

#include "signin.h"

/* One slot for each core of the machine, not of a container's share: they are for all processes on it. */
static enum err
passwords_open(mem_ctx *ctx, struct app *app)
{
	struct signin	*s = app->own;
	long		cores = sysconf(_SC_NPROCESSORS_ONLN);

	TRY(breached_open(ctx, app->config->passwords.breached, &s->breached));
	return slots_open(ctx, app->config->passwords.slots, cores > 0 ? (int)cores : 1, &s->slots);
}

static const char *const *
passwords_files(mem_ctx *ctx, const struct app *app)
{
	const char	**paths = talloc_zero_array(ctx, const char *, 2);

	paths[0] = app->config->passwords.slots;
	return paths;
}

const struct resource resource_passwords = {
	"passwords", NEED_PASSWORDS, passwords_open, NULL, NULL, passwords_files
};
