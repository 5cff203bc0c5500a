/* authenticator: what a passkey says of itself, cut, lengthened and changed; and keys of other kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authenticator.h"
#include "secret.h"
#include "unit.h"

#define HOST "app.example.com"
#define ZEROES8 "\0\0\0\0\0\0\0\0"
#define ZEROES16 ZEROES8 ZEROES8
#define ZEROES32 ZEROES16 ZEROES16
#define ID "\0\4" "ABCD"
#define ED25519_HEAD "\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"
#define ED25519_KEY ED25519_HEAD ZEROES32
#define PUT(b, literal) buf_put(b, literal, sizeof(literal) - 1)

enum { UP = 0x01, UV = 0x04, BE = 0x08, BS = 0x10, AT = 0x40, ED = 0x80 };

static struct buf
data_of(mem_ctx *mem, const char *host, unsigned flags)
{
	struct buf	b = { .ctx = mem };
	struct secret	hash = secret_sha256("", host, strlen(host));

	buf_put(&b, hash.bytes, SECRET_SIZE);
	buf_put(&b, &(char){ (char)flags }, 1);
	PUT(&b, "\0\0\1\2");
	return b;
}

static struct buf
key_data(mem_ctx *mem, unsigned flags)
{
	struct buf	b = data_of(mem, HOST, flags);

	PUT(&b, ZEROES16 ID ED25519_KEY);
	return b;
}

static const char *
fault_of(struct buf b, struct authenticator *a)
{
	return authenticator_fault(b.data, b.len, HOST, a);
}

static void
test_what_it_says_is_read(void **state)
{
	struct authenticator	a;
	struct buf		b = key_data(*state, UP | UV | BE | BS | AT | ED);

	assert_null(fault_of(data_of(*state, HOST, UP | UV), &a));
	assert_int_equal(a.counter, 258);
	assert_true(a.id == NULL && a.key == NULL && !a.eligible && !a.backed_up);
	PUT(&b, "\xa1\x63" "hmc\xf5");
	assert_null(fault_of(b, &a));
	assert_true(a.id_len == 4 && memcmp(a.id, "ABCD", 4) == 0 && a.eligible && a.backed_up);
	assert_int_equal(a.key_len, sizeof(ED25519_KEY) - 1);
	assert_null(fault_of(key_data(*state, UP | UV | BE | AT), &a));
	assert_true(a.eligible && !a.backed_up);
}

static void
test_f205_another_site_or_an_unverified_user_is_refused(void **state)
{
	struct authenticator	a;

	assert_string_equal(fault_of(data_of(*state, "example.com", UP | UV), &a), "rp_id");
	assert_string_equal(fault_of(data_of(*state, HOST, UP), &a), "not_verified");
	assert_string_equal(fault_of(data_of(*state, HOST, UV), &a), "not_verified");
	assert_string_equal(fault_of(data_of(*state, HOST, UP | UV | BS), &a), "authenticator_data");
}

static void
test_f204_cut_or_longer_it_is_refused(void **state)
{
	struct authenticator	a;
	struct buf		b = key_data(*state, UP | UV | AT);

	for (size_t n = 0; n < b.len; n++)
		assert_non_null(authenticator_fault(b.data, n, HOST, &a));
	assert_null(fault_of(b, &a));
	PUT(&b, "\0");
	assert_non_null(fault_of(b, &a));
	b = data_of(*state, HOST, UP | UV | ED);
	assert_non_null(fault_of(b, &a));
	PUT(&b, "\x80");
	assert_non_null(fault_of(b, &a));
	b = data_of(*state, HOST, UP | UV | AT);
	PUT(&b, ZEROES16 "\0\0" ED25519_KEY);
	assert_non_null(fault_of(b, &a));
	b = data_of(*state, HOST, UP | UV | AT);
	PUT(&b, ZEROES16 "\xff\xff" "ABCD" ED25519_KEY);
	assert_non_null(fault_of(b, &a));
}

static struct buf
attestation_of(mem_ctx *mem, struct buf data)
{
	struct buf	b = { .ctx = mem };

	PUT(&b, "\xa3\x63" "fmt\x64" "none\x67" "attStmt\xa0\x68" "authData\x58");
	buf_put(&b, &(char){ (char)data.len }, 1);
	buf_put(&b, data.data, data.len);
	return b;
}

static void
test_f204_an_attestation_is_whole_and_has_a_key(void **state)
{
	struct authenticator	a;
	struct buf		b = attestation_of(*state, key_data(*state, UP | UV | AT));

	assert_null(attestation_fault(b.data, b.len, HOST, &a));
	assert_int_equal(a.id_len, 4);
	for (size_t n = 0; n < b.len; n++)
		assert_non_null(attestation_fault(b.data, n, HOST, &a));
	PUT(&b, "\0");
	assert_non_null(attestation_fault(b.data, b.len, HOST, &a));
	b = attestation_of(*state, data_of(*state, HOST, UP | UV));
	assert_string_equal(attestation_fault(b.data, b.len, HOST, &a), "attestation");
	b = attestation_of(*state, key_data(*state, UP | AT));
	assert_string_equal(attestation_fault(b.data, b.len, HOST, &a), "not_verified");
	assert_non_null(attestation_fault("\xa0", 1, HOST, &a));
}

#define COSE(literal) cose_key(*state, literal, sizeof(literal) - 1, &key, &alg)

static void
test_f205_keys_of_other_kinds_are_refused(void **state)
{
	struct pubkey	*key;
	enum pubkey_alg	alg;

	assert_int_equal(COSE(ED25519_KEY), OK);
	assert_int_equal(alg, PUBKEY_EDDSA);
	assert_int_equal(COSE(ED25519_HEAD), ERR_INVALID);
	assert_int_equal(COSE(ED25519_KEY "\0"), ERR_INVALID);
	assert_int_equal(COSE("\xa4\x01\x01\x03\x27\x20\x07\x21\x58\x20" ZEROES32), ERR_INVALID);	/* Ed448 */
	assert_int_equal(COSE("\xa4\x01\x01\x03\x26\x20\x06\x21\x58\x20" ZEROES32), ERR_INVALID);	/* of ES256 */
	assert_int_equal(COSE("\xa4\x01\x04\x03\x27\x20\x06\x21\x58\x20" ZEROES32), ERR_INVALID);	/* symmetric */
	/* P-384 with ES384 and with ES256, a compressed point, RSA of 512 bits, RS1 */
	assert_int_equal(COSE("\xa5\x01\x02\x03\x38\x22\x20\x02\x21\x58\x30" ZEROES32 ZEROES16 "\x22\x58\x30" ZEROES32
	    ZEROES16), ERR_INVALID);
	assert_int_equal(COSE("\xa5\x01\x02\x03\x26\x20\x02\x21\x58\x30" ZEROES32 ZEROES16 "\x22\x58\x30" ZEROES32
	    ZEROES16), ERR_INVALID);
	assert_int_equal(COSE("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" ZEROES32 "\x22\xf5"), ERR_INVALID);
	assert_int_equal(COSE("\xa4\x01\x03\x03\x39\x01\x00\x20\x58\x40" ZEROES32 ZEROES32 "\x21\x43\1\0\1"), ERR_INVALID);
	assert_int_equal(COSE("\xa4\x01\x03\x03\x39\xff\xfe\x20\x58\x40" ZEROES32 ZEROES32 "\x21\x43\1\0\1"), ERR_INVALID);
	assert_int_equal(COSE("\xa0"), ERR_INVALID);
	assert_int_equal(COSE("\x80"), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_what_it_says_is_read),
		TEST(test_f205_another_site_or_an_unverified_user_is_refused),
		TEST(test_f204_cut_or_longer_it_is_refused),
		TEST(test_f204_an_attestation_is_whole_and_has_a_key),
		TEST(test_f205_keys_of_other_kinds_are_refused),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
