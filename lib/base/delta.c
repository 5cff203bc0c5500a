#include "delta.h"

#include <string.h>

enum { HIGH = 0xd800, LOW = 0xdc00, MARK_DIGITS = 4, ESCAPE = 6 /* characters of \uXXXX */ };

struct delta {
	unsigned	high;	/* the first half that waits for the other; 0: none */
};

struct delta *
delta_new(mem_ctx *mem)
{
	return talloc_zero(mem, struct delta);
}

static bool
is_high(unsigned unit)
{
	return (unit & 0xfc00) == HIGH;
}

static bool
is_low(unsigned unit)
{
	return (unit & 0xfc00) == LOW;
}

/*
 * Copies an escape and returns its length. A half that is alone becomes U+0000 and its four digits: nothing else leaves
 * a U+0000 in a string.
 */
static size_t
escape_mark(const char *s, struct buf *out)
{
	unsigned	unit = json_unit(s);
	bool		pair = is_high(unit) && is_low(json_unit(s + ESCAPE));

	if (pair || is_high(unit) || is_low(unit)) {
		if (!pair)
			buf_puts(out, "\\u0000");
		buf_put(out, pair ? s : s + 2, pair ? 2 * ESCAPE : MARK_DIGITS);
		return pair ? 2 * ESCAPE : ESCAPE;
	}
	if (strncmp(s, "\\u0000", ESCAPE) == 0)
		return ESCAPE;
	buf_put(out, s, 2);
	return 2;
}

struct json_object *
delta_parse(mem_ctx *mem, const char *text, size_t n)
{
	struct buf		marked = { .ctx = mem };
	const char		*s = mem_copy(mem, text, n), *end = s + n, *escape;
	struct json_object	*doc;

	/* In JSON a backslash is in a string only, and before a character; what is no JSON is refused below. */
	for (; (escape = memchr(s, '\\', (size_t)(end - s))) != NULL && end - escape > 1;) {
		buf_put(&marked, s, (size_t)(escape - s));
		s = escape + escape_mark(escape, &marked);
	}
	buf_put(&marked, s, (size_t)(end - s));
	return json_parse_unique(mem, marked.data, marked.len, &doc) == OK ? doc : NULL;
}

/* The half that is marked after a U+0000; 0 where none is. */
static unsigned
half_read(const char *s, size_t n)
{
	char	escape[ESCAPE + 1] = "\\u";

	if (n < MARK_DIGITS)
		return 0;
	memcpy(escape + 2, s, MARK_DIGITS);
	return json_unit(escape);
}

static void
pair_put(unsigned high, unsigned low, struct buf *out)
{
	unsigned	point = 0x10000 + ((high - HIGH) << 10) + (low - LOW);
	const char	bytes[] = {
		(char)(0xf0 | point >> 18), (char)(0x80 | (point >> 12 & 0x3f)), (char)(0x80 | (point >> 6 & 0x3f)),
		(char)(0x80 | (point & 0x3f))
	};

	buf_put(out, bytes, sizeof(bytes));
}

void
delta_end(struct delta *d, struct buf *out)
{
	if (d->high != 0)
		buf_puts(out, "\xef\xbf\xbd");
	d->high = 0;
}

static void
half_put(struct delta *d, unsigned unit, struct buf *out)
{
	if (is_low(unit) && d->high != 0) {
		pair_put(d->high, unit, out);
		d->high = 0;
		return;
	}
	delta_end(d, out);
	d->high = unit;
	if (!is_high(unit))
		delta_end(d, out);
}

void
delta_put(struct delta *d, const char *text, size_t n, struct buf *out)
{
	size_t		plain;
	unsigned	unit;

	for (const char *end = text + n; text < end;) {
		plain = strnlen(text, (size_t)(end - text));
		if (plain > 0)
			delta_end(d, out);
		buf_put(out, text, plain);
		text += plain;
		if (text == end)
			return;
		text++;
		unit = half_read(text, (size_t)(end - text));
		if (unit == 0)
			continue;
		half_put(d, unit, out);
		text += MARK_DIGITS;
	}
}
