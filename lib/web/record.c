#include "record.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "deadline.h"
#include "http.h"

enum {
	VERSION		= 1,
	TYPE_BEGIN	= 1,
	TYPE_ABORT	= 2,
	TYPE_END	= 3,
	TYPE_PARAMS	= 4,
	TYPE_STDIN	= 5,
	ROLE_RESPONDER	= 1,
	CANT_MULTIPLEX	= 1,
	BODY_SIZE	= 8,	/* of BEGIN and END */
	MAX_CONTENT	= 65528,
	MAX_READS	= 80	/* at once; the largest body takes fewer */
};

void
record_init(struct record *r, mem_ctx *mem)
{
	*r = (struct record){
		.params.ctx = mem, .body.ctx = mem, .reply.ctx = mem, .begin.ctx = mem, .began = clock_ms()
	};
}

static void
refuse(struct record *r, const char *why)
{
	r->state = RECORD_REFUSED;
	r->why = why;
}

static void
put_record(struct buf *out, int type, unsigned id, const void *content, size_t n)
{
	const uint8_t	header[RECORD_HEADER] = {
		VERSION, (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n
	};

	buf_put(out, header, sizeof(header));
	buf_put(out, content, n);
}

/* The 8 bytes of BEGIN's body have arrived. */
static void
begin_done(struct record *r)
{
	const uint8_t	*body = (const uint8_t *)r->begin.data;

	if ((body[0] << 8 | body[1]) != ROLE_RESPONDER)
		refuse(r, "role");
	r->phase = RECORD_PARAMS;
}

static void
stream_record(struct record *r, enum record_phase next, struct buf *sink)
{
	r->sink = sink;
	if (r->content > 0)
		return;
	r->phase = next;
	if (next == RECORD_END)
		r->state = RECORD_WHOLE;
}

/* A record of another request on our connection: its BEGIN is answered with CANT_MULTIPLEX, the rest skipped. */
static void
foreign_record(struct record *r, int type, unsigned id)
{
	static const uint8_t	body[BODY_SIZE] = { [4] = CANT_MULTIPLEX };

	r->sink = NULL;
	if (type == TYPE_BEGIN)
		put_record(&r->reply, TYPE_END, id, body, sizeof(body));
}

static void
header_done(struct record *r)
{
	const uint8_t	*h = r->header;
	unsigned	 id = (unsigned)h[2] << 8 | h[3];
	int		 type = h[1];

	r->have = 0;
	r->content = (size_t)h[4] << 8 | h[5];
	r->padding = h[6];
	if (h[0] != VERSION)
		refuse(r, "version");
	else if (id == 0)
		refuse(r, "management");
	else if (r->phase == RECORD_BEGIN && (type != TYPE_BEGIN || r->content != BODY_SIZE))
		refuse(r, "begin");
	else if (r->phase == RECORD_BEGIN) {
		r->id = id;
		r->sink = &r->begin;
	} else if (id != r->id)
		foreign_record(r, type, id);
	else if (type == TYPE_PARAMS && r->phase == RECORD_PARAMS)
		stream_record(r, RECORD_STDIN, &r->params);
	else if (type == TYPE_STDIN && r->phase == RECORD_STDIN)
		stream_record(r, RECORD_END, &r->body);
	else
		refuse(r, type == TYPE_ABORT ? "abort" : "type");
}

static size_t
take_header(struct record *r, const uint8_t *p, size_t n)
{
	size_t	used = RECORD_HEADER - r->have;

	if (used > n)
		used = n;
	memcpy(r->header + r->have, p, used);
	r->have += used;
	if (r->have == RECORD_HEADER)
		header_done(r);
	return used;
}

/* Whether n more bytes fit where this record's content goes; if not, the request is answered without the rest. */
static bool
has_room(struct record *r, size_t n)
{
	r->params_over = r->sink == &r->params && r->params.len + n > HTTP_MAX_HEADER_BYTES;
	r->body_over = r->sink == &r->body && r->body.len + n > RECORD_MAX_BODY;
	if (r->params_over || r->body_over)
		r->state = RECORD_WHOLE;
	return r->state == RECORD_MORE;
}

static size_t
take_content(struct record *r, const uint8_t *p, size_t n)
{
	size_t	used = n < r->content ? n : r->content;

	if (!has_room(r, used))
		return used;
	if (r->sink != NULL)
		buf_put(r->sink, p, used);
	r->content -= used;
	if (r->content == 0 && r->phase == RECORD_BEGIN)
		begin_done(r);
	return used;
}

static size_t
take_padding(struct record *r, size_t n)
{
	size_t	used = n < r->padding ? n : r->padding;

	r->padding -= used;
	return used;
}

enum record_state
record_feed(struct record *r, const void *bytes, size_t n)
{
	const uint8_t	*p = bytes;
	size_t		 used;

	for (; n > 0 && r->state == RECORD_MORE; p += used, n -= used) {
		if (r->content > 0)
			used = take_content(r, p, n);
		else if (r->padding > 0)
			used = take_padding(r, n);
		else
			used = take_header(r, p, n);
	}
	return r->state;
}

/* Without waiting: the peer should not have sent that request, so a reply that it does not read is lost. */
static void
send_reply(struct record *r, int fd)
{
	if (r->reply.len > 0)
		(void)!send(fd, r->reply.data, r->reply.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	r->reply.len = 0;
}

int64_t
record_deadline(const struct record *r)
{
	return r->began + (r->phase < RECORD_STDIN ? RECORD_HEAD_MS : RECORD_WHOLE_MS);
}

static bool
read_some(struct record *r, int fd)
{
	char	chunk[16384];
	ssize_t	n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0)
		record_feed(r, chunk, (size_t)n);
	else
		refuse(r, r->have > 0 || r->id > 0 ? "cut" : NULL);
	send_reply(r, fd);
	return true;
}

enum record_state
record_read(struct record *r, int fd)
{
	int	reads = 0;

	do {
		if (deadline_left(record_deadline(r)) == 0)
			refuse(r, "late");
	} while (r->state == RECORD_MORE && reads++ < MAX_READS && read_some(r, fd));
	return r->state;
}

/* One of a pair's two lengths, in one byte or four; false when bytes of it are missing. */
static bool
take_length(const uint8_t **p, const uint8_t *end, size_t *out)
{
	size_t	size = *p < end && **p & 0x80 ? 4 : 1;

	if ((size_t)(end - *p) < size)
		return false;
	*out = (*p)[0];
	if (size == 4)
		*out = (size_t)((*p)[0] & 0x7f) << 24 | (size_t)(*p)[1] << 16 | (size_t)(*p)[2] << 8 | (*p)[3];
	*p += size;
	return true;
}

static bool
is_name(const uint8_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t	c = s[i], lower = c | 0x20;

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return n > 0;
}

/* Whether a parameter holds input of the client; others, such as Apache's SERVER_SIGNATURE, may hold a newline. */
static bool
is_from_client(const uint8_t *name, size_t n)
{
	static const char *const	starts[] = { "HTTP_", "CONTENT_", "REQUEST_", "QUERY_" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (n > strlen(starts[i]) && memcmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static bool
is_value(const uint8_t *s, size_t n, bool from_client)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == 0 || (from_client && ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)))
			return false;
	return true;
}

enum err
record_check(const struct record *r)
{
	const uint8_t	*p = (const uint8_t *)r->params.data, *end;
	size_t		 name, value, pairs = 0;
	enum err	 e = OK;

	if (r->params_over)
		return ERR_HEADERS;
	if (r->params.len == 0)
		return OK;
	end = p + r->params.len;
	for (; p < end; p += name + value) {
		if (!take_length(&p, end, &name) || !take_length(&p, end, &value) ||
		    name > (size_t)(end - p) || value > (size_t)(end - p) - name)
			return ERR_CLOSED;
		if (++pairs > HTTP_MAX_PARAMS)
			return ERR_HEADERS;
		if (!is_name(p, name) || !is_value(p + name, value, is_from_client(p, name)))
			e = ERR_BAD_REQUEST;
	}
	return e;
}

void
record_head(const struct record *r, bool with_params, struct buf *out)
{
	static const uint8_t	begin[BODY_SIZE] = { [1] = ROLE_RESPONDER };
	size_t			len = with_params ? r->params.len : 0, n;

	put_record(out, TYPE_BEGIN, r->id, begin, sizeof(begin));
	for (size_t at = 0; at < len; at += n) {
		n = len - at < MAX_CONTENT ? len - at : MAX_CONTENT;
		put_record(out, TYPE_PARAMS, r->id, r->params.data + at, n);
	}
	put_record(out, TYPE_PARAMS, r->id, NULL, 0);
	put_record(out, TYPE_STDIN, r->id, NULL, 0);
}
