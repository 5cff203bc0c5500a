/* hex: bytes as lower-case hexadecimal digits. */
#ifndef TOLLGATE_HEX_H
#define TOLLGATE_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

char *hex_write(mem_ctx *ctx, const void *bytes, size_t n);

/* The inverse, into n / 2 bytes. False for an odd number of characters, or one that is no such digit. */
bool hex_read(const char *hex, size_t n, void *out);

#endif
