#include "cbor.h"

#include <string.h>

#include "text.h"

enum { LENGTH_FOLLOWS = 24, LENGTHS_END = 28, SIMPLE_FALSE = 20, SIMPLE_NULL = 22 };

struct rest {
	const uint8_t	*at;
	size_t		n;
};

static bool
head_read(struct rest *r, enum cbor_type *type, uint64_t *value)
{
	size_t	width;

	if (r->n == 0)
		return false;
	*type = *r->at >> 5;
	*value = *r->at & 31;
	r->at++;
	r->n--;
	if (*value < LENGTH_FOLLOWS)
		return true;
	width = (size_t)1 << (*value - LENGTH_FOLLOWS);
	if (*value >= LENGTHS_END || r->n < width)
		return false;
	for (*value = 0; width > 0; width--, r->n--)
		*value = *value << 8 | *r->at++;
	return true;
}

static bool
is_same(const struct cbor *a, const struct cbor *b)
{
	return a->type == b->type && a->number == b->number && a->n == b->n &&
	    (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

static bool item_read(struct rest *r, unsigned depth, struct cbor *out);

/* The entries of an array or a map, of which every other is a key. */
static bool
entries_read(struct rest *r, unsigned depth, const struct cbor *whole)
{
	struct cbor	keys[CBOR_ENTRIES], value;

	if (depth == CBOR_DEPTH)
		return false;
	for (int64_t i = 0; i < whole->number; i++) {
		if (whole->type == CBOR_MAP && (!item_read(r, depth + 1, &keys[i]) ||
		    (keys[i].type > CBOR_NEGATIVE && keys[i].type != CBOR_TEXT)))
			return false;
		for (int64_t j = 0; whole->type == CBOR_MAP && j < i; j++)
			if (is_same(&keys[i], &keys[j]))
				return false;
		if (!item_read(r, depth + 1, &value))
			return false;
	}
	return true;
}

static bool
string_read(struct rest *r, struct cbor *out, uint64_t n)
{
	if (n > r->n)
		return false;
	*out = (struct cbor){ .type = out->type, .at = r->at, .n = (size_t)n };
	r->at += n;
	r->n -= n;
	return out->type == CBOR_BYTES || text_is_utf8((const char *)out->at, out->n);
}

/* depth: in how many arrays and maps the item is. */
static bool
item_read(struct rest *r, unsigned depth, struct cbor *out)
{
	uint64_t	value;
	bool		good;

	if (!head_read(r, &out->type, &value))
		return false;
	if (out->type == CBOR_BYTES || out->type == CBOR_TEXT)
		return string_read(r, out, value);
	*out = (struct cbor){ .type = out->type, .number = (int64_t)value, .at = r->at };
	switch (out->type) {
	case CBOR_POSITIVE:
		return value <= INT64_MAX;
	case CBOR_NEGATIVE:
		out->number = -1 - out->number;
		return value <= INT64_MAX;
	case CBOR_ARRAY:
	case CBOR_MAP:
		good = value <= CBOR_ENTRIES && entries_read(r, depth, out);
		out->n = (size_t)(r->at - out->at);
		return good;
	default:	/* of one byte: of more it is a floating-point number, or nothing */
		return out->at[-1] == (CBOR_SIMPLE << 5 | value) && value >= SIMPLE_FALSE && value <= SIMPLE_NULL;
	}
}

enum err
cbor_read(const void *bytes, size_t n, struct cbor *out, size_t *used)
{
	struct rest	r = { bytes, n };

	if (!item_read(&r, 0, out))
		return ERR_INVALID;
	*used = n - r.n;
	return OK;
}

enum err
cbor_read_all(const void *bytes, size_t n, struct cbor *out)
{
	size_t	used;

	TRY(cbor_read(bytes, n, out, &used));
	return used == n ? OK : ERR_INVALID;
}

static bool
value_find(const struct cbor *map, const struct cbor *key, struct cbor *out)
{
	struct rest	r = { map->at, map->n };
	struct cbor	k;

	for (int64_t i = 0; map->type == CBOR_MAP && i < map->number; i++) {
		if (!item_read(&r, 1, &k) || !item_read(&r, 1, out))
			return false;
		if (is_same(&k, key))
			return true;
	}
	return false;
}

bool
cbor_at_number(const struct cbor *map, int64_t key, struct cbor *out)
{
	return value_find(map, &(struct cbor){ .type = key < 0 ? CBOR_NEGATIVE : CBOR_POSITIVE, .number = key }, out);
}

bool
cbor_at_text(const struct cbor *map, const char *key, struct cbor *out)
{
	return value_find(map, &(struct cbor){ .type = CBOR_TEXT, .at = (const uint8_t *)key, .n = strlen(key) }, out);
}
