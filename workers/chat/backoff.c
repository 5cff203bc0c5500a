#include "backoff.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "secret.h"

/* A number of at least 0 that fills the text, times unit; -1: none. */
static int
number_read(const char *text, double unit)
{
	char	*end;
	double	n;

	if (text == NULL || *text == '\0')
		return -1;
	n = strtod(text, &end) * unit;
	return *end == '\0' && n >= 0 && n <= INT_MAX ? (int)n : -1;
}

/* Seconds since 1970 of an HTTP date; -1: none. */
static long long
date_read(const char *text)
{
	struct tm	tm = { 0 };
	const char	*end = text == NULL ? NULL : strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end != NULL && *end == '\0' ? (long long)timegm(&tm) : -1;
}

int
backoff_asked(const char *ms, const char *after, const char *date)
{
	int		n = number_read(ms, 1);
	long long	until, now;

	if (n < 0)
		n = number_read(after, 1000);
	if (n >= 0)
		return n;
	until = date_read(after);
	now = date_read(date);
	if (until < 0 || now < 0 || until - now > INT_MAX / 1000)
		return -1;
	return until > now ? (int)(until - now) * 1000 : 0;
}

int
backoff_ms(unsigned n)
{
	int		ms = n < 5 ? BACKOFF_FIRST_MS << n : BACKOFF_MOST_MS;
	struct secret	chance = { 0 };

	ms = ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
	(void)!secret_random(&chance);
	return ms - ms * chance.bytes[0] / (4 * 255);
}
