#include "text.h"

#include <stdint.h>
#include <string.h>

enum { EMAIL_MAX = 254, LOCAL_MAX = 64, LABEL_MAX = 63 };

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_alnum(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9');
}

static bool
is_one_of(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* How many bytes follow a first byte that is not ASCII, or -1; *least is the smallest code point of that length. */
static int
utf8_tail(uint8_t first, uint32_t *point, uint32_t *least)
{
	if ((first & 0xe0) == 0xc0) {
		*point = first & 0x1f;
		*least = 0x80;
		return 1;
	}
	if ((first & 0xf0) == 0xe0) {
		*point = first & 0x0f;
		*least = 0x800;
		return 2;
	}
	*point = first & 0x07;
	*least = 0x10000;
	return (first & 0xf8) == 0xf0 ? 3 : -1;
}

bool
text_is_utf8(const char *s, size_t n)
{
	const uint8_t	*p = (const uint8_t *)s, *end = p + n;
	uint32_t	 point, least;
	int		 tail;

	for (;;) {
		while (p < end && *p < 0x80)	/* most text is ASCII */
			p++;
		if (p == end)
			return true;
		tail = utf8_tail(*p++, &point, &least);
		if (tail < 0 || end - p < tail)
			return false;
		for (; tail > 0; tail--, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			point = point << 6 | (*p & 0x3f);
		}
		if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
}

bool
text_is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

/* The length of the white space that s begins with, or 0. */
static size_t
space_len(const char *s)
{
	static const char *const	spaces[] = {
		" ", "\t", "\n", "\v", "\f", "\r", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
		"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
		"\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f", "\xe3\x80\x80"
	};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		size_t	n = strlen(spaces[i]);

		if (strncmp(s, spaces[i], n) == 0)
			return n;
	}
	return 0;
}

bool
text_is_blank(const char *s)
{
	size_t	n;

	while ((n = space_len(s)) > 0)
		s += n;
	return *s == '\0';
}

/* RFC 5321 dot-string: atoms with single dots between them. */
static bool
is_local_part(const char *s, size_t n)
{
	char	before = '.';

	if (n == 0 || n > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < n; before = s[i++]) {
		if (s[i] == '.' ? before == '.' : !is_alnum(s[i]) && !is_one_of("!#$%&'*+-/=?^_`{|}~", s[i]))
			return false;
	}
	return before != '.';
}

static bool
is_label(const char *s, size_t n)
{
	if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

/* The last label holds a letter, so that an IPv4 address is not a domain. */
static bool
is_domain(const char *s)
{
	size_t	labels = 0, n;

	for (;; s += n + 1) {
		n = strcspn(s, ".");
		if (!is_label(s, n))
			return false;
		labels++;
		if (s[n] == '\0')
			break;
	}
	for (size_t i = 0; i < n; i++)
		if (is_alpha(s[i]))
			return labels >= 2;
	return false;
}

bool
text_is_email(const char *s)
{
	const char	*at = strchr(s, '@');

	return at != NULL && strlen(s) <= EMAIL_MAX && is_local_part(s, (size_t)(at - s)) && is_domain(at + 1);
}

char *
text_trim(mem_ctx *ctx, const char *s)
{
	size_t	n;

	s += strspn(s, " \t\r\n\f\v");
	for (n = strlen(s); n > 0 && is_one_of(" \t\r\n\f\v", s[n - 1]); n--)
		;
	return mem_copy(ctx, s, n);
}

bool
text_is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool	dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !is_one_of("0123456789abcdefABCDEF", s[i]))
			return false;
	}
	return true;
}

char *
text_email_canonical(mem_ctx *ctx, const char *s)
{
	char	*copy = text_trim(ctx, s);

	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return copy;
}

char *
text_ascii(mem_ctx *ctx, const char *s, size_t n)
{
	char	*copy = mem_copy(ctx, s, n);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	}
	return copy;
}
