/* What form_parse takes is short, clean, unique, and comes back the same when written and parsed again. */
#include "fuzz.h"

#include <string.h>

#include "form.h"
#include "text.h"

static void
check_field(const struct form *f, size_t i)
{
	const struct form_field	*field = &f->fields[i];

	MUST(strlen(field->value) == field->len);
	MUST(text_is_utf8(field->name, strlen(field->name)) && text_is_utf8(field->value, field->len));
	MUST(form_get(f, field->name) == field->value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx		*mem = mem_new();
	struct form	f, again;
	struct buf	b = { .ctx = mem };

	if (form_parse(mem, (const char *)data, size, &f) == OK) {
		MUST(f.n <= FORM_MAX_FIELDS);
		for (size_t i = 0; i < f.n; i++) {
			check_field(&f, i);
			form_put(&b, f.fields[i].name, f.fields[i].value);
		}
		MUST(form_parse(mem, b.data, b.len, &again) == OK && again.n == f.n);
		for (size_t i = 0; i < f.n; i++)
			MUST(strcmp(f.fields[i].name, again.fields[i].name) == 0 &&
			    strcmp(f.fields[i].value, again.fields[i].value) == 0);
	}
	talloc_free(mem);
	return 0;
}
