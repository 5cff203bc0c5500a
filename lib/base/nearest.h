/* nearest: the known name that a misspelt one most likely means. */
#ifndef TOLLGATE_NEAREST_H
#define TOLLGATE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char	*wanted;
	const char	*found;		/* NULL: no known name is near */
	size_t		distance;	/* of found */
};

/* Offers a known name, which must live as long as n. Up to three letters may differ. */
void nearest_offer(struct nearest *n, const char *known);

#endif
