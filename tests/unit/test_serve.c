/* serve: the whole of it in a process of its own, driven over a real socket by a client that may do anything. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ask.h"
#include "deadline.h"
#include "fcgi.h"
#include "log.h"
#include "serve.h"

enum { LARGE = 4 << 20 };

struct server {
	mem_ctx		*mem;
	char		dir[32];
	char		path[64];
	char		log[64];
	pid_t		pid;
	atomic_int	*handled;	/* in memory shared with the child */
	int		threads, together, drain_ms;
	rlim_t		files;		/* descriptors the child may have, 0: as many as it likes */
};

static void
answer_text(struct http_res *r, const char *text)
{
	http_body(r, 200, "text/plain", text, strlen(text));
}

static void
answer_body(struct http_req *q, struct http_res *r)
{
	enum err	e = http_read_body(q, 100000);

	http_body(r, err_info(e)->status, "text/plain", q->body != NULL ? q->body : "", q->body_len);
}

static void
answer_request(struct http_req *q, struct http_res *r)
{
	const char	*a = form_get(&q->query, "a");

	answer_text(r, mem_printf(q->mem, "%s %s %s %zu %s", q->method, q->path, q->remote_addr, strlen(q->id), a ? a : "-"));
}

static void
handle_one(void *handled, struct http_req *q, struct http_res *r, size_t n)
{
	atomic_fetch_add((atomic_int *)handled, 1);
	r->route = "/pattern";
	if (strcmp(q->path, "/body") == 0)
		answer_body(q, r);
	else if (strcmp(q->path, "/together") == 0)
		answer_text(r, mem_printf(q->mem, "%zu", n));
	else if (strcmp(q->path, "/slow") == 0 && usleep(400000) == 0)
		answer_text(r, "slow");
	else if (strcmp(q->path, "/stuck") == 0 && usleep(20000000) == 0)
		answer_text(r, "late");
	else if (strcmp(q->path, "/header") == 0)
		http_header(r, "X-A", "b\r\nSet-Cookie: c=d");
	else if (strcmp(q->path, "/large") == 0)
		http_body(r, 200, "text/plain", talloc_zero_size(q->mem, LARGE), LARGE);
	else if (strcmp(q->path, "/nothing") != 0)
		answer_request(q, r);
}

static void
handle(void *handled, struct http_exchange *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		handle_one(handled, all[i].q, all[i].r, n);
}

static void
refuse(void *handled, struct http_req *q, struct http_res *r, enum err why)
{
	const char	*text = mem_printf(q->mem, "refused %s %s", err_info(why)->name, q->path);

	(void)handled;
	http_body(r, err_info(why)->status, "text/plain", text, strlen(text));
}

static void
after(void *handled)
{
	(void)handled;
}

/* What is written on stderr goes to the log file until restored. */
static int
redirect_stderr(const struct server *s)
{
	int	saved = dup(STDERR_FILENO), fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
	return saved;
}

static void
restore_stderr(int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void
run(const struct server *s)
{
	const struct serve_options	options = { serve_listen(s->path), s->threads, s->together, s->drain_ms };
	const struct serve_calls	calls = { handle, refuse, after, s->handled };

	close(redirect_stderr(s));
	if (s->files > 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ s->files, s->files });
	_exit(serve(&options, &calls) == OK ? 0 : 1);
}

static void
start(struct server *s)
{
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		run(s);
}

static int
make_server(void **state)
{
	struct server	*s = talloc_zero(NULL, struct server);

	s->mem = mem_new();
	s->threads = 4;
	s->together = 1;
	s->drain_ms = 3000;
	strcpy(s->dir, "/tmp/test_serve.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	s->handled = mmap(NULL, sizeof(*s->handled), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = s;
	return 0;
}

static int
start_server(void **state)
{
	make_server(state);
	start(*state);
	return 0;
}

static int
start_one_thread(void **state)
{
	make_server(state);
	((struct server *)*state)->threads = 1;
	start(*state);
	return 0;
}

static int
start_together(void **state)
{
	make_server(state);
	((struct server *)*state)->threads = 1;
	((struct server *)*state)->together = 8;
	start(*state);
	return 0;
}

/* Milliseconds until the child has ended; its exit status must be 0. */
static int64_t
wait_for_end(struct server *s)
{
	int64_t	from = clock_ms();
	int	status = -1;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return clock_ms() - from;
}

static int
end_server(void **state)
{
	static const char *const	names[] = { "s", "s.lock", "log", "t", "t.lock" };
	struct server			*s = *state;
	char				path[64];

	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		wait_for_end(s);
	}
	for (size_t i = 0; i < LENGTH(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
	talloc_free(s->mem);
	return talloc_free(s);
}

/* A connection, once the child listens. */
static int
join(const struct server *s)
{
	struct sockaddr_un	a = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, s->path);
	for (int tries = 0; tries < 300; tries++) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		usleep(10000);
	}
	fail_msg("connect: %s", strerror(errno));
	return -1;
}

static void
send_all(int fd, const struct buf *b)
{
	assert_int_equal(send(fd, b->data, b->len, MSG_NOSIGNAL), b->len);
}

/* What comes until the other side closes. */
static struct reply
receive(struct server *s, int fd, unsigned id)
{
	struct buf	all = { .ctx = s->mem };
	char		chunk[65536];
	ssize_t		n;

	buf_put(&all, "", 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&all, chunk, (size_t)n);
	close(fd);
	return read_reply(s->mem, &all, id);
}

static const char *
exchange(struct server *s, const struct buf *b)
{
	int	fd = join(s);

	send_all(fd, b);
	return receive(s, fd, 1).out.data;
}

static const char *
call(struct server *s, const char *method, const char *uri, const char *body)
{
	struct buf	b = { .ctx = s->mem };

	put_request(&b, 1, method, uri, body, NULL);
	return exchange(s, &b);
}

static bool
starts_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

static bool
ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static void
still_serves(struct server *s)
{
	assert_true(starts_with(call(s, "GET", "/", ""), "Status: 200\r\n"));
}

/* The child's log so far. */
static const char *
read_log(struct server *s)
{
	struct buf	b = { .ctx = s->mem };
	char		chunk[4096];
	FILE		*f = fopen(s->log, "r");
	size_t		n;

	buf_put(&b, "", 0);
	while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(&b, chunk, n);
	if (f != NULL)
		fclose(f);
	return b.data;
}

static unsigned
count(const char *text, const char *what)
{
	unsigned	n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void
test_a_request_is_handed_over_and_answered(void **state)
{
	struct server	*s = *state;

	assert_string_equal(call(s, "GET", "/a%20b?a=c+d", ""),
	    "Status: 200\r\nContent-Type: text/plain\r\nContent-Length: 25\r\n\r\nGET /a b 192.0.2.1 22 c d");
	assert_int_equal(*s->handled, 1);
}

static void
test_f34_the_log_has_the_route_and_nothing_the_client_wrote(void **state)
{
	struct server	*s = *state;
	const char	*log;

	call(s, "GET", "/secret?token=hidden", "");
	call(s, "hidden", "/", "");
	kill(s->pid, SIGTERM);
	wait_for_end(s);
	log = read_log(s);
	assert_non_null(strstr(log, "\"event\":\"request\",\"request\":\""));
	assert_non_null(strstr(log, "\"method\":\"GET\",\"route\":\"/pattern\",\"status\":200,\"ms\":"));
	assert_non_null(strstr(log, "\"status\":405"));
	assert_null(strstr(log, "secret"));
	assert_null(strstr(log, "hidden"));
}

static void
test_c30_the_body_arrives_byte_for_byte(void **state)
{
	struct server	*s = *state;
	char		*body = talloc_size(s->mem, 100001);

	for (int i = 0; i < 100000; i++)
		body[i] = (char)(1 + i % 255);
	body[100000] = '\0';
	assert_true(ends_with(call(s, "POST", "/body", body), body));
}

static void
test_f08_a_body_over_the_limit_is_answered(void **state)
{
	struct server	*s = *state;
	char		*body = talloc_size(s->mem, 2000001);

	memset(body, 'a', 2000000);
	body[100001] = '\0';
	assert_true(starts_with(call(s, "POST", "/body", body), "Status: 413\r\n"));
	body[100001] = 'a';
	body[2000000] = '\0';
	assert_true(starts_with(call(s, "POST", "/body", body), "Status: 413\r\n"));
	still_serves(s);
}

static void
test_f17_head_has_the_length_and_no_body(void **state)
{
	struct server	*s = *state;
	const char	*out = call(s, "HEAD", "/", "");

	assert_string_equal(out, "Status: 200\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\n");
}

static void
test_f01_f04_f10_f11_refusals_look_as_the_application_wants(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, more = { .ctx = s->mem };
	char		*value = talloc_size(s->mem, 70000);

	assert_true(ends_with(call(s, "TRACE", "/a", ""), "\r\n\r\nrefused method /"));
	assert_true(starts_with(call(s, "get", "/a", ""), "Status: 405\r\nAllow: GET, HEAD, POST\r\n"));
	assert_true(ends_with(call(s, "GET", "/%00", ""), "\r\n\r\nrefused bad_request /"));
	assert_true(ends_with(call(s, "GET", "/a%2fb", ""), "\r\n\r\nrefused not_found /"));
	put_pair(&more, "HTTP_X-Y", 8, "", 0);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 400\r\n"));
	b.len = more.len = 0;
	memset(value, 'a', 70000);
	put_pair(&more, "HTTP_A", 6, value, 70000);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 431\r\n"));
	assert_int_equal(*s->handled, 0);
}

static void
test_f10_sixty_four_kib_of_headers_pass(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, more = { .ctx = s->mem };
	char		*value = talloc_size(s->mem, 65000);

	memset(value, 'a', 65000);
	put_pair(&more, "HTTP_A", 6, value, 65000);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 200\r\n"));
}

static void
test_f19_a_header_with_a_line_end_becomes_a_500(void **state)
{
	struct server	*s = *state;

	assert_string_equal(call(s, "GET", "/header", ""),
	    "Status: 500\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n\r\nrefused internal /header");
	assert_true(starts_with(call(s, "GET", "/nothing", ""), "Status: 500\r\n"));
	assert_int_equal(count(read_log(s), "response_invalid"), 2);
}

/* Sends, and says that no more will come; the server must close without a word. */
static void
turned_away(struct server *s, const struct buf *b)
{
	int	fd = join(s);

	send_all(fd, b);
	shutdown(fd, SHUT_WR);
	assert_int_equal(receive(s, fd, 1).out.len, 0);
}

static void
test_f21_f22_f23_what_is_no_request_is_turned_away(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };

	put_begin(&b, 0, 1, 0);
	turned_away(s, &b);
	b.len = 0;
	put_begin(&b, 1, 2, 0);
	turned_away(s, &b);
	b.len = 0;
	put_record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS", 64);
	turned_away(s, &b);
	b.len = 0;
	put_begin(&b, 1, 1, 0);
	put_stream(&b, PARAMS, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	put_stream(&b, STDIN, 1, "", 0);
	turned_away(s, &b);
	still_serves(s);
	assert_int_equal(*s->handled, 1);
	assert_int_equal(count(read_log(s), "fastcgi_refused"), 4);
}

static void
test_f24_a_silent_and_a_dribbling_peer_are_dropped_after_two_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		silent = join(s), dribbling, sent = 0;
	int64_t		from = clock_ms();

	put_request(&b, 1, "GET", "/", "", NULL);
	assert_int_equal(receive(s, silent, 1).out.len, 0);
	assert_in_range(clock_ms() - from, 1900, 4000);
	dribbling = join(s);
	from = clock_ms();
	while (send(dribbling, b.data + sent++, 1, MSG_NOSIGNAL) == 1)
		usleep(40000);
	assert_in_range(clock_ms() - from, 1900, 4000);
	close(dribbling);
	still_serves(s);
	assert_int_equal(*s->handled, 1);
}

static void
test_f24_a_peer_that_sends_without_end_is_dropped_after_two_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);
	int64_t		from = clock_ms();

	put_begin(&b, 1, 1, 0);
	send_all(fd, &b);
	b.len = 0;
	put_record(&b, STDIN, 2, "skipped", 7);
	while (send(fd, b.data, b.len, MSG_NOSIGNAL) > 0)
		;
	assert_in_range(clock_ms() - from, 1900, 4000);
	close(fd);
	still_serves(s);
}

static void
test_f25_f28_a_cut_or_aborted_body_runs_no_handler(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };

	put_request(&b, 1, "POST", "/body", "some body", NULL);
	b.len -= 8;
	turned_away(s, &b);
	b.len -= 5;
	turned_away(s, &b);
	b.len = 0;
	put_request(&b, 1, "POST", "/body", "some body", NULL);
	b.len -= 8;
	put_record(&b, ABORT, 1, NULL, 0);
	turned_away(s, &b);
	assert_int_equal(*s->handled, 0);
	still_serves(s);
}

static void
test_f26_keep_conn_does_not_let_a_body_become_a_request(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, forged = { .ctx = s->mem }, pairs = { .ctx = s->mem };

	put_request(&forged, 1, "GET", "/forged", "", NULL);
	put_pairs(&pairs, "POST", "/", forged.len);
	put_begin(&b, 1, 1, 1);
	put_stream(&b, PARAMS, 1, pairs.data, pairs.len);
	put_stream(&b, STDIN, 1, forged.data, forged.len);
	buf_put(&b, forged.data, forged.len);
	assert_true(ends_with(exchange(s, &b), "\r\n\r\nPOST / 192.0.2.1 22 -"));
	assert_int_equal(*s->handled, 1);
}

static void
test_f27_a_multiplexed_request_is_refused_and_the_first_answered(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, all = { .ctx = s->mem };
	int		fd = join(s);
	char		chunk[4096];
	ssize_t		n;

	put_request(&b, 1, "POST", "/body", "first", NULL);
	buf_put(&all, b.data, 16);
	put_begin(&all, 2, 1, 0);
	buf_put(&all, b.data + 16, b.len - 16);
	send_all(fd, &all);
	all.len = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&all, chunk, (size_t)n);
	close(fd);
	assert_int_equal(read_reply(s->mem, &all, 2).ended, 1);
	assert_int_equal(read_reply(s->mem, &all, 1).ended, 0);
	assert_true(ends_with(read_reply(s->mem, &all, 1).out.data, "\r\n\r\nfirst"));
}

static void
test_f29_a_peer_that_does_not_read_is_given_up_after_ten_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);
	int64_t		from = clock_ms();

	put_request(&b, 1, "GET", "/large", "", NULL);
	send_all(fd, &b);
	still_serves(s);
	assert_in_range(clock_ms() - from, 9500, 15000);
	close(fd);
	assert_non_null(strstr(read_log(s), "\"status\":499"));
}

static void
test_a_large_answer_arrives_whole(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);

	put_request(&b, 1, "GET", "/large", "", NULL);
	send_all(fd, &b);
	usleep(200000);
	assert_in_range(receive(s, fd, 1).out.len, LARGE, LARGE + 100);
}

/* Until the child has opened this one: its threads take theirs as they start. */
static void
wait_for_descriptor(struct server *s, unsigned fd)
{
	const char	*path = mem_printf(s->mem, "/proc/%d/fd/%u", (int)s->pid, fd);
	int64_t		deadline = deadline_after(5000);
	struct stat	st;

	while (lstat(path, &st) != 0 && deadline_left(deadline) > 0)
		usleep(1000);
	assert_int_equal(lstat(path, &st), 0);
}

static void
test_f30_out_of_descriptors_it_waits_and_goes_on(void **state)
{
	struct server	*s = *state;
	int		silent[2], extra = dup(0);
	int64_t		from;

	close(extra);
	/* the lock, the socket, the eventfd, a scratch file for each thread, and two connections */
	s->files = (rlim_t)extra + 3 + (rlim_t)s->threads + 2;
	start(s);
	wait_for_descriptor(s, (unsigned)s->files - 3);
	still_serves(s);
	from = clock_ms();
	for (size_t i = 0; i < LENGTH(silent); i++)
		silent[i] = join(s);
	still_serves(s);
	assert_in_range(clock_ms() - from, 1500, 6000);
	for (size_t i = 0; i < LENGTH(silent); i++)
		close(silent[i]);
	assert_in_range(count(read_log(s), "\"error\":\"EMFILE\""), 1, 6);
}

static void
test_threads_answer_side_by_side(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd[4];
	int64_t		from = clock_ms();

	put_request(&b, 1, "GET", "/slow", "", NULL);
	for (size_t i = 0; i < LENGTH(fd); i++) {
		fd[i] = join(s);
		send_all(fd[i], &b);
	}
	for (size_t i = 0; i < LENGTH(fd); i++)
		assert_true(ends_with(receive(s, fd[i], 1).out.data, "\r\n\r\nslow"));
	assert_in_range(clock_ms() - from, 400, 1500);
}

/* The only thread is busy for a while; what is sent from now on waits. */
static int
keep_busy(struct server *s)
{
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);

	put_request(&b, 1, "GET", "/slow", "", NULL);
	send_all(fd, &b);
	usleep(100000);
	return fd;
}

static int
ask_later(struct server *s, const char *uri)
{
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);

	put_request(&b, 1, "GET", uri, "", NULL);
	send_all(fd, &b);
	return fd;
}

static void
test_those_who_wait_are_handed_over_together_and_each_is_answered(void **state)
{
	struct server	*s = *state;
	int		busy = keep_busy(s), fd[9];

	for (size_t i = 0; i < LENGTH(fd); i++)
		fd[i] = ask_later(s, i == 1 ? "/%00" : i == 2 ? "/header" : i == 3 ? "/a?a=mine" : "/together");
	assert_true(ends_with(receive(s, busy, 1).out.data, "\r\n\r\nslow"));
	for (size_t i = 0; i < LENGTH(fd); i++) {
		const char	*out = receive(s, fd[i], 1).out.data;

		/* eight at once, one of which the application never sees, and the ninth alone */
		assert_true(ends_with(out, i == 1 ? "refused bad_request /" : i == 2 ? "refused internal /header" :
		    i == 3 ? "/a 192.0.2.1 22 mine" : i == 8 ? "\r\n\r\n1" : "\r\n\r\n7"));
	}
}

static void
test_f24_who_is_late_holds_up_nobody_he_came_with(void **state)
{
	struct server	*s = *state;
	int		busy = keep_busy(s), silent = join(s), first = ask_later(s, "/together"), second = ask_later(s, "/together");
	int64_t		from = clock_ms();
	char		byte;

	receive(s, busy, 1);
	assert_true(ends_with(receive(s, first, 1).out.data, "\r\n\r\n2"));
	assert_true(ends_with(receive(s, second, 1).out.data, "\r\n\r\n2"));
	assert_in_range(clock_ms() - from, 0, 1500);
	assert_int_equal(read(silent, &byte, 1), 0);
	assert_in_range(clock_ms() - from, 1500, 3500);
	close(silent);
	still_serves(s);
}

static void
test_f31_a_second_instance_does_not_take_the_socket(void **state)
{
	struct server	*s = *state;
	int		saved;

	still_serves(s);
	saved = redirect_stderr(s);
	assert_int_equal(serve_listen(s->path), -1);
	restore_stderr(saved);
	still_serves(s);
}

static void
test_f31_a_dead_ones_socket_is_replaced(void **state)
{
	struct server	*s = *state;
	struct stat	st;

	still_serves(s);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	start(s);
	still_serves(s);
}

static void
test_a_file_in_the_way_is_left_alone(void **state)
{
	struct server	*s = *state;
	char		path[64];
	struct stat	st;
	int		saved = redirect_stderr(s);

	snprintf(path, sizeof(path), "%s/t", s->dir);
	fclose(fopen(path, "w"));
	assert_int_equal(serve_listen(path), -1);
	assert_int_equal(serve_listen(":9000"), -1);
	assert_int_equal(serve_listen("nothing"), -1);
	restore_stderr(saved);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void
test_a_socket_on_standard_input_is_taken(void **state)
{
	int	saved = dup(0), fd = serve_listen("127.0.0.1:0"), ends[2];

	(void)state;
	assert_true(fd > 0);
	dup2(fd, 0);
	assert_int_equal(serve_inherited(), 0);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(serve_inherited(), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(serve_inherited(), -1);
	dup2(saved, 0);
}

static void
test_f113_idle_it_stops_at_once(void **state)
{
	static const int	signals[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct server		*s = *state;

	for (size_t i = 0; i < LENGTH(signals); i++) {
		if (i > 0)
			start(s);
		still_serves(s);
		kill(s->pid, signals[i]);
		assert_in_range(wait_for_end(s), 0, 1000);
	}
}

static void
test_f113_what_is_in_flight_is_finished(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		handling = join(s), reading = join(s);

	put_request(&b, 1, "GET", "/slow", "", NULL);
	send_all(handling, &b);
	assert_int_equal(send(reading, b.data, 20, 0), 20);
	usleep(100000);
	kill(s->pid, SIGTERM);
	usleep(100000);
	assert_int_equal(send(reading, b.data + 20, b.len - 20, 0), b.len - 20);
	assert_true(ends_with(receive(s, handling, 1).out.data, "\r\n\r\nslow"));
	assert_true(ends_with(receive(s, reading, 1).out.data, "\r\n\r\nslow"));
	assert_in_range(wait_for_end(s), 0, 1000);
}

static void
test_f113_f114_a_stuck_handler_ends_with_the_drain_time_and_a_second_signal_changes_nothing(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int64_t		from;
	int		fd;

	s->drain_ms = 700;
	start(s);
	fd = join(s);
	put_request(&b, 1, "GET", "/stuck", "", NULL);
	send_all(fd, &b);
	usleep(200000);
	from = clock_ms();
	kill(s->pid, SIGTERM);
	usleep(50000);
	kill(s->pid, SIGTERM);
	wait_for_end(s);
	assert_in_range(clock_ms() - from, 650, 5000);
	close(fd);
}

static void
test_f114_other_signals_change_nothing(void **state)
{
	static const int	signals[] = { SIGHUP, SIGPIPE, SIGCHLD, SIGALRM, SIGUSR2, SIGTSTP };
	struct server		*s = *state;
	struct buf		b = { .ctx = s->mem };
	int			fd = join(s);

	put_request(&b, 1, "GET", "/slow", "", NULL);
	send_all(fd, &b);
	for (size_t i = 0; i < LENGTH(signals); i++) {
		usleep(20000);
		kill(s->pid, signals[i]);
	}
	assert_true(ends_with(receive(s, fd, 1).out.data, "\r\n\r\nslow"));
	still_serves(s);
}

#define WITH(start, f) cmocka_unit_test_setup_teardown(f, start, end_server)

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		WITH(start_server, test_a_request_is_handed_over_and_answered),
		WITH(start_server, test_f34_the_log_has_the_route_and_nothing_the_client_wrote),
		WITH(start_server, test_c30_the_body_arrives_byte_for_byte),
		WITH(start_server, test_f08_a_body_over_the_limit_is_answered),
		WITH(start_server, test_f17_head_has_the_length_and_no_body),
		WITH(start_server, test_f01_f04_f10_f11_refusals_look_as_the_application_wants),
		WITH(start_server, test_f10_sixty_four_kib_of_headers_pass),
		WITH(start_server, test_f19_a_header_with_a_line_end_becomes_a_500),
		WITH(start_one_thread, test_f21_f22_f23_what_is_no_request_is_turned_away),
		WITH(start_one_thread, test_f24_a_silent_and_a_dribbling_peer_are_dropped_after_two_seconds),
		WITH(start_one_thread, test_f24_a_peer_that_sends_without_end_is_dropped_after_two_seconds),
		WITH(start_one_thread, test_f25_f28_a_cut_or_aborted_body_runs_no_handler),
		WITH(start_one_thread, test_f26_keep_conn_does_not_let_a_body_become_a_request),
		WITH(start_one_thread, test_f27_a_multiplexed_request_is_refused_and_the_first_answered),
		WITH(start_one_thread, test_f29_a_peer_that_does_not_read_is_given_up_after_ten_seconds),
		WITH(start_server, test_a_large_answer_arrives_whole),
		WITH(make_server, test_f30_out_of_descriptors_it_waits_and_goes_on),
		WITH(start_server, test_threads_answer_side_by_side),
		WITH(start_together, test_those_who_wait_are_handed_over_together_and_each_is_answered),
		WITH(start_together, test_f24_who_is_late_holds_up_nobody_he_came_with),
		WITH(start_server, test_f31_a_second_instance_does_not_take_the_socket),
		WITH(start_server, test_f31_a_dead_ones_socket_is_replaced),
		WITH(make_server, test_a_file_in_the_way_is_left_alone),
		WITH(make_server, test_a_socket_on_standard_input_is_taken),
		WITH(start_server, test_f113_idle_it_stops_at_once),
		WITH(start_server, test_f113_what_is_in_flight_is_finished),
		WITH(make_server, test_f113_f114_a_stuck_handler_ends_with_the_drain_time_and_a_second_signal_changes_nothing),
		WITH(start_server, test_f114_other_signals_change_nothing),
	};

	mem_init();
	log_open("test_serve", LOG_INFO);
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
