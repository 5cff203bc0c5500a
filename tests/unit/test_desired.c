/* wanted: the desired state at Stripe, as parameters and compared with the present state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "json.h"
#include "unit.h"
#include "desired.h"

static struct json_object *
parse(mem_ctx *mem, const char *text)
{
	struct json_object	*doc;

	assert_int_equal(json_parse(mem, text, strlen(text), &doc), OK);
	return doc;
}

static void
test_objects_and_lists_become_names_in_brackets(void **state)
{
	mem_ctx	*mem = *state;

	assert_string_equal(desired_form(mem, parse(mem, "{\"a\": {\"b\": [\"x y\", true], \"c\": 7}, \"d\": []}")),
	    "a[b][0]=x%20y&a[b][1]=true&a[c]=7&d=");
}

/* The desired state, the present state, and the fields that differ. */
static void
test_c24_only_what_is_wanted_is_compared(void **state)
{
	static const struct {
		const char	*wanted, *actual, *fields;
	} table[] = {
		{ "{}", "{\"a\": 1}", "" },
		{ "{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1, \"c\": 2}, \"d\": 3}", "" },
		{ "{\"a\": {\"b\": 1}, \"c\": true}", "{\"a\": {\"b\": 2}, \"c\": true}", "a.b " },
		{ "{\"a\": 1, \"b\": {\"c\": 1, \"d\": 2}}", "{}", "a b.c b.d " },
		{ "{\"a\": \"1\"}", "{\"a\": 1}", "a " },
		{ "{\"a\": \"x\"}", "{\"a\": null}", "a " },
		{ "{\"a\": [\"x\", \"y\"]}", "{\"a\": [\"y\", \"x\"]}", "" },
		{ "{\"a\": [\"x\"]}", "{\"a\": [\"x\", \"y\"]}", "a " },
		{ "{\"a\": [\"x\", \"y\"]}", "{\"a\": [\"x\", \"x\"]}", "a " },
		{ "{\"a\": [{\"b\": 1, \"c\": [\"p\"]}]}", "{\"a\": [{\"c\": [\"p\"], \"b\": 1, \"z\": 0}]}", "" },
		{ "{\"a\": [{\"b\": 1}]}", "{\"a\": [{\"b\": 2}]}", "a " },
		{ "{\"a\": {\"b\": 1}}", "{\"a\": \"text\"}", "a.b " },
	};
	mem_ctx	*mem = *state;

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct json_object	*d = desired_differences(mem, parse(mem, table[i].wanted), parse(mem, table[i].actual));
		struct buf		fields = { .ctx = mem };

		buf_puts(&fields, "");
		for (size_t j = 0; j < json_object_array_length(d); j++)
			buf_printf(&fields, "%s ", json_text(json_object_array_get_idx(d, j), "/field"));
		assert_string_equal(fields.data, table[i].fields);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_objects_and_lists_become_names_in_brackets),
		TEST(test_c24_only_what_is_wanted_is_compared),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
