/*
 * mustache: logic-less templates over a JSON document. Supported, as the published specification says: variables
 * (escaped by default, {{{x}}} and {{&x}} not), sections, inverted sections, comments, partials with indentation,
 * dynamic partial names ({{>*x}}), dotted names, the implicit iterator, standalone lines. Not: set delimiters,
 * lambdas, inheritance. Missing, null, false, 0, "" and [] are falsy. null, false, objects and arrays print nothing.
 *
 * Parsed once; a template is constant afterwards and may be rendered by many threads at a time.
 */
#ifndef TOLLGATE_MUSTACHE_H
#define TOLLGATE_MUSTACHE_H

#include <json-c/json.h>

#include "err.h"
#include "mem.h"

struct mustache;

/* ERR_INVALID with *why (may be NULL) a sentence with the line number. */
enum err mustache_parse(mem_ctx *ctx, const char *text, const struct mustache **out, const char **why) MUST_CHECK;

/* A text without a line end of its own: as a partial alone on a line it keeps that line's end. */
enum err mustache_parse_text(mem_ctx *ctx, const char *text, const struct mustache **out, const char **why) MUST_CHECK;

/* Finds a partial by name; NULL renders as nothing. */
typedef const struct mustache *mustache_partial(const void *set, const char *name);

/* Appends to out. Nesting over 32 partials or sections deep is ERR_INTERNAL. doc is only read. */
enum err mustache_render(const struct mustache *t, struct json_object *doc, mustache_partial *partial, const void *set,
    struct buf *out) MUST_CHECK;

#endif
