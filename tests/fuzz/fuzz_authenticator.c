/* Any bytes as an attestation object, as authenticator data and as a key: what is found lies within them. */
#include "fuzz.h"

#include "authenticator.h"

static void
check_within(const struct authenticator *a, const uint8_t *data, size_t size)
{
	if (a->key == NULL)
		return;
	MUST(a->id >= data && a->id_len > 0 && a->id_len <= CREDENTIAL_MAX && a->id + a->id_len == a->key);
	MUST(a->key_len > 0 && a->key_len <= COSE_KEY_MAX && a->key + a->key_len <= data + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx			*mem = mem_new();
	struct authenticator	a;
	struct pubkey		*key;
	enum pubkey_alg		alg;

	if (attestation_fault(data, size, "localhost", &a) == NULL) {
		MUST(a.key != NULL);
		check_within(&a, data, size);
		if (cose_key(mem, a.key, a.key_len, &key, &alg) == OK)
			MUST(pubkey_fits(key, alg));
	}
	if (authenticator_fault(data, size, "localhost", &a) == NULL)
		check_within(&a, data, size);
	if (cose_key(mem, data, size, &key, &alg) == OK)
		MUST(pubkey_fits(key, alg) && !pubkey_verify(key, alg, data, size, data, size));
	talloc_free(mem);
	return 0;
}
