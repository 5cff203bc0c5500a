/*
 * cbor: reads the part of RFC 8949 that passkeys use: integers, byte and text strings, arrays, maps, false, true and
 * null, all of definite length. Allocates nothing; what it finds points into the bytes given.
 */
#ifndef TOLLGATE_CBOR_H
#define TOLLGATE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { CBOR_DEPTH = 4, CBOR_ENTRIES = 16 };	/* of arrays and maps within one another, and of each */

enum cbor_type { CBOR_POSITIVE, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_SIMPLE = 7 };

struct cbor {
	enum cbor_type	type;
	int64_t		number;		/* an integer; how many entries an array or a map has; 20 false, 21 true, 22 null */
	const uint8_t	*at;		/* of a string; of an array or a map, its entries as they stand there */
	size_t		n;
};

/*
 * Reads the one item that the n bytes begin with; *used is its length. All within it is checked: ERR_INVALID when it is
 * cut short, of another kind than those above, too deep or too wide, a key of a map is there twice or neither an
 * integer nor a text, a text is not UTF-8, or an integer does not fit in 64 bits.
 */
enum err cbor_read(const void *bytes, size_t n, struct cbor *out, size_t *used) MUST_CHECK;

/* The same, of bytes that must end with the item. */
enum err cbor_read_all(const void *bytes, size_t n, struct cbor *out) MUST_CHECK;

/* Finds the value of a key in a map. False: it has none, or is no map. */
bool cbor_at_number(const struct cbor *map, int64_t key, struct cbor *out);
bool cbor_at_text(const struct cbor *map, const char *key, struct cbor *out);

#endif
