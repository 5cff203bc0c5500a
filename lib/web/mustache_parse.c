#include "mustache.h"

#include <string.h>

#include "mustache_tree.h"

/* A piece of the template: text up to the end of its line, or one tag. */
struct token {
	enum mustache_kind	kind;
	const char		*s;	/* text, or a tag's name */
	size_t			n;
	unsigned		line;
};

enum { LINE_TOKENS = 256 };

struct parser {
	mem_ctx			*mem;
	const char		*rest;
	unsigned		line;
	struct token		tokens[LINE_TOKENS];	/* of the current line */
	size_t			n;
	size_t			open[MUSTACHE_DEPTH];	/* node indexes of the open sections */
	size_t			depth;
	struct mustache		*out;
	const char		*why;
};

static const char	blanks[] = " \t\r\n";

static enum err
fail(struct parser *p, unsigned line, const char *what)
{
	p->why = mem_printf(p->mem, "line %u: %s", line, what);
	return ERR_INVALID;
}

static size_t
count_lines(const char *s, size_t n)
{
	size_t	lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += s[i] == '\n';
	return lines;
}

static void
trim(struct token *t)
{
	while (t->n > 0 && strchr(blanks, t->s[0]) != NULL) {
		t->s++;
		t->n--;
	}
	while (t->n > 0 && strchr(blanks, t->s[t->n - 1]) != NULL)
		t->n--;
}

/* The kind of tag that its first character stands for; TEXT for a kind that is not supported. */
static enum mustache_kind
tag_kind(char c)
{
	switch (c) {
	case '#': return MUSTACHE_SECTION;
	case '^': return MUSTACHE_INVERTED;
	case '/': return MUSTACHE_CLOSE;
	case '!': return MUSTACHE_COMMENT;
	case '>': return MUSTACHE_PARTIAL;
	case '&':
	case '{': return MUSTACHE_RAW;
	case '=':
	case '$':
	case '<': return MUSTACHE_TEXT;
	default: return MUSTACHE_ESCAPED;
	}
}

/* "." or names with one dot between each; a partial's name may hold anything but space. */
static bool
is_name(const struct token *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (strchr(" \t\r\n{}", t->s[i]) != NULL)
			return false;
	if (t->kind == MUSTACHE_PARTIAL || (t->n == 1 && t->s[0] == '.'))
		return t->n > 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->s[i] == '.' && (i == 0 || i + 1 == t->n || t->s[i + 1] == '.'))
			return false;
	return t->n > 0;
}

/* Cuts off the character of the kind, and white space around the name. */
static enum err
name_tag(struct parser *p, struct token *t)
{
	if (t->kind == MUSTACHE_TEXT)
		return fail(p, t->line, "set delimiters and inheritance are not supported");
	if (t->kind != MUSTACHE_ESCAPED) {
		t->s++;
		t->n--;
	}
	trim(t);
	if (t->kind == MUSTACHE_PARTIAL && t->n > 0 && t->s[0] == '*') {
		t->kind = MUSTACHE_DYNAMIC;
		t->s++;
		t->n--;
		trim(t);
	}
	if (t->kind != MUSTACHE_COMMENT && !is_name(t))
		return fail(p, t->line, "a tag without a proper name");
	return OK;
}

/* p->rest stands at "{{". */
static enum err
take_tag(struct parser *p, struct token *t)
{
	const char	*start = p->rest + 2, *close = start[0] == '{' ? "}}}" : "}}", *end = strstr(start, close);

	if (end == NULL)
		return fail(p, p->line, "a tag is not closed");
	*t = (struct token){ .s = start, .n = (size_t)(end - start), .line = p->line };
	trim(t);
	t->kind = tag_kind(t->n > 0 ? t->s[0] : '\0');
	p->line += (unsigned)count_lines(start, (size_t)(end - start));
	p->rest = end + strlen(close);
	return name_tag(p, t);
}

static void
take_text(struct parser *p, struct token *t)
{
	const char	*tag = strstr(p->rest, "{{"), *newline = strchr(p->rest, '\n');
	size_t		 n = strlen(p->rest);

	if (tag != NULL)
		n = (size_t)(tag - p->rest);
	if (newline != NULL && (size_t)(newline - p->rest) < n)
		n = (size_t)(newline - p->rest) + 1;
	*t = (struct token){ .kind = MUSTACHE_TEXT, .s = p->rest, .n = n, .line = p->line };
	p->rest += n;
	p->line += t->s[n - 1] == '\n';
}

/* Fills tokens with those of the next line; a tag that spans lines belongs to the one it starts on. */
static enum err
take_line(struct parser *p)
{
	struct token	*t;

	for (p->n = 0; *p->rest != '\0';) {
		if (p->n == LINE_TOKENS)
			return fail(p, p->line, "too many tags in one line");
		t = &p->tokens[p->n++];
		if (strncmp(p->rest, "{{", 2) == 0)
			TRY(take_tag(p, t));
		else
			take_text(p, t);
		if (t->kind == MUSTACHE_TEXT && t->s[t->n - 1] == '\n')
			break;
	}
	return OK;
}

static bool
is_blank(const struct token *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (strchr(blanks, t->s[i]) == NULL)
			return false;
	return true;
}

/* The tag that is alone on a line and is not a variable, or NULL: the rest of such a line is not printed. */
static const struct token *
lone_tag(const struct parser *p)
{
	const struct token	*tag = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct token	*t = &p->tokens[i];

		if (t->kind == MUSTACHE_TEXT ? !is_blank(t) : tag != NULL)
			return NULL;
		if (t->kind == MUSTACHE_ESCAPED || t->kind == MUSTACHE_RAW)
			return NULL;
		if (t->kind != MUSTACHE_TEXT)
			tag = t;
	}
	return tag;
}

static struct mustache_node *
add_node(struct parser *p, enum mustache_kind kind)
{
	struct mustache	*m = p->out;

	if ((m->n & (m->n - 1)) == 0)
		m->nodes = talloc_realloc(m, m->nodes, struct mustache_node, m->n == 0 ? 1 : m->n * 2);
	m->nodes[m->n] = (struct mustache_node){ .kind = kind, .text = "", .indent = "" };
	return &m->nodes[m->n++];
}

static void
set_text(struct parser *p, struct mustache_node *node, const struct token *t)
{
	node->text = mem_copy(p->out, t->s, t->n);
	node->len = t->n;
}

/* "a.b" becomes "a\0b"; a partial's name keeps its dots. */
static void
set_name(struct parser *p, struct mustache_node *node, const struct token *t)
{
	char	*name = mem_copy(p->out, t->s, t->n);

	node->text = name;
	if (t->kind == MUSTACHE_PARTIAL || strcmp(name, ".") == 0)
		return;
	for (node->parts = 1; (name = strchr(name, '.')) != NULL; node->parts++)
		*name++ = '\0';
}

static bool
is_section(enum mustache_kind kind)
{
	return kind == MUSTACHE_SECTION || kind == MUSTACHE_INVERTED;
}

static enum err
open_section(struct parser *p, const struct token *t)
{
	if (p->depth == MUSTACHE_DEPTH)
		return fail(p, t->line, "sections are nested too deeply");
	p->open[p->depth++] = p->out->n - 1;
	return OK;
}

static bool
names_node(struct parser *p, const struct token *t, const struct mustache_node *node)
{
	struct mustache_node	closing = { .text = "" };
	const char		*a = node->text, *b;

	set_name(p, &closing, t);
	b = closing.text;
	if (closing.parts != node->parts)
		return false;
	for (size_t i = 0; i < node->parts; i++, a += strlen(a) + 1, b += strlen(b) + 1)
		if (strcmp(a, b) != 0)
			return false;
	return true;
}

static enum err
close_section(struct parser *p, const struct token *t)
{
	struct mustache_node	*node = p->depth > 0 ? &p->out->nodes[p->open[p->depth - 1]] : NULL;

	if (node == NULL || !names_node(p, t, node))
		return fail(p, t->line, "this tag closes no open section of that name");
	node->end = p->out->n;
	p->depth--;
	return OK;
}

static enum err
add_token(struct parser *p, const struct token *t)
{
	if (t->kind == MUSTACHE_COMMENT)
		return OK;
	if (t->kind == MUSTACHE_CLOSE)
		return close_section(p, t);
	if (t->kind == MUSTACHE_TEXT)
		set_text(p, add_node(p, t->kind), t);
	else
		set_name(p, add_node(p, t->kind), t);
	return is_section(t->kind) ? open_section(p, t) : OK;
}

/* Prints nothing of the line itself. White space before a partial becomes the indentation of all its lines. */
static enum err
add_lone_tag(struct parser *p, const struct token *tag)
{
	TRY(add_token(p, tag));
	if (tag->kind != MUSTACHE_PARTIAL && tag->kind != MUSTACHE_DYNAMIC)
		return OK;
	p->out->nodes[p->out->n - 1].alone = true;
	if (tag > p->tokens)
		p->out->nodes[p->out->n - 1].indent = mem_copy(p->out, p->tokens[0].s, p->tokens[0].n);
	return OK;
}

/* An empty text node marks the start of a line; an empty line has none, because it is not indented. */
static enum err
add_line(struct parser *p)
{
	const struct token	*first = &p->tokens[0];

	if (first->kind != MUSTACHE_TEXT || strspn(first->s, "\r\n") == 0)
		add_node(p, MUSTACHE_TEXT)->starts_line = true;
	for (size_t i = 0; i < p->n; i++)
		TRY(add_token(p, &p->tokens[i]));
	return OK;
}

static enum err
parse(struct parser *p)
{
	const struct token	*lone;

	while (*p->rest != '\0') {
		TRY(take_line(p));
		lone = lone_tag(p);
		TRY(lone != NULL ? add_lone_tag(p, lone) : add_line(p));
	}
	if (p->depth > 0)
		return fail(p, p->line, "a section is not closed");
	return OK;
}

static enum err
parse_all(mem_ctx *ctx, const char *text, bool is_text, const struct mustache **out, const char **why)
{
	struct parser	*p = talloc_zero(ctx, struct parser);
	enum err	 e;

	p->mem = ctx;
	p->rest = text;
	p->line = 1;
	p->out = talloc_zero(ctx, struct mustache);
	p->out->is_text = is_text;
	e = parse(p);
	if (e == OK)
		*out = p->out;
	else if (why != NULL)
		*why = p->why;
	talloc_free(p);
	return e;
}

enum err
mustache_parse(mem_ctx *ctx, const char *text, const struct mustache **out, const char **why)
{
	return parse_all(ctx, text, false, out, why);
}

enum err
mustache_parse_text(mem_ctx *ctx, const char *text, const struct mustache **out, const char **why)
{
	return parse_all(ctx, text, true, out, why);
}
