/* canvas: draws a picture. */
#ifndef TOLLGATE_CANVAS_H
#define TOLLGATE_CANVAS_H

#include "logo.h"
#include "mem.h"
#include "picture.h"

/* What else is on it. */
struct canvas_words {
	const char	*family;	/* of the first font */
	const char	*brand;
	const char	*label;		/* of the type */
	const char	*host;
	const struct logo	*logo;	/* NULL: a barrier */
};

/* The bytes of a PNG. From any thread: each has fonts of its own, which stay with it. */
void canvas_draw(const struct picture *p, const struct canvas_words *w, struct buf *out);

#endif
