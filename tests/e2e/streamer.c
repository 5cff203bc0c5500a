/*
 * streamer: a program of streams alone, for the ways that a web server hands them on. What it is asked for:
 *
 *   /pieces    a piece, and another once the file that $RELEASE names is there
 *   /pings     a piece, then a comment twice a second until the client has left
 *   /silent    a piece, then nothing until the client has left
 *
 * Its log is the file that $LOG names. Without --listen it takes the socket from standard input.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"
#include "serve.h"
#include "stream.h"

enum { PING_MS = 500, PATIENCE_MS = 30000 };

static enum err
say(struct stream *s, const char *text)
{
	return stream_put(s, text, strlen(text));
}

/* Until the client leaves or the server must stop. */
static void
await_end(struct http_res *r, struct stream *s, bool pings)
{
	int64_t	end = deadline_after(PATIENCE_MS);

	while (!stream_gone(r) && !stream_draining(r) && deadline_left(end) > 0) {
		poll(&(struct pollfd){ .fd = stream_fd(r), .events = POLLIN }, 1, PING_MS);
		if (pings && say(s, ": ping\n\n") != OK)
			return;
	}
}

static void
await_release(struct http_res *r)
{
	int64_t	end = deadline_after(PATIENCE_MS);

	while (access(getenv("RELEASE"), F_OK) != 0 && !stream_gone(r) && deadline_left(end) > 0)
		usleep(10000);
}

static void
answer(struct http_req *q, struct http_res *r)
{
	struct stream	*s;

	r->route = "/stream";
	r->status = 200;
	http_header(r, "Content-Type", "text/event-stream");
	http_header(r, "Cache-Control", "no-store");
	http_header(r, "X-Accel-Buffering", "no");
	if (stream_begin(r, &s) != OK || say(s, "data: one\n\n") != OK)
		return;
	if (strcmp(q->path, "/pieces") == 0) {
		await_release(r);
		(void)!say(s, "data: two\n\n");
	} else
		await_end(r, s, strcmp(q->path, "/pings") == 0);
}

static void
handle(void *app, struct http_exchange *all, size_t n)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		answer(all[i].q, all[i].r);
}

static void
refuse(void *app, struct http_req *q, struct http_res *r, enum err why)
{
	(void)app, (void)q;
	r->status = err_info(why)->status;
}

static void
after(void *app)
{
	(void)app;
}

int
main(int argc, char **argv)
{
	const char			*where = argc == 3 && strcmp(argv[1], "--listen") == 0 ? argv[2] : NULL;
	const struct serve_options	options = {
		.listen_fd = where != NULL ? serve_listen(where) : serve_inherited(), .threads = where != NULL ? 8 : 1,
		.together = 1, .drain_ms = 2000
	};
	const struct serve_calls	calls = { handle, refuse, after, NULL };

	if (freopen(getenv("LOG"), "a", stderr) == NULL || options.listen_fd < 0)
		return 71;
	mem_init();
	log_open("streamer", LOG_INFO);
	return serve(&options, &calls) == OK ? 0 : 71;
}
