/* json: strict parsing, and reads by JSON Pointer that treat missing and null alike. Every layer may use json-c. */
#ifndef TOLLGATE_JSON_H
#define TOLLGATE_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

/*
 * Parses exactly n bytes: strict grammar, valid UTF-8 also in escapes (no half of a surrogate pair), depth at most 32,
 * nothing but white space after the value, no NaN or Infinity. *out hangs on ctx. ERR_BAD_REQUEST otherwise (not
 * logged: bad input is not a fault of this program).
 */
enum err json_parse(mem_ctx *ctx, const void *bytes, size_t n, struct json_object **out) MUST_CHECK;

/* Whether the bytes are a complete JSON value, even one that json_parse refuses. False for truncated input. */
bool json_is_whole(const void *bytes, size_t n);

/* The line, from 1, at which the bytes stop being JSON. 0: not known. */
unsigned json_line(const void *bytes, size_t n);

/* The UTF-16 code unit that an escape at s (\uXXXX) stands for; 0 without an escape. s ends with a NUL. */
unsigned json_unit(const char *s);

/* As json_parse, and a key given twice in one object is ERR_BAD_REQUEST too: for requests of our own API. */
enum err json_parse_unique(mem_ctx *ctx, const void *bytes, size_t n, struct json_object **out) MUST_CHECK;

/* Makes doc (a reference we own) live as long as ctx; returns doc. */
struct json_object *json_hang(mem_ctx *ctx, struct json_object *doc);

/* The value at a pointer such as "/data/object/id", or NULL when missing or null. Borrowed. "" is doc itself. */
struct json_object *json_at(struct json_object *doc, const char *pointer);

/* The string there; NULL when missing, null or not a string. Borrowed from doc. */
const char *json_text(struct json_object *doc, const char *pointer);

/*
 * json_text(), and NULL for a string that holds U+0000 as well: C would cut it there, and PostgreSQL's text cannot hold
 * it.
 */
const char *json_whole_text(struct json_object *doc, const char *pointer);

/* Whether the value there is this string; false also when it is missing. */
bool json_is(struct json_object *doc, const char *pointer, const char *text);

/* The integer there (|n| <= 2^53), or fallback when missing, null or not an integer. */
int64_t json_int(struct json_object *doc, const char *pointer, int64_t fallback);

/* True only for JSON's true. */
bool json_true(struct json_object *doc, const char *pointer);

/* An id that Stripe gives as a string or as an expanded object with "id"; NULL when neither. */
const char *json_id(struct json_object *doc, const char *pointer);

/* Add to a document that we build: name = text (nothing is added for NULL), or name = true. */
void json_put(struct json_object *doc, const char *name, const char *text);
void json_put_true(struct json_object *doc, const char *name);

/* A new, empty object on ctx. */
struct json_object *json_new(mem_ctx *ctx);

#endif
