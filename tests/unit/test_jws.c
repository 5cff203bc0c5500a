/* jws: what a token must look like, whose key has signed it, and what its claims must say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base64url.h"
#include "claims.h"
#include "jws.h"
#include "unit.h"

/* RFC 7515, A.3. */
#define HEAD "eyJhbGciOiJFUzI1NiJ9"
#define CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define POINT "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define KEY "{\"kty\":\"EC\",\"crv\":\"P-256\"," POINT "}"
#define OTHER_KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\"," \
	"\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}"

static struct json_object *
doc(mem_ctx *mem, const char *text)
{
	struct json_object	*out;

	assert_int_equal(json_parse(mem, text, strlen(text), &out), OK);
	return out;
}

static enum err
verify(mem_ctx *mem, const char *token, const char *keys)
{
	const char	*why = NULL;
	struct jws	s;
	enum err	e = jws_read(mem, token, strlen(token), &s, &why);

	if (e == OK)
		e = jws_verify(mem, &s, doc(mem, keys), &why);
	assert_true(e == OK || why != NULL);
	return e;
}

static void
test_f59_the_rfcs_example_is_signed(void **state)
{
	assert_int_equal(verify(*state, HEAD "." CLAIMS "." SIGNATURE, "{\"keys\":[" KEY "]}"), OK);
	assert_int_equal(verify(*state, HEAD "." CLAIMS "." SIGNATURE, "{\"keys\":[" OTHER_KEY "," KEY "]}"), OK);
}

static void
test_f59_which_keys_may_have_signed(void **state)
{
	static const struct {
		const char	*keys;
		enum err	wanted;
	} rows[] = {
		{ "{}", ERR_NOT_FOUND }, { "{\"keys\":{}}", ERR_NOT_FOUND }, { "{\"keys\":[]}", ERR_NOT_FOUND },
		{ "{\"keys\":[null,7,\"x\",[]]}", ERR_NOT_FOUND }, { "{\"keys\":[" OTHER_KEY "]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\"," POINT "}]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES384\"," POINT "}]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\"," POINT "}]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"crv\":\"P-256\"," POINT "}]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}]}", ERR_NOT_FOUND },
		{ "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\"," POINT "}]}", OK },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (verify(*state, HEAD "." CLAIMS "." SIGNATURE, rows[i].keys) != rows[i].wanted)
			fail_msg("%s", rows[i].keys);
	}
}

static char *
token(mem_ctx *mem, const char *header, const char *claims, const char *signature)
{
	return mem_printf(mem, "%s.%s.%s", base64url_write(mem, header, strlen(header)),
	    base64url_write(mem, claims, strlen(claims)), signature);
}

static void
test_f59_a_token_that_is_none(void **state)
{
	mem_ctx			*mem = *state;
	char			*large = mem_printf(mem, "{\"x\":\"%*s\"}", JWS_MAX, "");
	const char *const	rows[] = {
		"", ".", "..", "...", HEAD, HEAD "." CLAIMS, HEAD "." CLAIMS ".", HEAD "." CLAIMS "." SIGNATURE ".x",
		HEAD "." CLAIMS "." SIGNATURE "=", HEAD "=." CLAIMS "." SIGNATURE, HEAD " ." CLAIMS "." SIGNATURE,
		token(mem, "[]", "{}", "AAAA"), token(mem, "{\"alg\":\"ES256\"}", "[]", "AAAA"), token(mem, "{}", "{}", "AAAA"),
		token(mem, "{\"alg\":\"none\"}", "{}", "AAAA"), token(mem, "{\"alg\":\"HS256\"}", "{}", "AAAA"),
		token(mem, "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "{}", "AAAA"),
		token(mem, "{\"alg\":\"ES256\"}", "{\"a\":1,\"a\":1}", "AAAA"),
		token(mem, "{\"alg\":\"ES256\",\"crit\":null}", "{}", "AAAA"),
		token(mem, "{\"alg\":\"ES256\",\"kid\":7}", "{}", "AAAA"), token(mem, "{\"alg\":\"ES256\"}", large, "AAAA"),
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (verify(mem, rows[i], "{\"keys\":[" KEY "]}") != ERR_INVALID)
			fail_msg("%.80s", rows[i]);
	}
	assert_int_equal(verify(mem, token(mem, "{\"alg\":\"ES256\",\"kid\":\"a\"}", "{}", "AAAA"), "{\"keys\":[" KEY "]}"),
	    ERR_NOT_FOUND);
}

#define GOOD "\"iss\":\"https://i\",\"sub\":\"s\",\"exp\":9,\"iat\":8"

static void
test_f59_whose_token_it_is(void **state)
{
	static const struct {
		const char	*claims, *fault;	/* NULL: none */
	} rows[] = {
		{ "{" GOOD ",\"aud\":\"us\"}", NULL }, { "{" GOOD ",\"aud\":[\"us\"]}", NULL },
		{ "{" GOOD ",\"aud\":[\"x\",\"us\"],\"azp\":\"us\"}", NULL },
		{ "{" GOOD ",\"aud\":\"us\",\"azp\":\"us\"}", NULL },
		{ "{" GOOD ",\"aud\":\"us\",\"at_hash\":\"LPJNul-wow4m6DsqxbninQ\"}", "at_hash" },
		{ "{" GOOD ",\"aud\":\"us\",\"at_hash\":\"n4bQgYhMfWWaL-qgxVrQFQ\"}", NULL },
		{ "{" GOOD ",\"aud\":\"us\",\"azp\":\"x\"}", "azp" }, { "{" GOOD ",\"aud\":\"us2\"}", "aud" },
		{ "{" GOOD ",\"aud\":[\"us\",\"x\"]}", "azp" }, { "{" GOOD ",\"aud\":[[\"us\"]]}", "aud" },
		{ "{" GOOD "}", "aud" },
		{ "{\"iss\":\"https://i/\",\"sub\":\"s\",\"exp\":9,\"iat\":8,\"aud\":\"us\"}", "iss" },
		{ "{\"iss\":\"i\",\"sub\":\"s\",\"exp\":9,\"iat\":8,\"aud\":\"us\"}", NULL },
		{ "{\"iss\":\"https://i\\u0000\",\"sub\":\"s\",\"exp\":9,\"iat\":8,\"aud\":\"us\"}", "iss" },
		{ "{\"iss\":\"https://i\",\"sub\":\"s\\u0000t\",\"exp\":9,\"iat\":8,\"aud\":\"us\"}", "sub" },
		{ "{\"iss\":\"https://i\",\"sub\":\"s\",\"exp\":9.5,\"iat\":8,\"aud\":\"us\"}", "exp" },
		{ "{\"iss\":\"https://i\",\"sub\":\"s\",\"exp\":9,\"aud\":\"us\"}", "iat" },
		{ "{" GOOD ",\"aud\":\"us\",\"nbf\":8}", NULL }, { "{" GOOD ",\"aud\":\"us\",\"nbf\":\"8\"}", "nbf" },
		{ "{" GOOD ",\"aud\":\"us\",\"nbf\":8.5}", "nbf" },
	};
	mem_ctx		*mem = *state;
	const char	*why;
	struct jws	s;

	assert_int_equal(jws_read(mem, HEAD "." CLAIMS "." SIGNATURE, strlen(HEAD "." CLAIMS "." SIGNATURE), &s, &why), OK);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		s.claims = doc(mem, rows[i].claims);
		why = claims_fault(mem, &s, &(struct claims_wanted){ "https://i", "i", "us", "test" });
		if ((why == NULL) != (rows[i].fault == NULL) || (why != NULL && strstr(why, rows[i].fault) == NULL))
			fail_msg("%s: %s", rows[i].claims, why);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f59_the_rfcs_example_is_signed),
		TEST(test_f59_which_keys_may_have_signed),
		TEST(test_f59_a_token_that_is_none),
		TEST(test_f59_whose_token_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
