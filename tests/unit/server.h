/* server: runs serve in a child process, for a client on a real socket. */
#ifndef TOLLGATE_TEST_SERVER_H
#define TOLLGATE_TEST_SERVER_H

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

static inline void
answer_text(struct http_res *r, const char *text)
{
	http_body(r, 200, "text/plain", text, strlen(text));
}

static inline void
answer_body(struct http_req *q, struct http_res *r)
{
	enum err	e = http_read_body(q, 100000);

	http_body(r, err_info(e)->status, "text/plain", q->body != NULL ? q->body : "", q->body_len);
}

static inline void
answer_request(struct http_req *q, struct http_res *r)
{
	const char	*a;

	if (http_query(q, "a", &a) != OK)
		a = NULL;
	answer_text(r, mem_printf(q->mem, "%s %s %s %zu %s", q->method, q->path, q->remote_addr, strlen(q->id),
	    a ? a : "-"));
}

/* Paths of one test program's own; false: it is none of them. */
#ifndef HANDLE_OWN
#define HANDLE_OWN(handled, q, r) false
#endif

static inline void
handle_one(void *handled, struct http_req *q, struct http_res *r, size_t n)
{
	atomic_fetch_add((atomic_int *)handled, 1);
	r->route = "/pattern";
	if (HANDLE_OWN(handled, q, r))
		return;
	if (strcmp(q->path, "/body") == 0)
		answer_body(q, r);
	else if (strcmp(q->path, "/together") == 0)
		answer_text(r, mem_printf(q->mem, "%zu", n));
	else if (strcmp(q->path, "/slow") == 0 && usleep(400000) == 0)
		answer_text(r, "slow");
	else if (strcmp(q->path, "/long") == 0 && usleep(2500000) == 0)
		answer_text(r, "long");
	else if (strcmp(q->path, "/stuck") == 0 && usleep(20000000) == 0)
		answer_text(r, "late");
	else if (strcmp(q->path, "/header") == 0)
		http_header(r, "X-A", "b\r\nSet-Cookie: c=d");
	else if (strcmp(q->path, "/page") == 0) {
		answer_text(r, "page");
		http_header(r, "X-A", "b\nSet-Cookie: c=d");
	} else if (strcmp(q->path, "/large") == 0)
		http_body(r, 200, "text/plain", talloc_zero_size(q->mem, LARGE), LARGE);
	else if (strcmp(q->path, "/nothing") != 0)
		answer_request(q, r);
}

static inline void
handle(void *handled, struct http_exchange *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		handle_one(handled, all[i].q, all[i].r, n);
}

static inline void
refuse(void *handled, struct http_req *q, struct http_res *r, enum err why)
{
	const char	*text = mem_printf(q->mem, "refused %s %s", err_info(why)->name, q->path);

	(void)handled;
	http_body(r, err_info(why)->status, "text/plain", text, strlen(text));
}

static inline void
after(void *handled)
{
	(void)handled;
}

/* What is written on stderr goes to the log file until restored. */
static inline int
redirect_stderr(const struct server *s)
{
	int	saved = dup(STDERR_FILENO), fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
	return saved;
}

static inline void
restore_stderr(int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static inline void
run(const struct server *s)
{
	const struct serve_options	options = { serve_listen(s->path), s->threads, s->together, s->drain_ms };
	const struct serve_calls	calls = { handle, refuse, after, s->handled };
	struct rlimit			most;

	close(redirect_stderr(s));
	getrlimit(RLIMIT_NOFILE, &most);
	if (s->files > 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ s->files, most.rlim_max });
	_exit(serve(&options, &calls) == OK ? 0 : 1);
}

static inline void
start(struct server *s)
{
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		run(s);
}

static inline int
make_server(void **state)
{
	struct server	*s = talloc_zero(NULL, struct server);

	s->mem = mem_new();
	s->threads = 4;
	s->together = 1;
	s->drain_ms = 3000;
	strcpy(s->dir, "/tmp/test_server.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	s->handled = mmap(NULL, sizeof(*s->handled), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = s;
	return 0;
}

static inline int
start_server(void **state)
{
	make_server(state);
	start(*state);
	return 0;
}

static inline int
start_one_thread(void **state)
{
	make_server(state);
	((struct server *)*state)->threads = 1;
	start(*state);
	return 0;
}

static inline int
start_together(void **state)
{
	make_server(state);
	((struct server *)*state)->threads = 1;
	((struct server *)*state)->together = 8;
	start(*state);
	return 0;
}

/* Milliseconds until the child has ended; its exit status must be 0. */
static inline int64_t
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

static inline int
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

/* A connection, once the child listens. A silence of half a minute ends what is read from it. */
static inline int
join(const struct server *s)
{
	const struct timeval	patience = { .tv_sec = 30 };
	struct sockaddr_un	a = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	strcpy(a.sun_path, s->path);
	for (int tries = 0; tries < 300; tries++) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		usleep(10000);
	}
	fail_msg("connect: %s", strerror(errno));
	return -1;
}

static inline void
send_all(int fd, const struct buf *b)
{
	assert_int_equal(send(fd, b->data, b->len, MSG_NOSIGNAL), b->len);
}

/* What comes until the other side closes. */
static inline struct reply
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

static inline const char *
exchange(struct server *s, const struct buf *b)
{
	int	fd = join(s);

	send_all(fd, b);
	return receive(s, fd, 1).out.data;
}

static inline const char *
call(struct server *s, const char *method, const char *uri, const char *body)
{
	struct buf	b = { .ctx = s->mem };

	put_request(&b, 1, method, uri, body, NULL);
	return exchange(s, &b);
}

static inline bool
starts_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

static inline bool
ends_with(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0;
}

static inline void
still_serves(struct server *s)
{
	assert_true(starts_with(call(s, "GET", "/", ""), "Status: 200\r\n"));
}

/* The child's log so far. */
static inline const char *
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

static inline unsigned
count(const char *text, const char *what)
{
	unsigned	n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

#define WITH(start, f) cmocka_unit_test_setup_teardown(f, start, end_server)

#endif
