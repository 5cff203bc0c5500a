/* asked: the picture that a query asks for. */
#ifndef TOLLGATE_ASKED_H
#define TOLLGATE_ASKED_H

#include "mem.h"
#include "picture.h"

/* What is wrong with a query: the field, and the reason. */
struct asked_fault {
	const char	*field, *reason;
};

/*
 * False with *fault. query: as it was sent; each of its parameters is drawn or refused. signature: as it was sent, or
 * NULL. label: what the image says of the type; "" for nothing.
 */
bool asked_read(mem_ctx *ctx, const char *query, struct picture *out, const char **signature, const char **label,
    struct asked_fault *fault);

/* What is wrong with a heading, or NULL. It is valid UTF-8. */
const char *asked_heading_fault(const char *text);

#endif
