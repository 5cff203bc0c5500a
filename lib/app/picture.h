/*
 * picture: a page's Open Graph image: what it says, and its address. The program og draws it. With og.key_file set the
 * address is signed, and og draws no other.
 */
#ifndef TOLLGATE_PICTURE_H
#define TOLLGATE_PICTURE_H

#include <stdbool.h>

#include "config.h"
#include "secret.h"

enum { PICTURE_WIDTH = 1200, PICTURE_HEIGHT = 630 };

struct picture {
	const char	*heading;
	const char	*type;		/* a row of the table in workers/og/asked.c */
	const char	*mode;		/* "light" or "dark" */
};

/* One query for each picture: all members in this order, escaped in one way. It is what the signature is over. */
char *picture_query(mem_ctx *ctx, const struct picture *p);

/* False without a key: then addresses are not signed. */
bool picture_sign(const struct config *c, const char *query, struct secret *out);

/* Absolute, and signed when there is a key. */
char *picture_url(mem_ctx *ctx, const struct config *c, const struct picture *p);

#endif
