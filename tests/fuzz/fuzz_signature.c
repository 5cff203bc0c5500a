/*
 * The first line is the header, the rest the body. Beside memory errors: a body is accepted only with its own
 * signature.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "secret.h"
#include "signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000 };

/* What a right header must hold: v1= and the signature of its own t and this body. */
static void
check_accepted(const char *header, const char *body, size_t n, const char *secret)
{
	mem_ctx		*mem = mem_new();
	const char	*t = strstr(header, "t=");
	struct buf	said = { .ctx = mem };
	struct secret	mac;

	while (t != NULL && t != header && t[-1] != ',')
		t = strstr(t + 1, "t=");
	if (t == NULL)
		abort();
	buf_put(&said, t + 2, strspn(t + 2, "0123456789"));
	buf_puts(&said, ".");
	buf_put(&said, body, n);
	mac = secret_hmac(secret, strlen(secret), said.data, said.len);
	if (strstr(header, mem_printf(mem, "v1=%s", secret_hex(mem, &mac))) == NULL)
		abort();
	talloc_free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const	secrets[] = { "whsec_test_secret", "whsec_test_secret_rolled_key" };
	const uint8_t			*newline = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t				line = newline != NULL ? (size_t)(newline - data) : size, which;
	mem_ctx				*mem = mem_new();
	char				*header = mem_copy(mem, data, line);
	const char			*body = (const char *)data + line + (newline != NULL);
	size_t				n = size - line - (newline != NULL);

	if (signature_verify(header, body, n, secrets, 2, NOW, &which) == SIGNATURE_OK)
		check_accepted(header, body, n, secrets[which]);
	talloc_free(mem);
	return 0;
}
