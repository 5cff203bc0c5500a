/* challenge: of one browser, for ten minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "challenge.h"
#include "unit.h"

static const struct secret	key = { { 1 } }, other = { { 2 } };

#define SECOND INT64_C(1000000)
#define NOW (1800000000 * SECOND)

static void
test_f205_a_challenge_is_of_one_browser_and_ten_minutes(void **state)
{
	const char	*made = challenge_make(*state, &key, NOW);

	assert_true(challenge_is_good(&key, made, NOW));
	assert_true(challenge_is_good(&key, made, NOW + CHALLENGE_SECONDS * SECOND - 1));
	assert_false(challenge_is_good(&key, made, NOW + CHALLENGE_SECONDS * SECOND));
	assert_true(challenge_is_good(&key, made, NOW - 60 * SECOND));
	assert_false(challenge_is_good(&key, made, NOW - 60 * SECOND - 1));
	assert_false(challenge_is_good(&other, made, NOW));
	assert_string_not_equal(made, challenge_make(*state, &key, NOW + 1));
	assert_in_range(challenge_now() / SECOND, time(NULL) - 1, time(NULL) + 1);
}

static void
test_f205_a_challenge_that_was_changed_is_none(void **state)
{
	char	*made = challenge_make(*state, &key, NOW);
	size_t	n = strlen(made);

	for (size_t i = 0; i < n; i++) {
		char	was = made[i];

		made[i] = was == 'A' ? 'B' : 'A';
		assert_false(challenge_is_good(&key, made, NOW));
		made[i] = was;
	}
	assert_false(challenge_is_good(&key, "", NOW));
	assert_false(challenge_is_good(&key, mem_printf(*state, "%sA", made), NOW));
	made[n - 1] = '\0';
	assert_false(challenge_is_good(&key, made, NOW));
}

static void
test_the_digest_is_of_the_text(void **state)
{
	struct secret	digest = challenge_digest("abc");

	assert_string_equal(secret_hex(*state, &digest),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f205_a_challenge_is_of_one_browser_and_ten_minutes),
		TEST(test_f205_a_challenge_that_was_changed_is_none),
		TEST(test_the_digest_is_of_the_text),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
