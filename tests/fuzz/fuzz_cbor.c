/* Whatever the bytes, what is found lies within them, and a map that is read can be searched to its end. */
#include "fuzz.h"

#include "cbor.h"

static void
check_within(const struct cbor *c, const uint8_t *data, size_t size)
{
	MUST(c->n == 0 || (c->at >= data && c->n <= size && c->at + c->n <= data + size));
	MUST((c->type != CBOR_ARRAY && c->type != CBOR_MAP) || (c->number >= 0 && c->number <= CBOR_ENTRIES));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cbor	c, found, again;
	size_t		used, same;

	if (cbor_read(data, size, &c, &used) != OK) {
		MUST(cbor_read_all(data, size, &c) != OK);
		return 0;
	}
	MUST(used > 0 && used <= size);
	check_within(&c, data, size);
	MUST((cbor_read_all(data, size, &again) == OK) == (used == size));
	MUST(cbor_read(data, used, &again, &same) == OK && same == used);
	for (size_t n = 0; n < used; n++)
		MUST(cbor_read(data, n, &again, &same) != OK);
	for (int64_t key = -4; key < 4; key++)
		if (cbor_at_number(&c, key, &found))
			check_within(&found, data, size);
	if (cbor_at_text(&c, "authData", &found))
		check_within(&found, data, size);
	return 0;
}
