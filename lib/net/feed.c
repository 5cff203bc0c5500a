#include "feed.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "deadline.h"
#include "private/handle.h"

enum { CONNECTIONS = 2 };	/* that a handle keeps, one for each of two hosts */

struct feed {
	struct https		*https;
	struct handle		handle;		/* none once the exchange is over */
	const char *const	*named;
	const char		**values;	/* of the named headers */
	enum feed_state		state;
	int			status;
	const char		*why;
	bool			headed;		/* the headers have come */
	bool			paused;		/* libcurl has bytes that there was no room for */
	bool			taken;		/* the body's bytes are the caller's until the next wait */
	struct buf		body;
};

static size_t
header_received(char *bytes, size_t size, size_t n, void *arg)
{
	struct feed	*f = arg;
	long		status = 0;

	/* The empty line, but not that of a 1xx. */
	curl_easy_getinfo(f->handle.easy, CURLINFO_RESPONSE_CODE, &status);
	f->headed |= status >= 200 && size * n <= 2 && (*bytes == '\r' || *bytes == '\n');
	return size * n;
}

static size_t
body_received(char *bytes, size_t size, size_t n, void *arg)
{
	struct feed	*f = arg;

	f->paused = f->body.len > 0 && f->body.len + size * n > FEED_WAITS;
	if (f->paused)
		return CURL_WRITEFUNC_PAUSE;
	buf_put(&f->body, bytes, size * n);
	return size * n;
}

static void
handle_end(struct feed *f)
{
	if (f->handle.easy == NULL)
		return;
	curl_multi_remove_handle(f->handle.multi, f->handle.easy);
	handle_give(f->https, HANDLE_FEED, f->handle);
	f->handle = (struct handle){ 0 };
}

static void
fail(struct feed *f, const char *why)
{
	handle_end(f);
	f->state = FEED_FAILED;
	if (f->why == NULL)	/* of an address that was refused */
		f->why = why;
}

void
feed_close(struct feed *f)
{
	if (f->handle.easy != NULL)
		fail(f, "the feed was closed");
	f->body.len = 0;
}

static void
feed_release(void *thing)
{
	handle_end(thing);
}

struct feed *
feed_open(struct https *h, mem_ctx *mem, const struct https_request *q, const char *const *named)
{
	struct feed	*f = talloc_zero(mem, struct feed);
	size_t		n = 0;
	CURL		*c;

	while (named[n] != NULL)
		n++;
	*f = (struct feed){
		.https = h, .handle = handle_take(h, HANDLE_FEED), .named = named, .body = { .ctx = f },
		.values = talloc_zero_array(f, const char *, n + 1)
	};
	c = f->handle.easy;
	handle_prepare(c, h, f, q, &f->why);
	handle_share_trust(c, h);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 0L);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);	/* feed_wait() itself sees that the program stops */
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);	/* a name server that is silent must not hold up feed_close() */
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_received);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_received);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_multi_setopt(f->handle.multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS);
	mem_hang(f, f, feed_release);
	if (curl_multi_add_handle(f->handle.multi, c) != CURLM_OK)
		fail(f, "libcurl does not begin");
	return f;
}

static void
head_read(struct feed *f)
{
	long	status = 0;

	curl_easy_getinfo(f->handle.easy, CURLINFO_RESPONSE_CODE, &status);
	handle_headers(f->handle.easy, f, f->named, f->values);
	f->status = (int)status;
	f->state = FEED_OPEN;
}

/* libcurl takes headers that end with the connection for an answer. */
static void
finish(struct feed *f, CURLcode code)
{
	if (code != CURLE_OK || f->state == FEED_WAITING) {
		fail(f, code != CURLE_OK ? curl_easy_strerror(code) : "the headers are cut short");
		return;
	}
	handle_end(f);
	f->state = FEED_ENDED;
}

static bool
is_readable(int fd)
{
	struct pollfd	p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* Does what can be done without waiting. */
static void
step(struct feed *f)
{
	struct CURLMsg	*m;
	int		n;

	curl_multi_perform(f->handle.multi, &n);
	if (f->headed && f->state == FEED_WAITING)
		head_read(f);
	m = curl_multi_info_read(f->handle.multi, &n);
	if (m != NULL && m->msg == CURLMSG_DONE)
		finish(f, m->data.result);
}

static void
resume(struct feed *f)
{
	if (!f->paused || f->body.len > 0)
		return;
	f->paused = false;	/* body_received() may set it again, at once */
	curl_easy_pause(f->handle.easy, CURLPAUSE_CONT);
}

/*
 * libcurl reads once for each piece, so this does little else: the descriptors besides are in the one poll. Of a pipe
 * that was hung up libcurl says nothing there, so other_fd is asked again when nothing has come.
 */
bool
feed_wait(struct feed *f, int other_fd, int ms)
{
	const enum feed_state	before = f->state;
	const int64_t		until = deadline_after(ms);
	struct curl_waitfd	others[] = {
		{ .fd = handle_stop_fd(f->https), .events = CURL_WAIT_POLLIN }, { .fd = other_fd, .events = CURL_WAIT_POLLIN }
	};

	if (f->taken)
		f->body.len = 0;
	f->taken = false;
	resume(f);
	while (f->handle.easy != NULL && f->body.len == 0 && f->state == before) {
		curl_multi_poll(f->handle.multi, others, other_fd >= 0 ? 2 : 1, deadline_left(until), NULL);
		if (others[0].revents != 0)
			fail(f, "the program stops");
		else
			step(f);
		if (f->body.len == 0 && (deadline_left(until) == 0 || is_readable(other_fd)))
			break;
	}
	return is_readable(other_fd);
}

enum feed_state
feed_state(const struct feed *f)
{
	return f->state;
}

int
feed_status(const struct feed *f)
{
	return f->status;
}

const char *
feed_header(const struct feed *f, const char *name)
{
	for (size_t i = 0; f->named[i] != NULL; i++) {
		if (strcasecmp(f->named[i], name) == 0)
			return f->values[i];
	}
	return NULL;
}

const char *
feed_why(const struct feed *f)
{
	return f->state == FEED_FAILED ? f->why : NULL;
}

size_t
feed_take(struct feed *f, const char **bytes)
{
	size_t	n = f->taken ? 0 : f->body.len;

	*bytes = n > 0 ? f->body.data : "";
	f->taken = true;
	return n;
}
