#include "sandbox.h"

#include <stdlib.h>

#include "confine.h"
#include "log.h"
#include "resource.h"
#include "worker.h"

enum { PATHS = 64 };

/*
 * The resolver, name services, certificates, time zones, and modules that libraries load. /etc as a whole: a rule is
 * about a file, and files such as resolv.conf are replaced by new ones.
 */
static const char *const system_paths[] = {
	"/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/usr/share/zoneinfo", "/run/systemd/resolve", "/run/resolvconf",
	"/run/NetworkManager", "/run/nscd", "/dev/urandom", NULL
};

static void
paths_add(const char **list, const char *const *more)
{
	unsigned	n = 0;

	while (list[n] != NULL)
		n++;
	for (; more != NULL && *more != NULL && n + 1 < PATHS; more++)
		list[n++] = *more;
	list[n] = NULL;
}

enum err
sandbox_enter(mem_ctx *ctx, const struct app *app)
{
	const char	*paths[PATHS] = { NULL };
	enum err	e;

	paths_add(paths, system_paths);
	for (const struct resource *const *r = app->worker->resources; *r != NULL; r++) {
		if ((*r)->files != NULL)
			paths_add(paths, (*r)->files(ctx, app));
	}
	e = confine_files(paths);
	if (e == ERR_UNAVAILABLE) {
		log_line(LOG_WARN, "sandbox", LOG_TEXT("reason", "this kernel has no Landlock: files are not confined"));
		return OK;
	}
	if (e != OK)
		log_line(LOG_ERROR, "sandbox", LOG_TEXT("reason", "the kernel refused to confine this process"));
	return e;
}
