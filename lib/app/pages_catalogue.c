#include "private/pages_loader.h"

#include <string.h>

#include "file.h"
#include "json.h"

enum { CATALOGUE_MAX_BYTES = 256 * 1024 };

static unsigned
line_at(const char *text, const char *at)
{
	unsigned	line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Behind the name's next place as a member, or NULL. */
static const char *
member_find(const char *text, const char *quoted)
{
	while ((text = strstr(text, quoted)) != NULL) {
		text += strlen(quoted);
		if (text[strspn(text, " \t\r\n")] == ':')
			return text;
	}
	return NULL;
}

unsigned
catalogue_line(mem_ctx *ctx, const char *text, const char *name)
{
	const char	*quoted = mem_printf(ctx, "\"%s\"", name);
	const char	*next = member_find(text, quoted), *last = NULL;

	for (; next != NULL; next = member_find(next, quoted))
		last = next;
	return last != NULL ? line_at(text, last) : 0;
}

static enum err
twice_fault(struct loader *l, const char *path, struct json_object *doc, const char *text)
{
	json_object_object_foreach(doc, name, value) {
		const char	*quoted = mem_printf(l->ctx, "\"%s\"", name), *first = member_find(text, quoted);

		(void)value;
		if (first != NULL && member_find(first, quoted) != NULL)
			return page_fault(l, path, catalogue_line(l->ctx, text, name), "%s is there twice", name);
	}
	return page_fault(l, path, 0, "has a name twice");
}

enum err
catalogue_read(struct loader *l, const char *path, struct json_object **doc, const char **text)
{
	char	*bytes;
	size_t	n;

	TRY(page_read(l, path, CATALOGUE_MAX_BYTES, &bytes, &n));
	*text = bytes;
	if (json_parse(l->ctx, bytes, n, doc) != OK)
		return page_fault(l, path, json_line(bytes, n), "is not JSON from here on");
	if (!json_object_is_type(*doc, json_type_object))
		return page_fault(l, path, 1, "is not a JSON object");
	return json_parse_unique(l->ctx, bytes, n, doc) == OK ? OK : twice_fault(l, path, *doc, bytes);
}
