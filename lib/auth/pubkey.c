#include "pubkey.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

enum { RSA_LEAST_BITS = 2048, RSA_MOST_BITS = 8 * PUBKEY_RSA_MAX, EXPONENT_BITS = 32 };

struct pubkey {
	EVP_PKEY	*key;
	int		type;		/* EVP_PKEY_... */
};

static const struct {
	int	type;		/* of the key */
	int	padding;	/* RSA_..._PADDING, or 0 */
	bool	digest;		/* SHA-256; else the algorithm has its own */
} algs[] = {
	[PUBKEY_RS256]		= { EVP_PKEY_RSA, RSA_PKCS1_PADDING, true },
	[PUBKEY_PS256]		= { EVP_PKEY_RSA, RSA_PKCS1_PSS_PADDING, true },
	[PUBKEY_ES256]		= { EVP_PKEY_EC, 0, true },
	[PUBKEY_ES256_RAW]	= { EVP_PKEY_EC, 0, true },
	[PUBKEY_EDDSA]		= { EVP_PKEY_ED25519, 0, false },
};

static void
key_release(void *key)
{
	EVP_PKEY_free(key);
}

/* Takes the key, or NULL for one that OpenSSL refused. The errors of its thread are libcurl's too. */
static enum err
key_take(mem_ctx *ctx, int type, EVP_PKEY *key, struct pubkey **out)
{
	ERR_clear_error();
	if (key == NULL)
		return ERR_INVALID;
	*out = talloc(ctx, struct pubkey);
	**out = (struct pubkey){ .key = key, .type = type };
	mem_hang(*out, key, key_release);
	return OK;
}

/* NULL: OpenSSL refuses the parameters. */
static EVP_PKEY *
key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM	*params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY	*key = NULL;

	if (ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
rsa_is_sound(const BIGNUM *n, const BIGNUM *e)
{
	return n != NULL && e != NULL && BN_num_bits(n) >= RSA_LEAST_BITS && BN_num_bits(n) <= RSA_MOST_BITS &&
	    BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= EXPONENT_BITS;
}

enum err
pubkey_rsa(mem_ctx *ctx, const void *n, size_t n_len, const void *e, size_t e_len, struct pubkey **out)
{
	OSSL_PARAM_BLD	*build;
	EVP_PKEY	*key = NULL;
	BIGNUM		*modulus, *exponent;

	if (n_len > PUBKEY_RSA_MAX || e_len > PUBKEY_RSA_MAX)
		return ERR_INVALID;
	build = OSSL_PARAM_BLD_new();
	modulus = BN_bin2bn(n, (int)n_len, NULL);
	exponent = BN_bin2bn(e, (int)e_len, NULL);
	if (rsa_is_sound(modulus, exponent) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		key = key_from("RSA", build);
	BN_free(modulus);
	BN_free(exponent);
	OSSL_PARAM_BLD_free(build);
	return key_take(ctx, EVP_PKEY_RSA, key, out);
}

enum err
pubkey_p256(mem_ctx *ctx, const void *x, size_t x_len, const void *y, size_t y_len, struct pubkey **out)
{
	uint8_t		point[1 + 2 * PUBKEY_P256_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD	*build;
	EVP_PKEY	*key = NULL;

	if (x_len != PUBKEY_P256_SIZE || y_len != PUBKEY_P256_SIZE)
		return ERR_INVALID;
	memcpy(point + 1, x, x_len);
	memcpy(point + 1 + x_len, y, y_len);
	build = OSSL_PARAM_BLD_new();
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
		key = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key_take(ctx, EVP_PKEY_EC, key, out);
}

enum err
pubkey_ed25519(mem_ctx *ctx, const void *x, size_t x_len, struct pubkey **out)
{
	if (x_len != PUBKEY_ED25519_SIZE)
		return ERR_INVALID;
	return key_take(ctx, EVP_PKEY_ED25519, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, x_len), out);
}

bool
pubkey_fits(const struct pubkey *k, enum pubkey_alg alg)
{
	return k->type == algs[alg].type;
}

/* The DER of r and s; its length, or 0. */
static int
der_of(const uint8_t *raw, size_t n, uint8_t *out, size_t room)
{
	ECDSA_SIG	*sig = ECDSA_SIG_new();
	BIGNUM		*r, *s;
	int		len = 0;

	if (n == 2 * PUBKEY_P256_SIZE) {
		r = BN_bin2bn(raw, PUBKEY_P256_SIZE, NULL);
		s = BN_bin2bn(raw + PUBKEY_P256_SIZE, PUBKEY_P256_SIZE, NULL);
		ECDSA_SIG_set0(sig, r, s);
		if ((size_t)i2d_ECDSA_SIG(sig, NULL) <= room)
			len = i2d_ECDSA_SIG(sig, &out);
	}
	ECDSA_SIG_free(sig);
	return len;
}

static bool
padding_set(EVP_PKEY_CTX *ctx, int padding)
{
	if (padding == 0)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
	    (padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool
pubkey_verify(const struct pubkey *k, enum pubkey_alg alg, const void *signature, size_t signature_len,
    const void *bytes, size_t n)
{
	uint8_t		der[2 * PUBKEY_P256_SIZE + 8];
	EVP_MD_CTX	*ctx;
	EVP_PKEY_CTX	*how;
	bool		holds;

	if (!pubkey_fits(k, alg))
		return false;
	if (alg == PUBKEY_ES256_RAW) {
		signature_len = (size_t)der_of(signature, signature_len, der, sizeof(der));
		signature = der;
	}
	ctx = EVP_MD_CTX_new();
	holds = signature_len > 0 && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, &how, algs[alg].digest ? EVP_sha256() : NULL, NULL, k->key) == 1 &&
	    padding_set(how, algs[alg].padding) &&
	    EVP_DigestVerify(ctx, signature, signature_len, bytes, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return holds;
}
