#include "http.h"

#include <string.h>
#include <strings.h>

/* One element of an Accept or Accept-Language list: "text/html;level=1;q=0.8". */
struct range {
	const char	*name;
	size_t		 len;
	int		 quality;	/* thousandths */
};

/* Digits "1", "0.8", "0.333" as thousandths; anything else counts as 0, which is "not acceptable". */
static int
quality_value(const char *s, size_t n)
{
	int	value, scale = 100;

	if (n == 0 || n > 5 || (s[0] != '0' && s[0] != '1') || (n > 1 && s[1] != '.'))
		return 0;
	value = (s[0] - '0') * 1000;
	for (size_t i = 2; i < n; i++, scale /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		value += (s[i] - '0') * scale;
	}
	return value > 1000 ? 0 : value;
}

static int
range_quality(const char *s, const char *end)
{
	size_t	n;

	for (; s < end; s += n) {
		s += strspn(s, "; \t");
		n = strcspn(s, ";, \t");
		if (n >= 2 && (s[0] == 'q' || s[0] == 'Q') && s[1] == '=')
			return quality_value(s + 2, n - 2);
		if (n == 0)
			break;
	}
	return 1000;
}

/* The next element of the list at *s; false at its end. */
static bool
next_range(const char **s, struct range *out)
{
	const char	*end;

	*s += strspn(*s, ", \t");
	if (**s == '\0')
		return false;
	end = *s + strcspn(*s, ",");
	out->name = *s;
	out->len = strcspn(*s, ";, \t");
	out->quality = range_quality(*s + out->len, end);
	*s = end;
	return true;
}

static bool
range_is(const struct range *r, const char *name, size_t n)
{
	return r->len == n && strncasecmp(r->name, name, n) == 0;
}

/* 3: the exact type; 2: its family with a wildcard; 1: a wildcard for all types; 0: no match. */
static int
closeness(const struct range *r, const char *type, size_t main_len)
{
	if (range_is(r, type, strlen(type)))
		return 3;
	if (r->len == main_len + 2 && strncasecmp(r->name, type, main_len + 1) == 0 && r->name[r->len - 1] == '*')
		return 2;
	return range_is(r, "*/*", 3) ? 1 : 0;
}

/* The preference for a type: its quality first, then how closely the list's element names it. */
static int
wanted(const char *list, const char *type)
{
	size_t		main_len = (size_t)(strchr(type, '/') - type);
	int		best = 0, quality = 0, close;
	struct range	r;

	while (next_range(&list, &r)) {
		close = closeness(&r, type, main_len);
		if (close > best) {
			best = close;
			quality = r.quality;
		}
	}
	return quality * 4 + (quality > 0 ? best : 0);
}

bool
http_wants_json(const struct http_req *q)
{
	const char	*accept = http_param(q, "HTTP_ACCEPT", NULL);

	return accept != NULL && wanted(accept, "application/json") > wanted(accept, "text/html");
}

/* The language "de" serves the ranges "de" and "de-AT". */
static bool
speaks(const struct range *r, const char *language)
{
	size_t	n = strlen(language);

	return range_is(r, language, n) || (r->len > n && r->name[n] == '-' && strncasecmp(r->name, language, n) == 0);
}

const char *
http_language(const struct http_req *q, const char *const *languages, size_t n)
{
	const char	*list = http_param(q, "HTTP_ACCEPT_LANGUAGE", NULL), *best = languages[0];
	struct range	 r;
	int		 quality = 0;

	while (list != NULL && next_range(&list, &r)) {
		if (r.quality <= quality)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (!speaks(&r, languages[i]) && !(i == 0 && range_is(&r, "*", 1)))
				continue;
			best = languages[i];
			quality = r.quality;
			break;
		}
	}
	return best;
}
