#include "sse.h"

#include <string.h>

struct sse {
	struct buf	line;		/* what has come of the current one */
	struct buf	name, data;	/* of the current event */
	struct buf	whole;		/* events to be read: each its lengths, then name and data with a NUL after each */
	size_t		read;		/* how much of it was */
	bool		has_data;	/* the current event has, though it may be empty */
	bool		begun;		/* a line has ended: none may begin with a byte order mark any more */
	bool		after_cr;	/* the last line ended with CR, whose LF may still come */
	bool		too_large;
};

struct lengths {
	size_t	name, data;
};

struct sse *
sse_new(mem_ctx *mem)
{
	struct sse	*s = talloc_zero(mem, struct sse);

	s->line.ctx = s->name.ctx = s->data.ctx = s->whole.ctx = s;
	return s;
}

static void
event_done(struct sse *s)
{
	const struct lengths	n = { s->name.len, s->data.len };

	if (s->has_data) {
		buf_put(&s->whole, &n, sizeof(n));
		buf_put(&s->whole, s->name.data, n.name);
		buf_put(&s->whole, "", 1);
		buf_put(&s->whole, s->data.data, n.data);
		buf_put(&s->whole, "", 1);
	}
	s->name.len = s->data.len = 0;
	s->has_data = false;
}

static void
data_put(struct sse *s, const char *value, size_t n)
{
	if (s->has_data)
		buf_put(&s->data, "\n", 1);
	buf_put(&s->data, value, n);
	s->has_data = true;
}

static void
name_put(struct sse *s, const char *value, size_t n)
{
	s->name.len = 0;
	buf_put(&s->name, value, n);
}

static void
field_done(struct sse *s, const char *line, size_t n)
{
	const char	*colon = memchr(line, ':', n);
	size_t		name = colon != NULL ? (size_t)(colon - line) : n, value = name < n ? name + 1 : n;

	if (value < n && line[value] == ' ')
		value++;
	if (name == 4 && memcmp(line, "data", name) == 0)
		data_put(s, line + value, n - value);
	else if (name == 5 && memcmp(line, "event", name) == 0)
		name_put(s, line + value, n - value);
}

static void
line_done(struct sse *s)
{
	static const char	mark[] = { '\xef', '\xbb', '\xbf' };
	size_t			skip = 0;

	if (!s->begun && s->line.len >= sizeof(mark) && memcmp(s->line.data, mark, sizeof(mark)) == 0)
		skip = sizeof(mark);
	s->begun = true;
	if (s->line.len == skip)
		event_done(s);
	else
		field_done(s, s->line.data + skip, s->line.len - skip);
	s->line.len = 0;
}

static size_t
line_length(const char *bytes, size_t n)
{
	size_t	len = 0;

	while (len < n && bytes[len] != '\n' && bytes[len] != '\r')
		len++;
	return len;
}

enum err
sse_put(struct sse *s, const char *bytes, size_t n)
{
	const char	*end = bytes + n;
	size_t		len;

	for (; bytes < end && !s->too_large; bytes++) {
		bool	is_rest = s->after_cr && *bytes == '\n';

		s->after_cr = false;
		if (is_rest)
			continue;
		len = line_length(bytes, (size_t)(end - bytes));
		s->too_large = s->name.len + s->data.len + s->line.len + len > SSE_MAX_EVENT;
		if (s->too_large)
			break;
		buf_put(&s->line, bytes, len);
		bytes += len;
		if (bytes == end)
			break;
		s->after_cr = *bytes == '\r';
		line_done(s);
	}
	return s->too_large ? ERR_TOO_LARGE : OK;
}

void
sse_end(struct sse *s)
{
	if (s->too_large)
		return;
	if (s->line.len > 0)
		line_done(s);
	event_done(s);
}

bool
sse_read(struct sse *s, struct sse_event *e)
{
	const char	*at;
	struct lengths	n;

	if (s->read == s->whole.len) {
		s->read = s->whole.len = 0;
		return false;
	}
	at = s->whole.data + s->read;
	memcpy(&n, at, sizeof(n));
	*e = (struct sse_event){ at + sizeof(n), at + sizeof(n) + n.name + 1, n.data };
	s->read += sizeof(n) + n.name + n.data + 2;
	return true;
}
