#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { JSON_DEPTH = 32, JSON_DEPTH_WHOLE = 1000, NUMBER = 400 /* characters, and digits before or behind the point */ };

static void
json_release(void *doc)
{
	json_object_put(doc);
}

struct json_object *
json_hang(mem_ctx *ctx, struct json_object *doc)
{
	if (doc != NULL)
		mem_hang(ctx, doc, json_release);
	return doc;
}

/*
 * Rejects what json-c accepts even in strict mode: 'a', comments, NaN, Infinity, "1." and a bare line feed in a string.
 * JSON has few characters outside strings, a digit after each point, and no bare control characters inside strings.
 */
static bool
json_has_only_json(const char *s, size_t n)
{
	static const bool	allowed[256] = {
		['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [':'] = true, [','] = true, [' '] = true, ['\t'] = true,
		['\r'] = true, ['\n'] = true, ['0' ... '9'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['e'] = true,
		['E'] = true, ['t'] = true, ['r'] = true, ['u'] = true, ['f'] = true, ['a'] = true, ['l'] = true, ['s'] = true,
		['n'] = true,
	};
	bool			quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted && (unsigned char)s[i] < 0x20)
			return false;
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (!allowed[(unsigned char)s[i]] ||
		    (s[i] == '.' && (i + 1 == n || s[i + 1] < '0' || s[i + 1] > '9'))))
			return false;
	}
	return true;
}

unsigned
json_unit(const char *s)
{
	unsigned	unit = 0;

	if (s[0] != '\\' || s[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++) {
		const char	*digits = "0123456789abcdef", *at = s[i] ? strchr(digits, s[i] | (s[i] >= 'A' ? 0x20 : 0)) : NULL;

		if (at == NULL)
			return 0;
		unit = unit << 4 | (unsigned)(at - digits);
	}
	return unit;
}

/* json-c turns an unpaired surrogate into U+FFFD, PostgreSQL refuses it: an event and its jsonb copy would differ. */
static bool
json_has_pairs_only(const char *s)
{
	for (; (s = strchr(s, '\\')) != NULL && s[1] != '\0'; s += 2) {
		unsigned	unit = json_unit(s);

		if (unit < 0xd800 || unit > 0xdfff)
			continue;
		if (unit > 0xdbff || (json_unit(s + 6) & 0xfc00) != 0xdc00)
			return false;
		s += 10;
	}
	return true;
}

/*
 * 1e999 is well-formed JSON, but a double cannot hold it. Of 1e-99999 a double holds 0, json-c keeps the text, and
 * PostgreSQL's numeric does not take that.
 */
static bool
json_fits(struct json_object *number)
{
	const char	*text = json_object_get_string(number), *e = strpbrk(text, "eE");

	return isfinite(json_object_get_double(number)) && strlen(text) <= NUMBER &&
	    (e == NULL || labs(strtol(e + 1, NULL, 10)) <= NUMBER);
}

static bool
json_is_storable(struct json_object *doc)
{
	bool	fits = true;

	if (json_object_is_type(doc, json_type_double))
		return json_fits(doc);
	if (json_object_is_type(doc, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(doc); i++)
			fits = fits && json_is_storable(json_object_array_get_idx(doc, i));
	} else if (json_object_is_type(doc, json_type_object)) {
		json_object_object_foreach(doc, key, value) {
			(void)key;
			fits = fits && json_is_storable(value);
		}
	}
	return fits;
}

static bool
json_is_space(const char *s, size_t n)
{
	return strspn(s, " \t\r\n") >= n;
}

enum err
json_parse(mem_ctx *ctx, const void *bytes, size_t n, struct json_object **out)
{
	struct json_tokener	*tok;
	struct json_object	*doc;
	enum json_tokener_error	why;
	size_t			used;
	char			*text = mem_copy(ctx, bytes, n);

	*out = NULL;
	/* json-c needs a NUL after a bare number, which the copy supplies. */
	if (n == 0 || n > INT32_MAX - 1 || !json_has_only_json(text, n) || !text_is_utf8(text, n) ||
	    !json_has_pairs_only(text))
		return ERR_BAD_REQUEST;
	tok = json_tokener_new_ex(JSON_DEPTH);
	if (tok == NULL)
		return ERR_INTERNAL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	doc = json_tokener_parse_ex(tok, text, (int)n + 1);
	why = json_tokener_get_error(tok);
	used = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	json_hang(ctx, doc);
	if (why != json_tokener_success || used > n || !json_is_space(text + used, n - used) ||
	    !json_is_storable(doc))
		return ERR_BAD_REQUEST;
	*out = doc;
	return OK;
}

bool
json_is_whole(const void *bytes, size_t n)
{
	struct json_tokener	*tok = n > INT32_MAX - 1 ? NULL : json_tokener_new_ex(JSON_DEPTH_WHOLE);
	bool			whole;

	if (tok == NULL)
		return false;
	json_object_put(json_tokener_parse_ex(tok, bytes, (int)n));
	whole = json_tokener_get_error(tok) == json_tokener_success;
	json_tokener_free(tok);
	return whole;
}

unsigned
json_line(const void *bytes, size_t n)
{
	struct json_tokener	*tok = n > INT32_MAX - 1 ? NULL : json_tokener_new_ex(JSON_DEPTH);
	unsigned		line = 1;

	if (tok == NULL)
		return 0;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	json_object_put(json_tokener_parse_ex(tok, bytes, (int)n));
	for (size_t i = 0; i < json_tokener_get_parse_end(tok) && i < n; i++)
		line += ((const char *)bytes)[i] == '\n';
	if (json_tokener_get_error(tok) == json_tokener_success)
		line = 0;
	json_tokener_free(tok);
	return line;
}

/*
 * json-c silently keeps the last of two equal keys. Outside strings each member has exactly one colon, so more colons
 * in the text than members in the document mean a duplicate.
 */
static size_t
json_count_colons(const char *s, size_t n)
{
	size_t	colons = 0;
	bool	quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && s[i] == ':')
			colons++;
	}
	return colons;
}

static size_t
json_count_members(struct json_object *doc)
{
	size_t	members = 0;

	if (json_object_is_type(doc, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(doc); i++)
			members += json_count_members(json_object_array_get_idx(doc, i));
	} else if (json_object_is_type(doc, json_type_object)) {
		json_object_object_foreach(doc, key, value) {
			(void)key;
			members += 1 + json_count_members(value);
		}
	}
	return members;
}

enum err
json_parse_unique(mem_ctx *ctx, const void *bytes, size_t n, struct json_object **out)
{
	TRY(json_parse(ctx, bytes, n, out));
	return json_count_colons(bytes, n) == json_count_members(*out) ? OK : ERR_BAD_REQUEST;
}

struct json_object *
json_at(struct json_object *doc, const char *pointer)
{
	struct json_object	*found = NULL;

	if (doc == NULL || pointer[0] == '\0')
		return doc;
	return json_pointer_get(doc, pointer, &found) == 0 ? found : NULL;
}

const char *
json_text(struct json_object *doc, const char *pointer)
{
	struct json_object	*v = json_at(doc, pointer);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

const char *
json_whole_text(struct json_object *doc, const char *pointer)
{
	const char	*text = json_text(doc, pointer);

	return text != NULL && strlen(text) == (size_t)json_object_get_string_len(json_at(doc, pointer)) ? text : NULL;
}

int64_t
json_int(struct json_object *doc, const char *pointer, int64_t fallback)
{
	const int64_t		limit = INT64_C(1) << 53;
	struct json_object	*v = json_at(doc, pointer);
	int64_t			n;

	if (!json_object_is_type(v, json_type_int))
		return fallback;
	n = json_object_get_int64(v);
	return n >= -limit && n <= limit ? n : fallback;
}

bool
json_is(struct json_object *doc, const char *pointer, const char *text)
{
	const char	*s = json_text(doc, pointer);

	return s != NULL && strcmp(s, text) == 0;
}

bool
json_true(struct json_object *doc, const char *pointer)
{
	struct json_object	*v = json_at(doc, pointer);

	return json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

const char *
json_id(struct json_object *doc, const char *pointer)
{
	struct json_object	*v = json_at(doc, pointer);

	return json_text(v, json_object_is_type(v, json_type_object) ? "/id" : "");
}

void
json_put(struct json_object *doc, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(doc, name, json_object_new_string(text));
}

void
json_put_true(struct json_object *doc, const char *name)
{
	json_object_object_add(doc, name, json_object_new_boolean(1));
}

struct json_object *
json_new(mem_ctx *ctx)
{
	return json_hang(ctx, json_object_new_object());
}
