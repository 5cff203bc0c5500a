#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "secret.h"
#include "signature.h"

#define P "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}"
#define SECRET "whsec_test_secret"
#define ROLLED "whsec_test_secret_rolled_key"
#define T "1700000000"
#define GOOD "4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a230150"
#define GOOD_ROLLED "dc80d0334b78e0dbbc3d5352c151a428b746163b94ad381096bb293b9e650f1e"
#define KEY_ID "7a200eb8"
#define BAD "0000000000000000000000000000000000000000000000000000000000000000"

enum { NOW = 1700000000 };

/* Takes the place of libcrypto's, and counts. */
static unsigned	compared;

int	CRYPTO_memcmp(const void *a, const void *b, size_t n);

int
CRYPTO_memcmp(const void *a, const void *b, size_t n)
{
	compared++;
	return memcmp(a, b, n);
}

static const char *const secrets[] = { SECRET, ROLLED };

static enum signature_verdict
verify(const char *header, const char *body, size_t n)
{
	return signature_verify(header, body, n, secrets, 2, NOW, NULL);
}

static enum signature_verdict
verify_p(const char *header)
{
	return verify(header, P, strlen(P));
}

/* A header whose time is spelled `t` and whose signature is right for that very spelling. */
static void
sign(char *header, size_t size, const char *t, const char *body)
{
	mem_ctx		*mem = mem_new();
	char		*said = mem_printf(mem, "%s.%s", t, body);
	struct secret	mac = secret_hmac(SECRET, strlen(SECRET), said, strlen(said));

	snprintf(header, size, "t=%s,v1=%s", t, secret_hex(mem, &mac));
	talloc_free(mem);
}

static void
test_f69_vectors_of_stripes_own_libraries_pass(void **state)
{
	static const struct {
		const char	*secret;
		int64_t		t;
		const char	*body;
		const char	*v1;
	} vectors[] = {
		{ SECRET, 12345, P, "2672d138c9a412830f3bfe2ecc5bfb3277cf6f5b49d0119d77dd6cb64da1257e" },
		{ SECRET, NOW, P, GOOD },
		{ ROLLED, NOW, P, GOOD_ROLLED },
		{ SECRET, NOW, "{}", "ceb8863f7208fa249a6cd8f951e993c7563412aca65866f6272283debe143ab3" },
		{ SECRET, NOW, "{\"id\":\"evt_\xc3\xa9\",\"object\":\"event\"}",
		    "6c9309a001d73db7576ae53cd43df90b147c3d1ddffa8c869be6e69ae232237e" },
		{ SECRET, NOW, "\xef\xbb\xbf{}", "d39d0da0451408c5303a1de0e6ac487f302183f463f595cacf67857e01f244c5" },
	};
	char	header[200];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		snprintf(header, sizeof(header), "t=%lld,v1=%s", (long long)vectors[i].t, vectors[i].v1);
		assert_int_equal(signature_verify(header, vectors[i].body, strlen(vectors[i].body), &vectors[i].secret, 1,
		    vectors[i].t, NULL), SIGNATURE_OK);
	}
}

static void
test_f69_headers(void **state)
{
	static const struct {
		const char		*header;
		enum signature_verdict	verdict;
	} cases[] = {
		{ NULL, SIGNATURE_MISSING },
		{ "", SIGNATURE_MISSING },
		{ "t=" T ",v1=" GOOD, SIGNATURE_OK },
		{ "v1=" GOOD ",t=" T, SIGNATURE_OK },
		{ "t=" T ",v1=" GOOD ",v0=" BAD, SIGNATURE_OK },
		{ "t=" T ",v1=" BAD ",v0=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v2=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v11=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",\tv1=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ";v1=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v1=" BAD ",v1=" GOOD, SIGNATURE_OK },
		{ "t=" T ",v1=" GOOD ",v1=" BAD, SIGNATURE_OK },
		{ "t=" T ",v1=nonsense,v1=" GOOD, SIGNATURE_OK },
		{ "t=" T ",v1=" GOOD_ROLLED ",v1=" GOOD, SIGNATURE_OK },
		{ "t=" T ",v1=" GOOD_ROLLED, SIGNATURE_OK },
		{ "t=" T ",v1=" GOOD ",", SIGNATURE_OK },
		{ "t=" T ",stray,v1=" GOOD, SIGNATURE_OK },
		{ "t=" T ",a=b=c,v1=" GOOD, SIGNATURE_OK },
		{ "t=" T ",v0=" GOOD, SIGNATURE_INVALID },
		{ "t=" T, SIGNATURE_INVALID },
		{ "v1=" GOOD, SIGNATURE_INVALID },
		{ "bad_header", SIGNATURE_INVALID },
		{ "I am no signature, at all", SIGNATURE_INVALID },
		{ "v1,t=1", SIGNATURE_INVALID },
		{ "t=" T ",v1=", SIGNATURE_INVALID },
		{ "t=" T ", v1=" GOOD, SIGNATURE_INVALID },
		{ " t=" T ",v1=" GOOD, SIGNATURE_INVALID },
		{ "T=" T ",V1=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v1=" GOOD "=", SIGNATURE_INVALID },
		{ "t=" T ",v1=4F1CD7FEDA9826E746B7D482C4BADEBB657398DF1099E1046364F6196A230150", SIGNATURE_INVALID },
		{ "t=,v1=" GOOD, SIGNATURE_INVALID },
		{ "t=abc,v1=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",t=" T ",v1=" GOOD, SIGNATURE_INVALID },
		{ "t=" T ",v1=4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a23015", SIGNATURE_INVALID },
		{ "t=" T ",v1=" GOOD "0", SIGNATURE_INVALID },
		{ "t=" T ",v1=" BAD, SIGNATURE_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (verify_p(cases[i].header) != cases[i].verdict)
			fail_msg("%s", cases[i].header);
	}
}

/* Each is signed for its own spelling, so only the spelling can be why it fails. */
static void
test_f69_times_have_one_spelling(void **state)
{
	static const char *const spellings[] = { "1700000000abc", ".5", "+1700000000", "01700000000", "-1", "0", "1e9",
		"17000000000000000000", " 1700000000", "1700000000 ", "" };
	char	header[200];

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		sign(header, sizeof(header), spellings[i], P);
		if (verify_p(header) != SIGNATURE_INVALID)
			fail_msg("t=%s", spellings[i]);
	}
}

static void
test_f69_age_of_300_seconds_passes_and_301_fails_both_ways(void **state)
{
	static const struct { int64_t now; enum signature_verdict verdict; } ages[] = {
		{ NOW + 300, SIGNATURE_OK }, { NOW + 301, SIGNATURE_INVALID },
		{ NOW - 300, SIGNATURE_OK }, { NOW - 301, SIGNATURE_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(signature_verify("t=" T ",v1=" GOOD, P, strlen(P), secrets, 2, ages[i].now, NULL),
		    ages[i].verdict);
}

static void
test_f69_sixteen_signatures_are_read_and_seventeen_refused(void **state)
{
	char	header[2000] = "t=" T;

	(void)state;
	for (int i = 0; i < 15; i++)
		strcat(header, ",v1=" BAD);
	strcat(header, ",v1=" GOOD);
	assert_int_equal(verify_p(header), SIGNATURE_OK);
	strcat(header, ",v1=" BAD);
	assert_int_equal(verify_p(header), SIGNATURE_INVALID);
}

static void
test_f69_a_header_over_8_kib_is_refused(void **state)
{
	char	header[9000] = "t=" T ",v1=" GOOD ",x=";
	size_t	n = strlen(header);

	(void)state;
	memset(header + n, 'a', SIGNATURE_MAX_HEADER - n);
	assert_int_equal(verify_p(header), SIGNATURE_OK);
	header[SIGNATURE_MAX_HEADER] = 'a';
	assert_int_equal(verify_p(header), SIGNATURE_INVALID);
}

static void
test_f69_which_secret_matched_is_told(void **state)
{
	size_t	which = 9;

	(void)state;
	assert_int_equal(signature_verify("t=" T ",v1=" GOOD_ROLLED, P, strlen(P), secrets, 2, NOW, &which), SIGNATURE_OK);
	assert_int_equal(which, 1);
	assert_int_equal(signature_verify("t=" T ",v1=" GOOD, P, strlen(P), secrets, 2, NOW, &which), SIGNATURE_OK);
	assert_int_equal(which, 0);
}

/* In constant time each, and all of them, so that the time tells neither how much nor which was right. */
static void
test_f69_every_secret_is_compared_with_every_signature(void **state)
{
	static const char *const	headers[] = { "t=" T ",v1=" GOOD ",v1=" BAD ",v1=" BAD,
	    "t=" T ",v1=" BAD ",v1=" BAD ",v1=" GOOD, "t=" T ",v1=" GOOD_ROLLED ",v1=" BAD ",v1=" BAD,
	    "t=" T ",v1=" BAD ",v1=" BAD ",v1=" BAD };

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		compared = 0;
		assert_int_equal(verify_p(headers[i]), i < 3 ? SIGNATURE_OK : SIGNATURE_INVALID);
		assert_int_equal(compared, 6);
	}
}

/* The first configured one is the current one. */
static void
test_f69_of_two_secrets_that_match_the_first_is_told(void **state)
{
	size_t	which = 9;

	(void)state;
	assert_int_equal(signature_verify("t=" T ",v1=" GOOD_ROLLED ",v1=" GOOD, P, strlen(P), secrets, 2, NOW, &which),
	    SIGNATURE_OK);
	assert_int_equal(which, 0);
}

static void
test_f69_a_secret_has_one_short_id_that_does_not_hold_it(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_string_equal(signature_key_id(mem, "whsec_test_secret"), KEY_ID);
	assert_string_not_equal(signature_key_id(mem, ROLLED), KEY_ID);
	talloc_free(mem);
}

static void
test_f69_secret_of_another_endpoint_fails(void **state)
{
	const char	*other = "whsec_other";

	(void)state;
	assert_int_equal(signature_verify("t=" T ",v1=" GOOD, P, strlen(P), &other, 1, NOW, NULL), SIGNATURE_INVALID);
	assert_int_equal(signature_verify("t=" T ",v1=" GOOD, P, strlen(P), NULL, 0, NOW, NULL), SIGNATURE_INVALID);
}

static void
test_f69_an_empty_secret_verifies_nothing(void **state)
{
	const char	*empty = "";
	mem_ctx		*mem = mem_new();
	struct secret	mac = secret_hmac("", 0, T "." P, strlen(T "." P));
	char		*header = mem_printf(mem, "t=" T ",v1=%s", secret_hex(mem, &mac));

	(void)state;
	assert_int_equal(signature_verify(header, P, strlen(P), &empty, 1, NOW, NULL), SIGNATURE_INVALID);
	talloc_free(mem);
}

static void
test_f69_an_empty_body_is_refused_though_signed(void **state)
{
	(void)state;
	assert_int_equal(verify("t=" T ",v1=316b9ab98c15bfa039d243f3196acee619cf29749a91a634e6a8154e2f7b6727", "", 0),
	    SIGNATURE_INVALID);
}

static void
test_f70_no_flipped_bit_and_no_added_newline_passes(void **state)
{
	char	body[] = P "\n";

	(void)state;
	assert_int_equal(verify("t=" T ",v1=" GOOD, body, strlen(P) + 1), SIGNATURE_INVALID);
	for (size_t i = 0; i < strlen(P) * 8; i++) {
		body[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(verify("t=" T ",v1=" GOOD, body, strlen(P)), SIGNATURE_INVALID);
		body[i / 8] ^= (char)(1 << i % 8);
	}
	assert_int_equal(verify("t=" T ",v1=" GOOD, body, strlen(P)), SIGNATURE_OK);
}

static void
test_f70_no_changed_character_of_the_signature_passes(void **state)
{
	char	header[] = "t=" T ",v1=" GOOD;
	size_t	first = strlen("t=" T ",v1=");

	(void)state;
	for (size_t i = first; header[i] != '\0'; i++) {
		char	kept = header[i];

		for (int c = 1; c < 128; c++) {
			header[i] = (char)c;
			assert_int_equal(verify_p(header), c == kept ? SIGNATURE_OK : SIGNATURE_INVALID);
		}
		header[i] = kept;
	}
}

static void
test_f69_the_operator_learns_why(void **state)
{
	static const struct {
		const char		*header, *body;
		enum signature_cause	cause;
	} cases[] = {
		{ "bad_header", P, SIGNATURE_FORM }, { "t=" T ", v1=" GOOD, P, SIGNATURE_FORM },
		{ "t=" T ",v1=" BAD, P, SIGNATURE_SECRET }, { "t=" T ",v1=" GOOD, P, SIGNATURE_CLOCK },
		{ "t=" T ",v1=" GOOD, P "\r\n", SIGNATURE_BODY },
		{ "t=" T ",v1=" GOOD, "{\n  \"id\": \"evt_te", SIGNATURE_BODY },
		{ "t=" T ",v1=" GOOD, "", SIGNATURE_BODY }, { "t=" T ",v1=" GOOD, "{}", SIGNATURE_SECRET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(signature_cause(cases[i].header, cases[i].body, strlen(cases[i].body), secrets, 2),
		    cases[i].cause);
	assert_string_equal(signature_cause_name(SIGNATURE_CLOCK), "clock");
	assert_string_equal(signature_cause_name(SIGNATURE_SECRET), "secret");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f69_the_operator_learns_why),
		cmocka_unit_test(test_f69_vectors_of_stripes_own_libraries_pass),
		cmocka_unit_test(test_f69_headers),
		cmocka_unit_test(test_f69_times_have_one_spelling),
		cmocka_unit_test(test_f69_age_of_300_seconds_passes_and_301_fails_both_ways),
		cmocka_unit_test(test_f69_sixteen_signatures_are_read_and_seventeen_refused),
		cmocka_unit_test(test_f69_a_header_over_8_kib_is_refused),
		cmocka_unit_test(test_f69_which_secret_matched_is_told),
		cmocka_unit_test(test_f69_every_secret_is_compared_with_every_signature),
		cmocka_unit_test(test_f69_of_two_secrets_that_match_the_first_is_told),
		cmocka_unit_test(test_f69_a_secret_has_one_short_id_that_does_not_hold_it),
		cmocka_unit_test(test_f69_secret_of_another_endpoint_fails),
		cmocka_unit_test(test_f69_an_empty_secret_verifies_nothing),
		cmocka_unit_test(test_f69_an_empty_body_is_refused_though_signed),
		cmocka_unit_test(test_f70_no_flipped_bit_and_no_added_newline_passes),
		cmocka_unit_test(test_f70_no_changed_character_of_the_signature_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
