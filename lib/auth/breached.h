/*
 * breached: a list of passwords that others have, known from breaches. It is a file of the first eight bytes of each
 * one's SHA-1, sorted, after BREACHED_MAGIC; mapped, so that all processes share it. No filter with false positives.
 */
#ifndef TOLLGATE_BREACHED_H
#define TOLLGATE_BREACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

#define BREACHED_MAGIC "tgpwned1"

enum { BREACHED_SIZE = 8 };	/* bytes of a record, and of the magic before the first */

struct breached {
	const uint8_t	*records;	/* NULL: no list */
	size_t		n;
};

/* Maps the list until ctx is freed; path "": no list. ERR_INVALID: it cannot be read or is none; told on stderr. */
enum err breached_open(mem_ctx *ctx, const char *path, struct breached *out) MUST_CHECK;

bool breached_has(const struct breached *b, const char *password);

/* The record of a password of n bytes. */
void breached_record(const char *password, size_t n, uint8_t out[BREACHED_SIZE]);

#endif
