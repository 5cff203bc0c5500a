#include "mustache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mustache_tree.h"

/* One value of the context stack. Nested stacks share the frames below. */
struct frame {
	struct json_object	*value;
	const struct frame	*below;
};

struct render {
	mustache_partial	*partial;
	const void		*set;
	struct buf		*out;
};

/* The template being rendered, the indentation of its lines, and the depth of nesting. */
struct place {
	const struct mustache	*t;
	const char		*indent;
	unsigned		 depth;
};

static enum err render_nodes(const struct render *r, struct place at, size_t from, size_t to,
    const struct frame *stack);

/* The first name is searched down the stack, each further name only in the value of the one before. */
static struct json_object *
look_up(const struct mustache_node *node, const struct frame *stack)
{
	const char		*name = node->text;
	struct json_object	*value = NULL;
	bool			 found = false;

	if (node->parts == 0)
		return stack->value;
	for (; stack != NULL && !found; stack = stack->below)
		found = json_object_is_type(stack->value, json_type_object) &&
		    json_object_object_get_ex(stack->value, name, &value);
	for (size_t i = 1; i < node->parts; i++) {
		name += strlen(name) + 1;
		if (!json_object_is_type(value, json_type_object) || !json_object_object_get_ex(value, name, &value))
			return NULL;
	}
	return found ? value : NULL;
}

static bool
is_falsy(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null: return true;
	case json_type_boolean: return !json_object_get_boolean(v);
	case json_type_int: return json_object_get_int64(v) == 0;
	case json_type_double: return json_object_get_double(v) == 0;
	case json_type_string: return json_object_get_string_len(v) == 0;
	case json_type_array: return json_object_array_length(v) == 0;
	default: return false;
	}
}

static void
put_int(struct buf *out, struct json_object *v)
{
	int64_t	n = json_object_get_int64(v);

	if (n == INT64_MAX)
		buf_printf(out, "%ju", (uintmax_t)json_object_get_uint64(v));
	else
		buf_printf(out, "%jd", (intmax_t)n);
}

/* The fewest digits, 15 at least, that read back as the same number. */
static void
put_double(struct buf *out, double d)
{
	char	text[32];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_puts(out, text);
}

static void
put_escaped(struct buf *out, const char *s, size_t n)
{
	static const char	special[] = "&<>\"'";
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	const char		*end = s + n, *plain = s;
	const char		*found;

	for (; s < end; s++) {
		if ((found = memchr(special, *s, sizeof(special) - 1)) == NULL)
			continue;
		buf_put(out, plain, (size_t)(s - plain));
		buf_puts(out, entities[found - special]);
		plain = s + 1;
	}
	buf_put(out, plain, (size_t)(end - plain));
}

/* Does not use json-c's printing, which caches its text in the object: threads share the document. */
static void
put_value(struct buf *out, struct json_object *v, bool escaped)
{
	size_t	n;

	switch (json_object_get_type(v)) {
	case json_type_boolean:
		if (json_object_get_boolean(v))
			buf_puts(out, "true");
		break;
	case json_type_int:
		put_int(out, v);
		break;
	case json_type_double:
		put_double(out, json_object_get_double(v));
		break;
	case json_type_string:
		n = (size_t)json_object_get_string_len(v);
		if (escaped)
			put_escaped(out, json_object_get_string(v), n);
		else
			buf_put(out, json_object_get_string(v), n);
		break;
	default:
		break;
	}
}

static enum err
render_section(const struct render *r, struct place at, size_t from, size_t to, const struct frame *stack)
{
	struct json_object	*v = look_up(&at.t->nodes[from], stack);
	struct frame		 top = { v, stack };

	if (is_falsy(v))
		return OK;
	if (!json_object_is_type(v, json_type_array))
		return render_nodes(r, at, from + 1, to, &top);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		top.value = json_object_array_get_idx(v, i);
		TRY(render_nodes(r, at, from + 1, to, &top));
	}
	return OK;
}

/* NULL when a dynamic name is missing or not a string. */
static const char *
partial_name(const struct mustache_node *node, const struct frame *stack)
{
	struct json_object	*v;

	if (node->kind == MUSTACHE_PARTIAL)
		return node->text;
	v = look_up(node, stack);
	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

static enum err
render_partial(const struct render *r, struct place at, const struct mustache_node *node, const struct frame *stack)
{
	const char		*name = partial_name(node, stack);
	struct buf		 indent = { .ctx = r->out->ctx };

	at.t = name == NULL ? NULL : r->partial(r->set, name);
	if (at.t == NULL)
		return OK;
	buf_puts(&indent, at.indent);
	buf_puts(&indent, node->indent);
	at.indent = indent.data;
	TRY(render_nodes(r, at, 0, at.t->n, stack));
	talloc_free(indent.data);
	if (node->alone && at.t->is_text)
		buf_puts(r->out, "\n");
	return OK;
}

static enum err
render_node(const struct render *r, struct place at, size_t i, const struct frame *stack)
{
	const struct mustache_node	*node = &at.t->nodes[i];

	switch (node->kind) {
	case MUSTACHE_TEXT:
		buf_put(r->out, node->text, node->len);
		return OK;
	case MUSTACHE_ESCAPED:
	case MUSTACHE_RAW:
		put_value(r->out, look_up(node, stack), node->kind == MUSTACHE_ESCAPED);
		return OK;
	case MUSTACHE_SECTION:
		return render_section(r, at, i, node->end, stack);
	case MUSTACHE_INVERTED:
		return is_falsy(look_up(node, stack)) ? render_nodes(r, at, i + 1, node->end, stack) : OK;
	default:
		return render_partial(r, at, node, stack);
	}
}

static enum err
render_nodes(const struct render *r, struct place at, size_t from, size_t to, const struct frame *stack)
{
	const struct mustache_node	*node;

	if (at.depth++ > MUSTACHE_DEPTH)
		return ERR_INTERNAL;
	for (size_t i = from; i < to; i = node->end > i ? node->end : i + 1) {
		node = &at.t->nodes[i];
		if (node->starts_line)
			buf_puts(r->out, at.indent);
		TRY(render_node(r, at, i, stack));
	}
	return OK;
}

enum err
mustache_render(const struct mustache *t, struct json_object *doc, mustache_partial *partial, const void *set,
    struct buf *out)
{
	const struct render	r = { partial, set, out };
	const struct frame	bottom = { doc, NULL };
	const struct place	at = { t, "", 0 };

	return render_nodes(&r, at, 0, t->n, &bottom);
}
