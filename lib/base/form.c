#include "form.h"

#include <string.h>

#include "text.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes the first byte of s[0..n); *used is the length of its encoding. -1 for a malformed escape or a NUL. */
static int
decode_one(const char *s, size_t n, char plus, size_t *used)
{
	int	high, low;

	*used = 1;
	if (s[0] == '+')
		return plus;
	if (s[0] != '%')
		return s[0] == '\0' ? -1 : (unsigned char)s[0];
	if (n < 3 || (high = hex_digit(s[1])) < 0 || (low = hex_digit(s[2])) < 0 || (high | low) == 0)
		return -1;
	*used = 3;
	return high << 4 | low;
}

/* Decodes s[0..n) once, '+' as plus. A leading byte order mark is refused: no name or value needs one. */
static enum err
decode(mem_ctx *ctx, const char *s, size_t n, char plus, const char **out, size_t *out_len)
{
	char	*copy = mem_copy(ctx, s, n);
	size_t	 len = 0, used;
	int	 byte;

	for (; n > 0; s += used, n -= used) {
		if ((byte = decode_one(s, n, plus, &used)) < 0)
			return ERR_BAD_REQUEST;
		copy[len++] = (char)byte;
	}
	copy[len] = '\0';
	if (!text_is_utf8(copy, len) || strncmp(copy, "\xef\xbb\xbf", 3) == 0)
		return ERR_BAD_REQUEST;
	*out = copy;
	*out_len = len;
	return OK;
}

/* A field as it was sent: its name is before the first '='. */
struct piece {
	const char	*name, *value;
	size_t		 name_len, value_len;
};

/* Takes the next piece that is not empty from [*at, end). */
static bool
next_piece(const char **at, const char *end, struct piece *p)
{
	const char	*start = *at, *stop, *equals;

	while (start < end && *start == '&')
		start++;
	if (start == end)
		return false;
	stop = memchr(start, '&', (size_t)(end - start));
	if (stop == NULL)
		stop = end;
	equals = memchr(start, '=', (size_t)(stop - start));
	p->name = start;
	p->name_len = (size_t)((equals != NULL ? equals : stop) - start);
	p->value = equals != NULL ? equals + 1 : stop;
	p->value_len = (size_t)(stop - p->value);
	*at = stop;
	return true;
}

static enum err
add_field(mem_ctx *ctx, const struct piece *p, struct form *form)
{
	struct form_field	*field = &form->fields[form->n];
	size_t			 len;

	form->fault = "has too many fields";
	if (form->n == FORM_MAX_FIELDS)
		return ERR_BAD_REQUEST;
	form->fault = "is not percent-encoded UTF-8";
	TRY(decode(ctx, p->name, p->name_len, ' ', &field->name, &len));
	form->field = field->name;
	TRY(decode(ctx, p->value, p->value_len, ' ', &field->value, &field->len));
	form->fault = "is given twice";
	if (form_get(form, field->name) != NULL)
		return ERR_BAD_REQUEST;
	form->fault = form->field = NULL;
	form->n++;
	return OK;
}

/* An upper bound for the fields in n bytes; FORM_MAX_FIELDS at most. */
static size_t
field_room(const char *bytes, size_t n)
{
	size_t	room = 1;

	for (size_t i = 0; i < n && room < FORM_MAX_FIELDS; i++)
		room += bytes[i] == '&';
	return room;
}

enum err
form_parse(mem_ctx *ctx, const char *bytes, size_t n, struct form *out)
{
	const char	*end;
	struct piece	 p;

	*out = (struct form){ 0 };
	if (n == 0)
		return OK;
	end = bytes + n;
	out->fields = talloc_array(ctx, struct form_field, field_room(bytes, n));
	while (next_piece(&bytes, end, &p))
		TRY(add_field(ctx, &p, out));
	return OK;
}

/* Whether n encoded bytes are this name. Allocates nothing: a query may have thousands of other names. */
static bool
piece_is(const char *s, size_t n, const char *name)
{
	size_t	used;

	for (; n > 0 && *name != '\0'; s += used, n -= used, name++) {
		if (decode_one(s, n, ' ', &used) != (unsigned char)*name)
			return false;
	}
	return n == 0 && *name == '\0';
}

enum err
form_find(mem_ctx *ctx, const char *bytes, size_t n, const char *name, const char **out)
{
	const char	*end = n > 0 ? bytes + n : bytes;
	struct piece	 p;
	size_t		 len;

	*out = NULL;
	while (next_piece(&bytes, end, &p)) {
		if (!piece_is(p.name, p.name_len, name))
			continue;
		if (*out != NULL)
			return ERR_BAD_REQUEST;
		TRY(decode(ctx, p.value, p.value_len, ' ', out, &len));
	}
	return OK;
}

const char *
form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->fields[i].name, name) == 0)
			return f->fields[i].value;
	return NULL;
}

static void
escape(struct buf *b, const char *s, const char *plain)
{
	static const char	hex[] = "0123456789ABCDEF";
	unsigned char		c;

	for (; (c = (unsigned char)*s) != '\0'; s++) {
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr(plain, c) != NULL)
			buf_put(b, s, 1);
		else
			buf_put(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

void
form_put(struct buf *b, const char *name, const char *value)
{
	if (b->len > 0 && b->data[b->len - 1] != '?')
		buf_put(b, "&", 1);
	escape(b, name, "-._~[]");
	buf_put(b, "=", 1);
	escape(b, value, "-._~");
}

void
form_escape(struct buf *b, const char *s)
{
	escape(b, s, "-._~");
}

enum err
form_unescape(mem_ctx *ctx, const char *s, size_t n, const char **out)
{
	size_t	len;

	return decode(ctx, s, n, '+', out, &len);
}
