/* signature: many small changes. Apart from test_signature.c because it takes half a minute under ASan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signature.h"

#define P "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}"
#define GOOD "4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a230150"

enum { NOW = 1700000000 };

static enum signature_verdict
verify(const char *header, const char *body)
{
	static const char *const	secrets[] = { "whsec_test_secret", "whsec_test_secret_rolled_key" };

	return signature_verify(header, body, strlen(P), secrets, 2, NOW, NULL);
}

/* A million random single-bit changes of body or time: none may pass. */
static void
test_f70_a_million_flips(void **state)
{
	char		body[] = P;
	char		header[] = "t=1700000000,v1=" GOOD;
	unsigned	seed = 1;

	(void)state;
	assert_int_equal(verify(header, body), SIGNATURE_OK);
	for (int i = 0; i < 1000000; i++) {
		unsigned	bit = (unsigned)rand_r(&seed) % ((unsigned)strlen(P) * 8 + 30);
		char		*byte = bit < 30 ? header + 2 + bit / 3 : body + (bit - 30) / 8;
		char		mask = (char)(1 << (bit < 30 ? bit % 3 : (bit - 30) % 8));

		*byte ^= mask;
		assert_int_not_equal(verify(header, body), SIGNATURE_OK);
		*byte ^= mask;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f70_a_million_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
