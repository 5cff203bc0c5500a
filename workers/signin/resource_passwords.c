#include <unistd.h>

#include "signin.h"

static enum err
passwords_open(mem_ctx *ctx, struct app *app)
{
	struct signin	*s = app->own;

	return breached_open(ctx, app->config->passwords.breached, &s->breached);
}

/*
 * One slot for each core of the machine, not of a container's share: they are for all processes on it. Not opened by
 * --check, whose user is not the one that serves.
 */
static enum err
passwords_admit(const struct app *app, mem_ctx *mem, const char **why)
{
	struct signin	*s = app->own;
	long		cores = sysconf(_SC_NPROCESSORS_ONLN);

	return slots_open(mem, app->config->passwords.slots, cores > 0 ? (int)cores : 1, &s->slots, why);
}

static const char *const *
passwords_files(mem_ctx *ctx, const struct app *app)
{
	const char	**paths = talloc_zero_array(ctx, const char *, 2);

	paths[0] = app->config->passwords.slots;
	return paths;
}

const struct resource resource_passwords = {
	"passwords", NEED_PASSWORDS, passwords_open, passwords_admit, NULL, passwords_files
};
