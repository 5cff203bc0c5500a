/*
 * delta: text that comes in pieces, each a JSON string. What is put together is valid UTF-8 without U+0000, wherever it
 * was cut: one piece may end with the first half of an emoji's surrogate pair, and the next begin with the other.
 */
#ifndef TOLLGATE_DELTA_H
#define TOLLGATE_DELTA_H

#include "json.h"
#include "mem.h"

struct delta;	/* what waits between two pieces: half a surrogate pair */

struct delta *delta_new(mem_ctx *mem);

/*
 * json_parse_unique() for a document with such strings. That one refuses an unpaired surrogate; here it is kept within
 * the string, in a form that only delta_put() reads. Each \u0000 is dropped. The document hangs on mem. NULL: that one
 * would refuse it for another reason.
 */
struct json_object *delta_parse(mem_ctx *mem, const char *text, size_t n);

/*
 * Appends to *out what is text by now. text and n are of a string in a document that delta_parse() has read:
 * json_object_get_string() and json_object_get_string_len(), as it may hold a NUL.
 */
void delta_put(struct delta *d, const char *text, size_t n, struct buf *out);

/* No more pieces: a half that still waits stays alone and becomes U+FFFD. */
void delta_end(struct delta *d, struct buf *out);

#endif
