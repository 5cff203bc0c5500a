#include "date_pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { FIELD_LONGEST = 5 };

/* The number of equal letters at s. */
static size_t
field_length(const char *s)
{
	size_t	n = 1;

	while (s[n] == *s)
		n++;
	return n;
}

/* Behind the text in apostrophes that begins at s, or NULL when it has no end. Two apostrophes are one. */
static const char *
quoted_skip(const char *s)
{
	const char	*end = strchr(s + 1, '\'');

	return end ? end + 1 : NULL;
}

const char *
date_pattern_fault(mem_ctx *ctx, const char *pattern)
{
	static const char	fields[] = "yuMLdEcG";	/* year, month, day, weekday, era */
	bool			year = false, month = false, day = false;

	for (const char *s = pattern; *s;) {
		size_t	n = field_length(s);

		if (*s == '\'') {
			s = quoted_skip(s);
			if (s == NULL)
				return "has an apostrophe without another";
			continue;
		}
		if (isalpha((unsigned char)*s) && (strchr(fields, *s) == NULL || n > FIELD_LONGEST))
			return mem_printf(ctx, "has %.*s, which is no part of a date: put words in apostrophes", (int)n, s);
		year = year || *s == 'y' || *s == 'u';
		month = month || *s == 'M' || *s == 'L';
		day = day || *s == 'd';
		s += n;
	}
	return year && month && day ? NULL : "must have a year (y), a month (M) and a day (d)";
}
