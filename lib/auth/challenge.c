#include "challenge.h"

#include <string.h>
#include <time.h>

#include "base64url.h"

enum { TIME_SIZE = 8, CHALLENGE_SIZE = TIME_SIZE + SECRET_SIZE, CHALLENGE_TEXT = 54 };
enum { AHEAD_SECONDS = 60, MICRO = 1000000 };

static const char	label[] = "webauthn1";

static void
challenge_fill(const struct secret *key, int64_t at, uint8_t out[CHALLENGE_SIZE])
{
	uint8_t		said[sizeof(label) - 1 + TIME_SIZE];
	struct secret	mac;

	for (int i = 0; i < TIME_SIZE; i++)
		out[i] = (uint8_t)((uint64_t)at >> 8 * (TIME_SIZE - 1 - i));
	memcpy(said, label, sizeof(label) - 1);
	memcpy(said + sizeof(label) - 1, out, TIME_SIZE);
	mac = secret_hmac(key->bytes, SECRET_SIZE, said, sizeof(said));
	memcpy(out + TIME_SIZE, mac.bytes, SECRET_SIZE);
}

int64_t
challenge_now(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * MICRO + t.tv_nsec / 1000;
}

char *
challenge_make(mem_ctx *mem, const struct secret *key, int64_t now)
{
	uint8_t	bytes[CHALLENGE_SIZE];

	challenge_fill(key, now, bytes);
	return base64url_write(mem, bytes, sizeof(bytes));
}

bool
challenge_is_good(const struct secret *key, const char *challenge, int64_t now)
{
	uint8_t		given[CHALLENGE_SIZE], wanted[CHALLENGE_SIZE];
	struct secret	mac, made;
	uint64_t	at = 0;
	size_t		n = strlen(challenge);

	if (n != CHALLENGE_TEXT || !base64url_read(challenge, n, given, &n))
		return false;
	for (int i = 0; i < TIME_SIZE; i++)
		at = at << 8 | given[i];
	challenge_fill(key, (int64_t)at, wanted);
	memcpy(mac.bytes, given + TIME_SIZE, SECRET_SIZE);
	memcpy(made.bytes, wanted + TIME_SIZE, SECRET_SIZE);
	return secret_equal(&mac, &made) && (int64_t)at > now - (int64_t)CHALLENGE_SECONDS * MICRO &&
	    (int64_t)at <= now + (int64_t)AHEAD_SECONDS * MICRO;
}

struct secret
challenge_digest(const char *challenge)
{
	return secret_sha256("", challenge, strlen(challenge));
}
