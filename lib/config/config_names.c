#include "private/config_key.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64, NEAR = 3 };

/* The Levenshtein distance, computed one row of the table at a time. */
static size_t
name_distance(const char *a, const char *b)
{
	size_t	row[NAME_MAX_BYTES], n = strlen(b);

	if (n >= NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t	corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t	change = corner + (a[i - 1] != b[j - 1]);
			size_t	shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			corner = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[n];
}

const char *
config_name_unknown(mem_ctx *ctx, const char *name)
{
	const char	*nearest = NULL;
	size_t		best = NEAR + 1;

	for (const struct config_key *k = config_keys; k->path; k++) {
		size_t	d = name_distance(name, k->path);

		if (d < best) {
			best = d;
			nearest = k->path;
		}
	}
	return nearest ? mem_printf(ctx, "is not known: did you mean %s?", nearest) : "is not known";
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
