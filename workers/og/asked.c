#include "asked.h"

#include <glib.h>
#include <string.h>

#include "form.h"

/* Marks in a row: the most that a script has on one letter is about five. More would be drawn over everything else. */
enum { HEADING_MAX = 300, MARKS_MAX = 8 };

static const struct {
	const char	*name, *label;
} types[] = {
	{ "page", "" }, { "article", "Article" }, { "blog", "Blog" }, { "changelog", "Changelog" },
	{ "documentation", "Documentation" }, { "guide", "Guide" }, { "pricing", "Pricing" }, { "product", "Product" },
};

static bool
is_mark(GUnicodeType t)
{
	return t == G_UNICODE_NON_SPACING_MARK || t == G_UNICODE_ENCLOSING_MARK || t == G_UNICODE_SPACING_MARK;
}

/* Embeddings, overrides and isolates: with them a text reads differently from what it is. */
static bool
turns_direction(gunichar c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

const char *
asked_heading_fault(const char *text)
{
	unsigned	n = 0, marks = 0;

	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		gunichar	c = g_utf8_get_char(text);
		GUnicodeType	t = g_unichar_type(c);

		marks = is_mark(t) ? marks + 1 : 0;
		if (t == G_UNICODE_CONTROL || t == G_UNICODE_LINE_SEPARATOR || t == G_UNICODE_PARAGRAPH_SEPARATOR)
			return "holds a control character";
		if (turns_direction(c))
			return "holds a character that changes the direction of text";
		if (marks > MARKS_MAX)
			return "has more than 8 combining marks in a row";
		if (++n > HEADING_MAX)
			return "is longer than 300 characters";
	}
	return NULL;
}

static const char *
type_label(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].label;
	}
	return NULL;
}

static const char *
name_unknown(const struct form *query)
{
	static const char *const	known[] = { "heading", "type", "mode", "signature" };
	size_t				k;

	for (size_t i = 0; i < query->n; i++) {
		for (k = 0; k < 4 && strcmp(query->fields[i].name, known[k]) != 0; k++)
			;
		if (k == 4)
			return query->fields[i].name;
	}
	return NULL;
}

static const char *
value_or(const struct form *query, const char *name, const char *otherwise)
{
	const char	*value = form_get(query, name);

	return value != NULL ? value : otherwise;
}

bool
asked_read(mem_ctx *ctx, const char *query, struct picture *out, const char **signature, const char **label,
    struct asked_fault *fault)
{
	const char	*unknown, *wrong;
	struct form	 form;
	enum err	 e = form_parse(ctx, query, strlen(query), &form);

	unknown = name_unknown(&form);
	*out = (struct picture){ value_or(&form, "heading", ""), value_or(&form, "type", "page"),
	    value_or(&form, "mode", "light") };
	*signature = form_get(&form, "signature");
	*label = type_label(out->type);
	wrong = asked_heading_fault(out->heading);
	if (e != OK)
		*fault = (struct asked_fault){ form.field != NULL ? form.field : "query", form.fault };
	else if (unknown != NULL)
		*fault = (struct asked_fault){ unknown, "is not known" };
	else if (wrong != NULL)
		*fault = (struct asked_fault){ "heading", wrong };
	else if (*label == NULL)
		*fault = (struct asked_fault){ "type", "is not known" };
	else if (strcmp(out->mode, "light") != 0 && strcmp(out->mode, "dark") != 0)
		*fault = (struct asked_fault){ "mode", "must be light or dark" };
	else
		return true;
	return false;
}
