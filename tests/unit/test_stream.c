/* stream: an answer that is written as it comes, to peers that read, stop reading, and leave. */
#include "http.h"

static bool handle_own(void *handled, struct http_req *q, struct http_res *r);
#define HANDLE_OWN handle_own

#include "server.h"

#include <poll.h>
#include <stdlib.h>

#include "stream.h"

#define HEAD "Status: 200\r\nContent-Type: text/event-stream\r\n\r\n"

enum { CHUNK = 4096, GO = 1000, PATIENCE_MS = 20000 };

/* Beside what is handled, the child counts in shared memory: the bytes that it could send, or how a stream ended. */
static void
count_up(void *handled, int n)
{
	atomic_fetch_add((atomic_int *)handled, n);
}

static void
await_count(const void *handled, int n)
{
	for (int64_t end = deadline_after(PATIENCE_MS); *(atomic_int *)handled < n && deadline_left(end) > 0;)
		usleep(2000);
}

static struct stream *
begin(struct http_res *r)
{
	struct stream	*s = NULL;

	r->status = 200;
	http_header(r, "Content-Type", "text/event-stream");
	return stream_begin(r, &s) == OK ? s : NULL;
}

static bool
await_wake(const struct http_res *r)
{
	struct pollfd	p = { .fd = stream_fd(r), .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

/* Sends until it cannot, at most so much. */
static void
flood(void *handled, struct stream *s, size_t most)
{
	char	bytes[CHUNK];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t n = 0; n < most && stream_put(s, bytes, sizeof(bytes)) == OK; n += sizeof(bytes))
		count_up(handled, sizeof(bytes));
}

/* The second piece, once the peer has the first. */
static void
handle_pieces(void *handled, struct http_res *r)
{
	struct stream	*s = begin(r);

	if (s == NULL || stream_put(s, "one", 3) != OK)
		return;
	await_count(handled, GO);
	if (stream_put(s, "", 0) == OK && stream_put(s, "two", 3) == OK)
		count_up(handled, GO);
}

/* The client leaves, before the head or after it. */
static void
handle_leaving(void *handled, struct http_res *r, bool begins)
{
	struct stream	*s = begins ? begin(r) : NULL;

	if (stream_gone(r) || (s != NULL && stream_put(s, "one", 3) != OK))
		return;
	count_up(handled, GO);
	if (!await_wake(r) || !stream_gone(r) || stream_draining(r))
		return;
	if (s == NULL ? stream_begin(r, &s) == ERR_CLOSED : stream_put(s, "two", 3) == ERR_CLOSED)
		count_up(handled, GO);
}

/* What follows the end is nobody's business but the handler's. */
static void
handle_ending(void *handled, struct http_res *r)
{
	struct stream	*s = begin(r);

	if (s == NULL || stream_put(s, "one", 3) != OK)
		return;
	stream_end(s);
	await_count(handled, GO);
	if (!stream_gone(r) && stream_put(s, "two", 3) == ERR_CLOSED)
		count_up(handled, GO);
}

static void
handle_draining(void *handled, struct http_res *r)
{
	struct stream	*s = begin(r);

	if (stream_draining(r))
		return;
	count_up(handled, GO);
	if (await_wake(r) && stream_draining(r) && !stream_gone(r) && stream_put(s, "stopping", 8) == OK)
		count_up(handled, GO);
}

/* Neither has sent anything, and both can still be answered. */
static void
handle_unready(struct http_res *r, bool with_status)
{
	struct stream	*s;

	if (with_status) {
		r->status = 200;
		http_header(r, "X-A", "b\nc");
	}
	if (stream_begin(r, &s) == ERR_INTERNAL && !stream_begun(r) && !with_status)
		answer_text(r, "not begun");
}

static bool
handle_own(void *handled, struct http_req *q, struct http_res *r)
{
	if (strcmp(q->path, "/pieces") == 0)
		handle_pieces(handled, r);
	else if (strcmp(q->path, "/leaving") == 0)
		handle_leaving(handled, r, true);
	else if (strcmp(q->path, "/leaving-early") == 0)
		handle_leaving(handled, r, false);
	else if (strcmp(q->path, "/ending") == 0)
		handle_ending(handled, r);
	else if (strcmp(q->path, "/draining") == 0)
		handle_draining(handled, r);
	else if (strcmp(q->path, "/flood") == 0)
		flood(handled, begin(r), LARGE);
	else if (strcmp(q->path, "/much") == 0)
		flood(handled, begin(r), 50 * CHUNK);
	else if (strcmp(q->path, "/at-once") == 0)
		(void)!stream_put(begin(r), talloc_zero_size(q->mem, 200000), 200000);
	else if (strcmp(q->path, "/no-status") == 0 || strcmp(q->path, "/bad-header") == 0)
		handle_unready(r, q->path[1] == 'b');
	else
		return false;
	return true;
}

static int
ask_for(struct server *s, const char *method, const char *uri)
{
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);

	put_request(&b, 1, method, uri, "", NULL);
	send_all(fd, &b);
	return fd;
}

/* Reads until what has come so far ends with this. */
static void
receive_until(struct server *s, int fd, const char *end)
{
	struct buf	all = { .ctx = s->mem };
	char		byte;

	do {
		assert_int_equal(read(fd, &byte, 1), 1);
		buf_put(&all, &byte, 1);
	} while (all.len < strlen(end) || memcmp(all.data + all.len - strlen(end), end, strlen(end)) != 0);
}

/* The line of the one request is the last thing that is done for it. */
static const char *
await_log(struct server *s, unsigned lines)
{
	const char	*log;

	for (int64_t end = deadline_after(PATIENCE_MS); count(log = read_log(s), "\"event\":\"request\"") < lines;) {
		assert_true(deadline_left(end) > 0);
		usleep(10000);
	}
	return log;
}

static void
test_c78_each_piece_is_sent_at_once_and_the_answer_has_no_length(void **state)
{
	struct server	*s = *state;
	struct reply	reply;
	int		fd = ask_for(s, "GET", "/pieces");
	int64_t		from = clock_ms();

	receive_until(s, fd, "one");
	assert_in_range(clock_ms() - from, 0, PATIENCE_MS / 2);
	count_up(s->handled, GO);
	reply = receive(s, fd, 1);
	assert_string_equal(reply.out.data, "two");
	assert_int_equal(reply.ended, 0);
	assert_int_equal(*s->handled, 2 * GO + 1);
	assert_non_null(strstr(await_log(s, 1), "\"route\":\"/pattern\",\"status\":200,\"ms\":"));
	assert_non_null(strstr(read_log(s), "\"streamed\":6}"));
	still_serves(s);
	assert_int_equal(count(await_log(s, 2), "streamed"), 1);
}

static void
test_c78_the_head_comes_before_the_body_and_large_pieces_come_whole(void **state)
{
	struct server	*s = *state;
	struct reply	reply;

	reply = receive(s, ask_for(s, "GET", "/at-once"), 1);
	assert_true(starts_with(reply.out.data, HEAD));
	assert_int_equal(reply.out.len, strlen(HEAD) + 200000);
	assert_int_equal(reply.ended, 0);
}

static void
test_f17_in_answer_to_head_there_is_no_body(void **state)
{
	struct server	*s = *state;

	assert_string_equal(call(s, "HEAD", "/at-once", ""), HEAD);
	assert_non_null(strstr(await_log(s, 1), "\"streamed\":0}"));
}

static void
test_f19_what_cannot_begin_is_answered_otherwise(void **state)
{
	struct server	*s = *state;

	assert_true(ends_with(call(s, "GET", "/no-status", ""), "\r\n\r\nnot begun"));
	assert_true(starts_with(call(s, "GET", "/bad-header", ""), "Status: 500\r\n"));
	assert_int_equal(count(read_log(s), "response_invalid"), 1);
}

static void
test_f140_an_answer_can_end_before_its_handler(void **state)
{
	static const char	end[] = "\1\6\0\1\0\0\0\0" "\1\3\0\1\0\10\0\0" "\0\0\0\0\0\0\0";	/* and a NUL */
	struct server		*s = *state;
	int			fd = ask_for(s, "GET", "/ending");
	char			bytes[sizeof(end)];

	receive_until(s, fd, "one");
	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(end));
	assert_memory_equal(bytes, end, sizeof(end));
	close(fd);
	count_up(s->handled, GO);
	assert_non_null(strstr(await_log(s, 1), "\"status\":200,"));
	assert_int_equal(*s->handled, 2 * GO + 1);
	still_serves(s);
}

/* Of a peer that closes, the kernel says more than of one that has only nothing more to send. */
static void
leave(struct server *s, const char *uri, bool closes)
{
	int	fd = ask_for(s, "GET", uri);
	int64_t	from;

	await_count(s->handled, GO);
	from = clock_ms();
	if (closes)
		close(fd);
	else
		shutdown(fd, SHUT_WR);
	await_count(s->handled, 2 * GO);
	assert_in_range(clock_ms() - from, 0, 1000);
	assert_int_equal(*s->handled, 2 * GO + 1);
	assert_non_null(strstr(await_log(s, 1), "\"route\":\"/pattern\",\"status\":499,"));
	assert_null(strstr(read_log(s), "response_invalid"));
	if (!closes)
		close(fd);
	still_serves(s);
}

static void
test_f136_a_client_that_leaves_is_noticed_while_nothing_is_sent(void **state)
{
	struct server	*s = *state;

	leave(s, "/leaving", true);
	assert_non_null(strstr(read_log(s), "\"streamed\":3}"));
}

static void
test_f136_a_client_that_leaves_before_the_head_is_noticed_too(void **state)
{
	struct server	*s = *state;

	leave(s, "/leaving-early", false);
	assert_null(strstr(read_log(s), "streamed"));
}

/* More than it may send waits in no buffer of ours, and the kernel's is small. */
static void
test_f137_a_peer_that_stops_reading_is_given_up_after_ten_seconds(void **state)
{
	struct server	*s = *state;
	int		fd = ask_for(s, "GET", "/flood");
	int64_t		from = clock_ms();

	assert_non_null(strstr(await_log(s, 1), "\"status\":499,"));
	assert_in_range(clock_ms() - from, 9500, 15000);
	assert_in_range(*s->handled, CHUNK, STREAM_WAITS);
	close(fd);
	still_serves(s);
}

/* poll() would tell of room after 12 seconds only. */
static void
test_f137_a_peer_that_reads_slowly_gets_everything(void **state)
{
	struct server	*s = *state;
	struct buf	all = { .ctx = s->mem };
	int		fd = ask_for(s, "GET", "/much");
	char		bytes[CHUNK];
	int64_t		until = deadline_after(13000);
	ssize_t		n;

	while ((n = read(fd, bytes, deadline_left(until) > 0 ? 1400 : sizeof(bytes))) > 0) {
		buf_put(&all, bytes, (size_t)n);
		usleep(deadline_left(until) > 0 ? 500000 : 0);
	}
	close(fd);
	assert_int_equal(read_reply(s->mem, &all, 1).out.len, strlen(HEAD) + 50 * CHUNK);
	assert_int_equal(read_reply(s->mem, &all, 1).ended, 0);
}

static void
test_f137_a_peer_that_leaves_while_it_does_not_read_is_noticed(void **state)
{
	struct server	*s = *state;
	int		fd = ask_for(s, "GET", "/flood");
	int64_t		from;

	await_count(s->handled, CHUNK);
	usleep(200000);
	from = clock_ms();
	shutdown(fd, SHUT_WR);
	assert_non_null(strstr(await_log(s, 1), "\"status\":499,"));
	assert_in_range(clock_ms() - from, 0, 1000);
	close(fd);
}

static void
test_f139_open_streams_are_told_and_end_with_words_of_their_own(void **state)
{
	struct server	*s = *state;
	int		fd[2] = { ask_for(s, "GET", "/draining"), ask_for(s, "GET", "/draining") };

	await_count(s->handled, 2 * GO);
	kill(s->pid, SIGTERM);
	for (size_t i = 0; i < LENGTH(fd); i++) {
		struct reply	reply = receive(s, fd[i], 1);

		assert_string_equal(reply.out.data, HEAD "stopping");
		assert_int_equal(reply.ended, 0);
	}
	assert_in_range(wait_for_end(s), 0, 1000);
	assert_int_equal(*s->handled, 4 * GO + 2);
}

static void
test_f139_a_peer_that_does_not_read_does_not_hold_up_the_end(void **state)
{
	struct server	*s = *state;
	int		fd = ask_for(s, "GET", "/flood");

	await_count(s->handled, CHUNK);
	usleep(200000);
	kill(s->pid, SIGTERM);
	assert_in_range(wait_for_end(s), STREAM_DRAIN_MS / 2, 2500);
	close(fd);
	assert_non_null(strstr(read_log(s), "\"status\":499,"));
	assert_null(strstr(read_log(s), "unfinished"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		WITH(start_server, test_c78_each_piece_is_sent_at_once_and_the_answer_has_no_length),
		WITH(start_server, test_c78_the_head_comes_before_the_body_and_large_pieces_come_whole),
		WITH(start_server, test_f17_in_answer_to_head_there_is_no_body),
		WITH(start_server, test_f140_an_answer_can_end_before_its_handler),
		WITH(start_server, test_f19_what_cannot_begin_is_answered_otherwise),
		WITH(start_server, test_f136_a_client_that_leaves_is_noticed_while_nothing_is_sent),
		WITH(start_server, test_f136_a_client_that_leaves_before_the_head_is_noticed_too),
		WITH(start_one_thread, test_f137_a_peer_that_stops_reading_is_given_up_after_ten_seconds),
		WITH(start_one_thread, test_f137_a_peer_that_reads_slowly_gets_everything),
		WITH(start_one_thread, test_f137_a_peer_that_leaves_while_it_does_not_read_is_noticed),
		WITH(start_server, test_f139_open_streams_are_told_and_end_with_words_of_their_own),
		WITH(start_one_thread, test_f139_a_peer_that_does_not_read_does_not_hold_up_the_end),
	};

	mem_init();
	log_open("test_stream", LOG_INFO);
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
