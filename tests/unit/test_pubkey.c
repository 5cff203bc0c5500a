/* pubkey: signatures that OpenSSL's own command made, and keys that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "pubkey.h"
#include "unit.h"

static const char	text[] = "signed by openssl";
static const char	modulus[] =
	"b5b8ae83045187911c3de1290948b18ac2a31f97ff48e1c7e5268a96bcc8181dcf85f5236cbd69817628396e2dddd01e1bab53bc"
	"1978e6fe2beb70b8f64921a1d2d4931a4f53e614f8d0440965529f1ce56e46d5af4ec1457874c8dc3838977aa8f86936ea93cfdd"
	"fb55053335d7b35d8319d23c9069ee12abff02717d273fbd72c27fc789830a54e72c21335306614d79c32515d11bd100db4559d3"
	"ac6d66cf6aeac86f318d2b3f47f5b45e757d2fd7e553234f945eff1610e6662bf8c27ebfa5b07a5cfcb995dcd7edbac07bd050a0"
	"0bb51f8a5ff75567b177f109c3aee1ea3a0c5a0311326faa4a30168ea19fefd63cf8c31be4dd3c7ed8b72d9d346cb625";
static const char	rs256[] =
	"561b9da81eaac11263410d56a578812de779858afb333b264f3ced0ebed518aaf0f7d2094881ed43e8fdc50812d05a96192ce294"
	"e07ee70b79633be3e2c9ff3824eef7c112c4efb122914370dcb6738b5a7dd58b42c8d445163c37eafb12b7452b4ae3125ed77c00"
	"8dd99af6faf05de2bc4337bb9b950b27294728d7a804e135c4dd44441a773e8561647cef7eb03602345f900437b4830f993bfe1f"
	"6093467a8a28d50fe7ef35441499587c2c837a8d56980b3d194813204574bb941d7c85427d2d8cb9255cada038502ea518609fa8"
	"30cd5c4abfed4f950b5b2eccfb09b5788bc3569bdc2fe657f20cd28d3b066a90be454fca38e7557b86e434485fb87ee9";
static const char	ps256[] =
	"5d42ceac3a9865f790a4156642fda5ad9fda6def53c185f5924502956be6b68c85a251d2b26156623e0a05bcc053a52348eaf5f9"
	"49ec339e1d67685a0bd0a94677cca2109b2a6e6c01f84d8a07bbf96c5911ec65b1d0e60bcfe8146c623f73404f72c169ce7c571b"
	"1d42e249a641c4eed97eeaa98f1a46c78e18888bfdb6ff547e0ab45f75c1d5aba50f4a003a55420772083d78c9dacb224bed156e"
	"044fa4b10ef4f3417d61525a813087df0ac09b27d34d4b903c8d90fb6458146c17681bce71a1701a1bd7aa54f21d34f81d5d7742"
	"3ae329400e85201c867ab5a7dd2da70ba1ff3e0b18856dd6f5982207704d443261f5b9d6b56d160f3bf6c8715d12a9bd";
static const char	ps256_short_salt[] =
	"26fe936ccae42f40791a1c943790dac66995d384b2b85747633ce256bd3a5238bf520127cf3d3913b0efeee6b24a1f23a25084da"
	"c8cb6d48c8641275413000c696b45d063fbf8eca61ce90388dea00da8889afdc9686f4b9f99ff91b69208857c1d9ef3a26c1ef2a"
	"9b38fb85450e1d458b5b33a898d339ae6fe7563149eebca400cd06d6c68b4489a38b652e7e23120ec64fa0d7f9059386c75f9284"
	"bd5f22bd15c74a902b7cc5849249d9d23d0fa5ebbeaf2a0bdd4d648207658df77b7290eab122b5c0301d0426fda8e72295f2703b"
	"3d0cc7a06d129cfd96aa519132be2303b6746528663fbdfbc00f13b3311f3f5d37986aafabfd8c9fc98ab5ba93612df4";
static const char	p256_x[] =
	"e33d9ebbeaa9f564de1bfe53fd8e52ab081326121e8905f56c5ebdd15cff1b77";
static const char	p256_y[] =
	"355a39449045f583f3724c1174b467e0e30afd4fbe29f3c7282dd65e1860fa74";
static const char	p384_x[] =
	"e936d86a1385a2ad3965907c3ad72957dfe2f334ec3b7c37d9f44b994e2afd860c14e004d3fc7d359ce7c9b2efc2c110";
static const char	p384_y[] =
	"f48ecf53cca109227bce1211ceeec0205f31a28bf1e178936c189313f25420083012ff78b9d7b67a2674c1827063bb24";
static const char	es256[] =
	"3045022100a92087909091e7c6525e1bc8170f0927e641da5f1644e971f29f3468cbcaac820220562994fdd62726f799c245d894"
	"a4b1e38fb8faadb4b760e62db378243b03f62e";
static const char	es256_raw[] =
	"a92087909091e7c6525e1bc8170f0927e641da5f1644e971f29f3468cbcaac82562994fdd62726f799c245d894a4b1e38fb8faad"
	"b4b760e62db378243b03f62e";
static const char	ed25519_x[] =
	"15e67ed75c08cd160aa6267bb46d85d20ed9589a83e94ef5ce5f1574b2f7703d";
static const char	eddsa[] =
	"e9e2591c4b2909e78c6c879c256bd93f776531a233babe61a01550f8edfc6e56febb62d16abca29d7ca32dedb845a238d4ee5a62"
	"f1660c06ac80117cbdb41c08";

struct bytes {
	uint8_t	*data;
	size_t	n;
};

static struct bytes
unhex(mem_ctx *mem, const char *hex)
{
	struct bytes	b = { talloc_array(mem, uint8_t, strlen(hex) / 2), strlen(hex) / 2 };

	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &b.data[i]), 1);
	return b;
}

static enum err
make_rsa(mem_ctx *mem, struct bytes n, const char *exponent, struct pubkey **out)
{
	struct bytes	e = unhex(mem, exponent);

	return pubkey_rsa(mem, n.data, n.n, e.data, e.n, out);
}

static enum err
make_p256(mem_ctx *mem, struct bytes x, struct bytes y, struct pubkey **out)
{
	return pubkey_p256(mem, x.data, x.n, y.data, y.n, out);
}

static struct pubkey *
key_for(mem_ctx *mem, enum pubkey_alg alg)
{
	struct bytes	x = unhex(mem, ed25519_x);
	struct pubkey	*k = NULL;

	if (alg == PUBKEY_RS256 || alg == PUBKEY_PS256)
		assert_int_equal(make_rsa(mem, unhex(mem, modulus), "010001", &k), OK);
	else if (alg == PUBKEY_EDDSA)
		assert_int_equal(pubkey_ed25519(mem, x.data, x.n, &k), OK);
	else
		assert_int_equal(make_p256(mem, unhex(mem, p256_x), unhex(mem, p256_y), &k), OK);
	return k;
}

static const struct {
	enum pubkey_alg	alg;
	const char	*signature;
} vectors[] = {
	{ PUBKEY_RS256, rs256 }, { PUBKEY_PS256, ps256 }, { PUBKEY_ES256, es256 }, { PUBKEY_ES256_RAW, es256_raw },
	{ PUBKEY_EDDSA, eddsa },
};

static bool
is_signed(const struct pubkey *k, enum pubkey_alg alg, struct bytes s, size_t n)
{
	return pubkey_verify(k, alg, s.data, s.n, text, n);
}

static void
test_each_algorithms_signature_is_taken_for_its_text_only(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct pubkey	*k = key_for(*state, vectors[i].alg);
		struct bytes	s = unhex(*state, vectors[i].signature);

		assert_true(is_signed(k, vectors[i].alg, s, strlen(text)));
		assert_false(is_signed(k, vectors[i].alg, s, strlen(text) - 1));
		for (size_t at = 0; at < s.n; at++) {
			s.data[at] ^= 1;
			assert_false(is_signed(k, vectors[i].alg, s, strlen(text)));
			s.data[at] ^= 1;
		}
		for (size_t n = s.n; n-- > 0;)
			assert_false(is_signed(k, vectors[i].alg, (struct bytes){ s.data, n }, strlen(text)));
	}
}

static void
test_a_key_signs_by_its_own_algorithms_only(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct bytes	s = unhex(*state, vectors[i].signature);

		for (size_t j = 0; j < LENGTH(vectors); j++) {
			if (j != i)
				assert_false(is_signed(key_for(*state, vectors[j].alg), vectors[j].alg, s, strlen(text)));
			if (!pubkey_fits(key_for(*state, vectors[j].alg), vectors[i].alg))
				assert_false(is_signed(key_for(*state, vectors[j].alg), vectors[i].alg, s, strlen(text)));
		}
	}
}

static void
test_a_signature_of_another_form_is_refused(void **state)
{
	struct pubkey	*rsa = key_for(*state, PUBKEY_RS256), *ec = key_for(*state, PUBKEY_ES256);
	uint8_t		zeroes[64] = { 0 }, longer[80] = { 0 };
	struct bytes	s = unhex(*state, es256);

	assert_false(is_signed(rsa, PUBKEY_PS256, unhex(*state, ps256_short_salt), strlen(text)));
	assert_false(is_signed(ec, PUBKEY_ES256_RAW, (struct bytes){ zeroes, sizeof(zeroes) }, strlen(text)));
	memcpy(longer, s.data, s.n);
	assert_false(is_signed(ec, PUBKEY_ES256, (struct bytes){ longer, s.n + 1 }, strlen(text)));
	s = unhex(*state, es256_raw);
	memcpy(longer, s.data, s.n);
	assert_false(is_signed(ec, PUBKEY_ES256_RAW, (struct bytes){ longer, s.n + 1 }, strlen(text)));
}

static void
test_f205_a_point_that_is_not_on_p256_is_refused(void **state)
{
	struct bytes	x = unhex(*state, p256_x), y = unhex(*state, p256_y);
	struct bytes	far_x = unhex(*state, p384_x), far_y = unhex(*state, p384_y);
	struct pubkey	*k;
	uint8_t		zeroes[32] = { 0 };

	assert_int_equal(make_p256(*state, far_x, far_y, &k), ERR_INVALID);
	assert_int_equal(make_p256(*state, (struct bytes){ far_x.data, 32 }, (struct bytes){ far_y.data, 32 }, &k),
	    ERR_INVALID);
	assert_int_equal(make_p256(*state, (struct bytes){ x.data, 31 }, y, &k), ERR_INVALID);
	assert_int_equal(make_p256(*state, (struct bytes){ zeroes, 32 }, (struct bytes){ zeroes, 32 }, &k), ERR_INVALID);
	y.data[31] ^= 1;
	assert_int_equal(make_p256(*state, x, y, &k), ERR_INVALID);
	assert_int_equal(pubkey_ed25519(*state, x.data, 31, &k), ERR_INVALID);
}

/* bits: of the modulus, which is odd. */
static enum err
rsa_of(mem_ctx *mem, size_t bits, const char *exponent)
{
	struct bytes	n = { talloc_zero_array(mem, uint8_t, bits / 8 + 1), bits / 8 + 1 };
	struct pubkey	*k;

	n.data[n.n - 1] = 1;
	n.data[n.n - 1 - (bits - 1) / 8] |= (uint8_t)(1 << (bits - 1) % 8);
	return pubkey_rsa(mem, n.data + 1 - (bits % 8 != 0), n.n - 1 + (bits % 8 != 0), unhex(mem, exponent).data,
	    strlen(exponent) / 2, &k);
}

static void
test_f205_an_rsa_key_of_another_size_is_refused(void **state)
{
	struct bytes	even = unhex(*state, modulus);
	struct pubkey	*k;

	assert_int_equal(rsa_of(*state, 512, "010001"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2047, "010001"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2048, "010001"), OK);
	assert_int_equal(rsa_of(*state, 3072, "03"), OK);
	assert_int_equal(rsa_of(*state, 4096, "010001"), OK);
	assert_int_equal(rsa_of(*state, 4097, "010001"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2048, "01"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2048, "010000"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2048, "ffffffff"), OK);
	assert_int_equal(rsa_of(*state, 2048, "01ffffffff"), ERR_INVALID);
	assert_int_equal(rsa_of(*state, 2048, ""), ERR_INVALID);
	even.data[even.n - 1] &= 0xfe;
	assert_int_equal(make_rsa(*state, even, "010001", &k), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_each_algorithms_signature_is_taken_for_its_text_only),
		TEST(test_a_key_signs_by_its_own_algorithms_only),
		TEST(test_a_signature_of_another_form_is_refused),
		TEST(test_f205_a_point_that_is_not_on_p256_is_refused),
		TEST(test_f205_an_rsa_key_of_another_size_is_refused),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
