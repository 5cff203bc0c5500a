#include "route.h"

#include <string.h>

#include "mem.h"
#include "text.h"

enum { NUMBER_DIGITS = 18, WORD_MAX = 64 };

static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool
holds_only(const char *s, size_t n, const char *set, const char *more)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr(set, s[i]) == NULL && strchr(more, s[i]) == NULL)
			return false;
	}
	return true;
}

/* Fits a bigint. */
static bool
is_number(const char *s, size_t n)
{
	return n <= NUMBER_DIGITS && holds_only(s, n, "0123456789", "");
}

static bool
is_word(const char *s, size_t n)
{
	return n <= WORD_MAX && holds_only(s, n, alphanumeric, "_-");
}

static const struct {
	const char	*name;
	bool		(*matches)(const char *s, size_t n);
} kinds[] = {
	{ "uuid", text_is_uuid }, { "number", is_number }, { "word", is_word },
};

/* Matches the n characters ":id(uuid)" against a segment, and records the parameter. */
static bool
parameter_matches(const char *pattern, size_t n, const char *s, size_t len, struct route_params *params)
{
	const char	*open = memchr(pattern, '(', n);

	if (open == NULL || len == 0 || params->n == ROUTE_PARAMS)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t	kind = strlen(kinds[i].name);

		if (pattern + n != open + kind + 2 || memcmp(open + 1, kinds[i].name, kind) != 0)
			continue;
		params->list[params->n].name = pattern + 1;
		params->list[params->n].name_len = (size_t)(open - pattern) - 1;
		params->list[params->n].value = s;
		params->list[params->n++].value_len = len;
		return kinds[i].matches(s, len);
	}
	return false;
}

/* Compares segment by segment; both begin with a slash. */
static bool
path_matches(const char *pattern, const char *path, struct route_params *params)
{
	*params = (struct route_params){ 0 };
	for (;;) {
		size_t	n = strcspn(++pattern, "/"), len = strcspn(++path, "/");

		if (*pattern == ':' ? !parameter_matches(pattern, n, path, len, params) :
		    n != len || memcmp(pattern, path, n) != 0)
			return false;
		pattern += n;
		path += len;
		if (*pattern == '\0' || *path == '\0')
			return *pattern == *path;
	}
}

const struct route *
route_find(const struct route *const *tables, const char *path, const char *method, struct route_params *params)
{
	const struct route	*found = NULL;
	struct route_params	p;

	for (; *tables != NULL; tables++) {
		for (const struct route *t = *tables; t->path != NULL; t++) {
			if ((method != NULL && strcmp(t->method, method) != 0) || !path_matches(t->path, path, &p))
				continue;
			if (found == NULL || p.n < params->n) {
				found = t;
				*params = p;
			}
		}
	}
	return found;
}

/* Whether an earlier row has the method: two rows may match one path. */
static bool
method_listed(const char *list, const char *method)
{
	size_t	n = strlen(method);

	for (; list != NULL && *list != '\0'; list += strcspn(list, " "), list += *list == ' ') {
		if (strncmp(list, method, n) == 0 && (list[n] == ',' || list[n] == '\0'))
			return true;
	}
	return false;
}

void
route_allow(const struct route *const *tables, const char *path, struct buf *out)
{
	struct route_params	p;

	for (; *tables != NULL; tables++) {
		for (const struct route *t = *tables; t->path != NULL; t++) {
			if (path_matches(t->path, path, &p) && !method_listed(out->data, t->method))
				buf_printf(out, "%s%s%s", out->len ? ", " : "", t->method,
				    strcmp(t->method, "GET") == 0 ? ", HEAD" : "");
		}
	}
}
