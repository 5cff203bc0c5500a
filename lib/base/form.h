/* form: application/x-www-form-urlencoded, read strictly and written as Stripe expects it. Also a query's parameter. */
#ifndef TOLLGATE_FORM_H
#define TOLLGATE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "mem.h"

struct form_field {
	const char	*name;
	const char	*value;		/* NUL-terminated; never holds a NUL inside */
	size_t		len;
};

struct form {
	struct form_field	*fields;
	size_t			n;
	const char		*fault;		/* what form_parse() refused, or NULL */
	const char		*field;		/* where; NULL: in a name, or in all of them */
};

enum { FORM_MAX_FIELDS = 64 };

/*
 * Decodes '+' and %XX once. ERR_BAD_REQUEST for more than FORM_MAX_FIELDS fields, a malformed escape, a NUL, invalid
 * UTF-8, a byte order mark, or a name given twice. A field without '=' has an empty value; empty pieces ("a=1&&b=2")
 * are skipped.
 */
enum err form_parse(mem_ctx *ctx, const char *bytes, size_t n, struct form *out) MUST_CHECK;

/*
 * Reads one field of n encoded bytes and looks at no other: *out is its value, NULL when it is absent. ERR_BAD_REQUEST:
 * it is given twice, or its value cannot be decoded.
 */
enum err form_find(mem_ctx *ctx, const char *bytes, size_t n, const char *name, const char **out) MUST_CHECK;

/* The value, or NULL when the field is absent. */
const char *form_get(const struct form *f, const char *name);

/*
 * Appends name=value to b, percent-encoding all but A-Z a-z 0-9 - . _ ~ (and, in names, [ and ]). A '&' goes before it,
 * except at the start of b and after a '?'.
 */
void form_put(struct buf *b, const char *name, const char *value);

/* Appends s percent-encoded. */
void form_escape(struct buf *b, const char *s);

/* The inverse of form_escape ('+' stays '+'): ERR_BAD_REQUEST for a malformed escape, a NUL or invalid UTF-8. */
enum err form_unescape(mem_ctx *ctx, const char *s, size_t n, const char **out) MUST_CHECK;

#endif
