#include "connection.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "private/streaming.h"
#include "record.h"
#include "request.h"
#include "secret.h"

enum {
	POOL_BYTES	= 24 * 1024,	/* of memory allocated at once, enough for most requests */
	SEND_SECONDS	= 10,		/* a peer that reads nothing for this long counts as gone */
	DRAIN_MS	= 1000,
	DRAIN_BYTES	= 1 << 20,
	ID_LEN		= 22		/* base64url characters: 132 bits */
};

struct connection {
	mem_ctx			*mem;		/* this struct is on it too */
	int			fd;		/* -1 once libfcgi has closed it */
	int			*scratch;	/* of the thread that answers */
	int			stop;		/* readable once the server must stop */
	struct record		record;
	FCGX_Request		fcgi;
	bool			open;		/* a response can be sent */
	enum err		refusal;	/* OK: the application answers */
	struct http_req		q;
	struct http_res		r;
	struct stream		*stream;	/* of the connection; each r points to it */
	int64_t			started;
	bool			lingers;	/* is answered, and waits for the peer's end */
	int64_t			over;		/* until then */
	size_t			unread;		/* bytes that came since */
};

/* Logs nothing for a peer that connects and closes without sending: that is a health check. */
static void
log_refused(const struct record *record)
{
	static atomic_uint	total;

	if (record->why == NULL)
		return;
	log_line(LOG_WARN, "fastcgi_refused", LOG_TEXT("why", record->why),
	    LOG_INT("received", (int64_t)(record->params.len + record->body.len)),
	    LOG_INT("total", atomic_fetch_add(&total, 1) + 1));
}

int
connection_scratch(void)
{
	return memfd_create("request", MFD_CLOEXEC);
}

struct connection *
connection_new(int fd)
{
	static const struct timeval	patience = { .tv_sec = SEND_SECONDS };
	mem_ctx				*mem = mem_pool(POOL_BYTES);
	struct connection		*c = talloc_zero(mem, struct connection);

	*c = (struct connection){
		.mem = mem, .fd = fd,
		.q = { .mem = mem, .method = "-", .path = "/", .query = "", .remote_addr = "", .stream = &c->record }
	};
	record_init(&c->record, mem);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return c;
}

/* Throws away what has come. True once the peer has closed, or has had its time and its bytes. */
static bool
read_unread(struct connection *c)
{
	char	chunk[16384];
	ssize_t	n = 1;

	while (n > 0 && c->unread < DRAIN_BYTES) {
		n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		c->unread += n > 0 ? (size_t)n : 0;
	}
	return n >= 0 || (errno != EAGAIN && errno != EINTR) || deadline_left(c->over) == 0;
}

bool
connection_read(struct connection *c)
{
	return c->lingers ? read_unread(c) : record_read(&c->record, c->fd) != RECORD_MORE;
}

bool
connection_lingers(const struct connection *c)
{
	return c->lingers;
}

size_t
connection_bytes(const struct connection *c)
{
	return c->record.params.len + c->record.body.len;
}

int
connection_fd(const struct connection *c)
{
	return c->fd;
}

int64_t
connection_deadline(const struct connection *c)
{
	return c->lingers ? c->over : record_deadline(&c->record);
}

void
connection_excuse(struct connection *c, int64_t ms)
{
	c->record.began += ms;
	c->over += ms;
}

/* Puts the checked head where libfcgi will read it. */
static bool
store_head(struct connection *c, bool with_params)
{
	struct buf	head = { .ctx = c->q.mem };

	if (*c->scratch < 0)
		*c->scratch = connection_scratch();
	record_head(&c->record, with_params, &head);
	return ftruncate(*c->scratch, 0) == 0 && pwrite(*c->scratch, head.data, head.len, 0) == (ssize_t)head.len &&
	    lseek(*c->scratch, 0, SEEK_SET) == 0;
}

/*
 * Lets libfcgi parse the head from the scratch file and then write to the peer. With keepConnection it closes neither
 * descriptor unless something fails; with detached it does not wait for the peer when it closes one.
 */
static bool
open_fcgi(struct connection *c, bool with_params)
{
	if (!store_head(c, with_params)) {
		log_line(LOG_ERROR, "scratch", LOG_TEXT("error", strerrorname_np(errno)));
		return false;
	}
	FCGX_InitRequest(&c->fcgi, -1, 0);
	c->fcgi.ipcFd = *c->scratch;
	c->fcgi.keepConnection = 1;
	if (FCGX_Accept_r(&c->fcgi) != 0) {
		log_line(LOG_ERROR, "fastcgi_parse", LOG_INT("bytes", (int64_t)c->record.params.len));
		*c->scratch = -1;
		return false;
	}
	c->fcgi.ipcFd = c->fd;
	c->fcgi.keepConnection = 1;
	c->fcgi.detached = 1;
	return true;
}

/* Copies, because libfcgi frees its own before the request is logged. */
static void
copy_params(struct connection *c)
{
	struct http_param	*params = talloc_array(c->q.mem, struct http_param, HTTP_MAX_PARAMS + 1);
	char			*name, *equals;

	for (char **p = c->fcgi.envp; *p != NULL && c->q.n_params <= HTTP_MAX_PARAMS; p++) {
		name = mem_copy(params, *p, strlen(*p));
		equals = strchr(name, '=');
		*equals = '\0';
		params[c->q.n_params++] = (struct http_param){ name, equals + 1 };
	}
	c->q.params = params;
}

static enum err
set_id(struct http_req *q)
{
	struct secret	random;

	q->id = "";
	TRY(secret_random(&random));
	q->id = mem_copy(q->mem, secret_base64url(q->mem, &random), ID_LEN);
	log_request(q->id);
	return OK;
}

static void
new_response(struct connection *c)
{
	c->r = (struct http_res){ .mem = c->mem, .stream = c->stream };
}

static void
refuse(struct connection *c, const struct serve_calls *calls, enum err why)
{
	new_response(c);
	calls->refuse(calls->app, &c->q, &c->r, why);
}

/* Replaces a missing or invalid response by an error page, and an invalid error page by a bare sentence. */
static void
repair(struct connection *c, const struct serve_calls *calls)
{
	static const char	sentence[] = "Internal error\n";

	if (c->r.status != 0 && !c->r.invalid)
		return;
	log_line(LOG_ERROR, "response_invalid", LOG_TEXT("route", c->r.route), LOG_INT("status", c->r.status));
	refuse(c, calls, ERR_INTERNAL);
	if (c->r.status != 0 && !c->r.invalid)
		return;
	new_response(c);
	http_body(&c->r, 500, "text/plain; charset=utf-8", sentence, sizeof(sentence) - 1);
}

/* Everything before the application's turn: checks and parses the request, and sets open and refusal. */
static void
prepare(struct connection *c)
{
	enum err	checked = c->record.state == RECORD_WHOLE ? record_check(&c->record) : ERR_CLOSED;

	c->started = clock_ms();
	if (c->record.state == RECORD_WHOLE && checked == ERR_CLOSED)
		c->record.why = "lengths";
	if (checked == ERR_CLOSED)
		log_refused(&c->record);
	c->open = checked != ERR_CLOSED && open_fcgi(c, checked == OK);
	if (!c->open)
		return;
	c->refusal = set_id(&c->q);
	copy_params(c);
	if (checked == OK)
		checked = request_read(&c->q);
	if (c->refusal == OK)
		c->refusal = checked;
	c->stream = stream_new(c->mem, c->fd, c->stop, c->record.id, strcmp(c->q.method, "HEAD") == 0);
	new_response(c);
}

/* Hands all requests over in one call, so that the application can do their work together. */
static void
handle(struct connection **all, size_t n, const struct serve_calls *calls)
{
	struct http_exchange	exchanges[SERVE_TOGETHER];
	size_t			ours = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i]->open && all[i]->refusal == OK)
			exchanges[ours++] = (struct http_exchange){ &all[i]->q, &all[i]->r };
	}
	if (ours > 0)
		calls->handle(calls->app, exchanges, ours);
}

static void
write_response(struct connection *c)
{
	const struct http_res	*r = &c->r;
	struct buf		 head = { .ctx = c->q.mem };

	buf_printf(&head, "Status: %d\r\n", r->status);
	buf_put(&head, r->head.data, r->head.len);
	if (r->status != 304)		/* where it would be the length of what was not sent */
		buf_printf(&head, "Content-Length: %zu\r\n", r->body.len);
	buf_puts(&head, "\r\n");
	FCGX_PutStr(head.data, (int)head.len, c->fcgi.out);
	if (strcmp(c->q.method, "HEAD") != 0)
		FCGX_PutStr(r->body.data, (int)r->body.len, c->fcgi.out);
}

static void
end_response(struct connection *c)
{
	/* After a failed or timed-out write, do not wait again to write the last record. */
	if (FCGX_GetError(c->fcgi.out) != 0)
		shutdown(c->fd, SHUT_RDWR);
	FCGX_Finish_r(&c->fcgi);
	c->fd = c->fcgi.ipcFd;
}

/*
 * The response was written by stream.c, so libfcgi has nothing to write and only frees what it holds. When the client
 * is gone it closes the connection too.
 */
static void
end_stream(struct connection *c)
{
	if (stream_begun(&c->r))
		stream_end(c->stream);
	FCGX_Free(&c->fcgi, stream_is_gone(c->stream));
	c->fd = c->fcgi.ipcFd;
}

static void
log_response(const struct connection *c)
{
	const struct log_field	fields[] = {
		LOG_TEXT("method", c->q.method), LOG_TEXT("route", c->r.route ? c->r.route : "-"),
		LOG_INT("status", c->fd < 0 ? err_info(ERR_CLOSED)->status : c->r.status),
		LOG_INT("ms", clock_ms() - c->started), LOG_INT("streamed", stream_sent(c->stream)),
	};
	unsigned		n = sizeof(fields) / sizeof(fields[0]);

	log_fields(LOG_INFO, "request", fields, stream_sent(c->stream) < 0 ? n - 1 : n);
}

/* Whether the peer has sent more than we have read. */
static bool
has_unread(const struct connection *c)
{
	char	byte;

	return c->record.phase != RECORD_END || recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

static void
answer(struct connection *c, const struct serve_calls *calls)
{
	log_request(c->q.id);
	if (c->refusal != OK)
		refuse(c, calls, c->refusal);
	if (stream_begun(&c->r) || stream_is_gone(c->stream))
		end_stream(c);
	else {
		repair(c, calls);
		write_response(c);
		end_response(c);
	}
	log_response(c);
}

void
connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	talloc_free(c->mem);
}

void
connection_drop(struct connection *c)
{
	c->record.why = "crowded";
	if (!c->lingers)
		log_refused(&c->record);
	connection_close(c);
}

/* Whether it lingers; else it is closed. */
static bool
finish(struct connection *c)
{
	c->lingers = c->open && c->fd >= 0 && has_unread(c);
	if (!c->lingers) {
		connection_close(c);
		return false;
	}
	shutdown(c->fd, SHUT_WR);
	c->over = deadline_after(DRAIN_MS);
	return true;
}

size_t
connection_answer(struct connection **all, size_t n, int *scratch, int stop, const struct serve_calls *calls)
{
	size_t	lingering = 0;

	for (size_t i = 0; i < n; i++) {
		all[i]->scratch = scratch;
		all[i]->stop = stop;
		prepare(all[i]);
	}
	handle(all, n, calls);
	log_hold(true);
	for (size_t i = 0; i < n; i++) {
		if (all[i]->open)
			answer(all[i], calls);
	}
	log_request(NULL);
	log_hold(false);
	for (size_t i = 0; i < n; i++) {
		if (finish(all[i]))
			all[lingering++] = all[i];
	}
	calls->after(calls->app);
	return lingering;
}

int64_t
connection_came(const struct connection *c)
{
	return c->record.began;
}
