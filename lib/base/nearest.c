#include "nearest.h"

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

void
nearest_offer(struct nearest *n, const char *known)
{
	size_t	distance = name_distance(n->wanted, known);

	if (distance > NEAR || (n->found != NULL && distance >= n->distance))
		return;
	n->found = known;
	n->distance = distance;
}
