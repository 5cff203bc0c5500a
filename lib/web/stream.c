#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "deadline.h"
#include "private/streaming.h"
#include "record.h"

enum { TYPE_END = 3, TYPE_STDOUT = 6, END_SIZE = 8, CONTENT = 16 * 1024 /* of a record */, LOOK_MS = 250 };

struct stream {
	int		fd;		/* the connection's */
	int		stop;		/* readable once the server must stop */
	int		wake;		/* an epoll of both; -1 until it is asked for */
	unsigned	id;
	bool		is_head;
	bool		begun;
	bool		ended;
	bool		gone;
	int64_t		sent;
	struct buf	record;
};

struct stream *
stream_new(mem_ctx *mem, int fd, int stop, unsigned id, bool is_head)
{
	struct stream	*s = talloc_zero(mem, struct stream);

	*s = (struct stream){ .fd = fd, .stop = stop, .wake = -1, .id = id, .is_head = is_head, .record = { .ctx = s } };
	return s;
}

static void
wake_close(void *thing)
{
	struct stream	*s = thing;

	close(s->wake);
}

/*
 * The epoll waits for EPOLLRDHUP. EPOLLIN would report bytes that come after the request, for ever, because no code
 * reads them. A client that shuts down its sending side counts as gone, because its request has been read by then.
 */
int
stream_fd(const struct http_res *r)
{
	struct stream		*s = r->stream;
	struct epoll_event	left = { .events = EPOLLRDHUP }, stopped = { .events = EPOLLIN };

	if (s->wake >= 0)
		return s->wake;
	s->wake = epoll_create1(EPOLL_CLOEXEC);
	if (s->wake < 0)
		return -1;
	mem_hang(s, s, wake_close);
	epoll_ctl(s->wake, EPOLL_CTL_ADD, s->fd, &left);
	epoll_ctl(s->wake, EPOLL_CTL_ADD, s->stop, &stopped);
	return s->wake;
}

bool
stream_gone(struct http_res *r)
{
	struct pollfd	p = { .fd = r->stream->fd, .events = POLLRDHUP };

	r->stream->gone |= !r->stream->ended && poll(&p, 1, 0) > 0;
	return r->stream->gone;
}

static bool
is_draining(const struct stream *s)
{
	struct pollfd	p = { .fd = s->stop, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

bool
stream_draining(const struct http_res *r)
{
	return is_draining(r->stream);
}

bool
stream_begun(const struct http_res *r)
{
	return r->stream->begun;
}

bool
stream_is_gone(const struct stream *s)
{
	return s->gone;
}

int64_t
stream_sent(const struct stream *s)
{
	return s->begun ? s->sent : -1;
}

/* What the peer has not read yet. */
static int
unread(const struct stream *s)
{
	int	n = 0;

	return ioctl(s->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

/*
 * False: the peer is gone, or has read nothing for too long. poll() tells of room only once most of the buffer is free,
 * so a peer that reads slowly is seen by what it has left unread.
 */
static bool
await_room(const struct stream *s)
{
	struct pollfd	p = { .fd = s->fd, .events = POLLOUT | POLLRDHUP };
	int64_t		since = clock_ms();
	int		before = unread(s), now;

	while (deadline_left(since + (is_draining(s) ? STREAM_DRAIN_MS : STREAM_STALL_MS)) > 0) {
		if (poll(&p, 1, LOOK_MS) > 0)
			return p.revents == POLLOUT;
		now = unread(s);
		if (now < before)
			since = clock_ms();
		before = now;
	}
	return false;
}

static bool
send_all(const struct stream *s, const char *bytes, size_t n)
{
	ssize_t	sent;

	for (; n > 0; bytes += sent, n -= (size_t)sent) {
		sent = send(s->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0)
			continue;
		if ((errno != EAGAIN && errno != EINTR) || !await_room(s))
			return false;
		sent = 0;
	}
	return true;
}

static void
add_record(struct stream *s, int type, const void *content, size_t n)
{
	const uint8_t	header[RECORD_HEADER] = {
		1, (uint8_t)type, (uint8_t)(s->id >> 8), (uint8_t)s->id, (uint8_t)(n >> 8), (uint8_t)n
	};

	buf_put(&s->record, header, sizeof(header));
	buf_put(&s->record, content, n);
}

static void
send_records(struct stream *s)
{
	s->gone = s->gone || !send_all(s, s->record.data, s->record.len);
	s->record.len = 0;
}

static enum err
put(struct stream *s, const char *bytes, size_t n)
{
	for (size_t now; n > 0 && !s->gone; bytes += now, n -= now) {
		now = n < CONTENT ? n : CONTENT;
		add_record(s, TYPE_STDOUT, bytes, now);
		send_records(s);
	}
	return s->gone ? ERR_CLOSED : OK;
}

enum err
stream_begin(struct http_res *r, struct stream **out)
{
	const int	room = STREAM_WAITS / 2;	/* the kernel takes it twice */
	struct buf	head = { .ctx = r->mem };

	if (stream_gone(r))
		return ERR_CLOSED;
	if (r->status == 0 || r->invalid)
		return ERR_INTERNAL;
	setsockopt(r->stream->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	buf_printf(&head, "Status: %d\r\n", r->status);
	buf_put(&head, r->head.data, r->head.len);
	buf_puts(&head, "\r\n");
	*out = r->stream;
	(*out)->begun = true;
	return put(*out, head.data, head.len);
}

enum err
stream_put(struct stream *s, const char *bytes, size_t n)
{
	if (s->gone || s->ended)
		return ERR_CLOSED;
	if (s->is_head)
		return OK;
	TRY(put(s, bytes, n));
	s->sent += (int64_t)n;
	return OK;
}

/* An empty record is the end of STDOUT. */
void
stream_end(struct stream *s)
{
	static const uint8_t	complete[END_SIZE];

	if (s->ended)
		return;
	s->ended = true;
	add_record(s, TYPE_STDOUT, NULL, 0);
	add_record(s, TYPE_END, complete, sizeof(complete));
	send_records(s);
}
