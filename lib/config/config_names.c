#include "private/config_key.h"

#include <string.h>

#include "nearest.h"

const char *
config_name_unknown(mem_ctx *ctx, const char *name)
{
	struct nearest	n = { .wanted = name };

	for (const struct config_key *k = config_keys; k->path; k++)
		nearest_offer(&n, k->path);
	return n.found ? mem_printf(ctx, "is not known: did you mean %s?", n.found) : "is not known";
}

bool
config_name_is_known(const char *name, char end)
{
	size_t	n = strlen(name);

	for (const struct config_key *k = config_keys; k->path; k++) {
		if (strncmp(k->path, name, n) == 0 && k->path[n] == end)
			return true;
	}
	return false;
}
