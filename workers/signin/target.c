#include "signin.h"

#include <string.h>

/* The pages that a sign-in may redirect to; any other path is replaced by the first. */
static const char *const targets[] = { "/workspace", "/settings/billing", NULL };

const char *
target_allowed(const char *path)
{
	for (size_t i = 0; targets[i] != NULL; i++)
		if (path != NULL && strcmp(path, targets[i]) == 0)
			return targets[i];
	return targets[0];
}
