#include "http.h"

#include <limits.h>
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

/*
 * The preference for a language: that of the elements that name it, else of "*"; 0: not in the list, -1: excluded by
 * "q=0". at: which element says so.
 */
static int
language_wanted(const char *list, const char *language, unsigned *at)
{
	struct range	r;
	int		best = 0;
	bool		named = false;

	*at = UINT_MAX;
	for (unsigned i = 0; next_range(&list, &r); i++) {
		bool	own = speaks(&r, language);
		int	quality = r.quality > 0 ? r.quality : -1;

		if (!own && (named || !range_is(&r, "*", 1)))
			continue;
		if ((own && !named) || quality > best) {
			best = quality;
			*at = i;
		}
		named = named || own;
	}
	return best;
}

const char *
http_language(const struct http_req *q, const char *const *languages, size_t n)
{
	const char	*list = http_param(q, "HTTP_ACCEPT_LANGUAGE", NULL), *best = languages[0];
	unsigned	at, best_at = UINT_MAX;
	int		quality, best_quality = INT_MIN;

	for (size_t i = 0; list != NULL && i < n; i++) {
		quality = language_wanted(list, languages[i], &at);
		if (quality < best_quality || (quality == best_quality && at >= best_at))
			continue;
		best = languages[i];
		best_quality = quality;
		best_at = at;
	}
	return best;
}
