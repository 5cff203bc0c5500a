#include "weakness.h"

#include <string.h>
#include <zxcvbn.h>

#include "password.h"

enum { BITS = 27 };	/* about 10^8 guesses. zxcvbn puts nine of ten of the well-known passwords below it */

static size_t
count_characters(const char *s)
{
	size_t	n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

const char *
weakness_of(const char *prepared, const struct breached *known, const char **words)
{
	if (count_characters(prepared) < PASSWORD_MIN)
		return "password_short";
	if (strlen(prepared) > PASSWORD_MAX)
		return "password_long";
	if (breached_has(known, prepared))
		return "password_known";
	if (ZxcvbnMatch(prepared, words, NULL) < BITS)
		return "password_weak";
	return NULL;
}
