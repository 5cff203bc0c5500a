#include "private/config_key.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Where under a prefix `make install` lays programs. */
static const char *const places[] = { "/bin/", "/lib/tollgate/" };

/* The length of PREFIX in "PREFIX/bin/" or "PREFIX/lib/tollgate/"; 0 for another directory. */
static size_t
prefix_length(const char *directory, size_t n)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t	end = strlen(places[i]);

		if (n > end && strncmp(directory + n - end, places[i], end) == 0)
			return n - end;
	}
	return 0;
}

const char *
config_prefixed(mem_ctx *ctx, const char *below)
{
	char	path[PATH_MAX];
	ssize_t	n = readlink("/proc/self/exe", path, sizeof(path));

	while (n > 0 && path[n - 1] != '/')
		n--;
	n = n > 0 ? (ssize_t)prefix_length(path, (size_t)n) : 0;
	return n > 0 ? mem_printf(ctx, "%.*s/%s", (int)n, path, below) : mem_printf(ctx, "/usr/local/%s", below);
}
