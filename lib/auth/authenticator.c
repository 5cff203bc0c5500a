#include "authenticator.h"

#include <string.h>

#include "cbor.h"
#include "secret.h"

enum { FLAG_PRESENT = 0x01, FLAG_VERIFIED = 0x04, FLAG_ELIGIBLE = 0x08, FLAG_BACKED_UP = 0x10, FLAG_KEY = 0x40,
	FLAG_EXTENSIONS = 0x80 };
enum { HEAD_SIZE = SECRET_SIZE + 1 + 4, AAGUID_SIZE = 16, ID_LEN_SIZE = 2 };
enum { COSE_TYPE = 1, COSE_ALG = 3, COSE_CURVE = -1, COSE_X = -2, COSE_Y = -3, COSE_N = -1, COSE_E = -2 };

/* Its AAGUID, which names the make, its id and the key. *used: how many of the n bytes that is. */
static bool
key_read(const uint8_t *b, size_t n, struct authenticator *out, size_t *used)
{
	enum { BEFORE = AAGUID_SIZE + ID_LEN_SIZE };
	struct cbor	key;

	if (n < BEFORE)
		return false;
	out->id = b + BEFORE;
	out->id_len = (size_t)(b[AAGUID_SIZE] << 8 | b[AAGUID_SIZE + 1]);
	if (out->id_len == 0 || out->id_len > CREDENTIAL_MAX || out->id_len > n - BEFORE)
		return false;
	out->key = out->id + out->id_len;
	if (cbor_read(out->key, n - BEFORE - out->id_len, &key, &out->key_len) != OK || key.type != CBOR_MAP)
		return false;
	*used = BEFORE + out->id_len + out->key_len;
	return out->key_len <= COSE_KEY_MAX;
}

/* What follows the counter: what the flags say, and nothing else. */
static bool
tail_read(const uint8_t *b, size_t n, unsigned flags, struct authenticator *out)
{
	struct cbor	extensions;
	size_t		used = 0, more = 0;

	if ((flags & FLAG_KEY) && !key_read(b, n, out, &used))
		return false;
	if ((flags & FLAG_EXTENSIONS) &&
	    (cbor_read(b + used, n - used, &extensions, &more) != OK || extensions.type != CBOR_MAP))
		return false;
	return used + more == n;
}

const char *
authenticator_fault(const void *bytes, size_t n, const char *rp_id, struct authenticator *out)
{
	const uint8_t	*b = bytes, *count;
	struct secret	wanted = secret_sha256("", rp_id, strlen(rp_id)), given;
	unsigned	flags;

	*out = (struct authenticator){ 0 };
	if (n < HEAD_SIZE)
		return "authenticator_data";
	memcpy(given.bytes, b, SECRET_SIZE);
	flags = b[SECRET_SIZE];
	count = b + SECRET_SIZE + 1;
	out->counter = (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 | (uint32_t)count[2] << 8 | count[3];
	out->eligible = flags & FLAG_ELIGIBLE;
	out->backed_up = flags & FLAG_BACKED_UP;
	if (!secret_equal(&given, &wanted))
		return "rp_id";
	if (!(flags & FLAG_PRESENT) || !(flags & FLAG_VERIFIED))
		return "not_verified";
	if ((out->backed_up && !out->eligible) || !tail_read(b + HEAD_SIZE, n - HEAD_SIZE, flags, out))
		return "authenticator_data";
	return NULL;
}

const char *
attestation_fault(const void *bytes, size_t n, const char *rp_id, struct authenticator *out)
{
	struct cbor	whole, data, part;
	const char	*fault;

	if (n > ATTESTATION_MAX || cbor_read_all(bytes, n, &whole) != OK ||
	    !cbor_at_text(&whole, "fmt", &part) || part.type != CBOR_TEXT ||
	    !cbor_at_text(&whole, "attStmt", &part) || part.type != CBOR_MAP ||
	    !cbor_at_text(&whole, "authData", &data) || data.type != CBOR_BYTES)
		return "attestation";
	fault = authenticator_fault(data.at, data.n, rp_id, out);
	return fault == NULL && out->key == NULL ? "attestation" : fault;
}

static bool
is_number(const struct cbor *map, int64_t name, int64_t wanted)
{
	struct cbor	value;

	return cbor_at_number(map, name, &value) && value.type <= CBOR_NEGATIVE && value.number == wanted;
}

static bool
string_find(const struct cbor *map, int64_t name, struct cbor *out)
{
	return cbor_at_number(map, name, out) && out->type == CBOR_BYTES;
}

static enum err
okp_key(mem_ctx *mem, const struct cbor *map, struct pubkey **out)
{
	struct cbor	x;

	return string_find(map, COSE_X, &x) ? pubkey_ed25519(mem, x.at, x.n, out) : ERR_INVALID;
}

static enum err
ec2_key(mem_ctx *mem, const struct cbor *map, struct pubkey **out)
{
	struct cbor	x, y;

	return string_find(map, COSE_X, &x) && string_find(map, COSE_Y, &y) ?
	    pubkey_p256(mem, x.at, x.n, y.at, y.n, out) : ERR_INVALID;
}

static enum err
rsa_key(mem_ctx *mem, const struct cbor *map, struct pubkey **out)
{
	struct cbor	n, e;

	return string_find(map, COSE_N, &n) && string_find(map, COSE_E, &e) ?
	    pubkey_rsa(mem, n.at, n.n, e.at, e.n, out) : ERR_INVALID;
}

/* Numbers of the IANA registry of COSE. */
static const struct {
	int		type, alg, curve;	/* curve 0: has none */
	enum pubkey_alg	name;
	enum err	(*make)(mem_ctx *mem, const struct cbor *map, struct pubkey **out);
} kinds[] = {
	{ 1, -8, 6, PUBKEY_EDDSA, okp_key },
	{ 2, -7, 1, PUBKEY_ES256, ec2_key },
	{ 3, -257, 0, PUBKEY_RS256, rsa_key },
};

enum err
cose_key(mem_ctx *mem, const void *bytes, size_t n, struct pubkey **out, enum pubkey_alg *alg)
{
	struct cbor	map;

	TRY(cbor_read_all(bytes, n, &map));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!is_number(&map, COSE_TYPE, kinds[i].type) || !is_number(&map, COSE_ALG, kinds[i].alg) ||
		    (kinds[i].curve != 0 && !is_number(&map, COSE_CURVE, kinds[i].curve)))
			continue;
		*alg = kinds[i].name;
		return kinds[i].make(mem, &map, out);
	}
	return ERR_INVALID;
}
