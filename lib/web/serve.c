#include "serve.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "deadline.h"
#include "log.h"
#include "signals.h"

enum { BACK_OFF_MS = 100, COMPLAIN_MS = 1000 };

struct server {
	const struct serve_options	*options;
	const struct serve_calls	*calls;
	int				stop;		/* an eventfd, readable once the server must stop */
	pthread_mutex_t			turn;		/* one thread at a time waits for the next connection */
	int64_t				complained;	/* when a failed accept was last logged; under turn */
};

/* The connections that one thread is serving. */
struct crowd {
	struct connection	*all[SERVE_TOGETHER];
	size_t			n;
	int			scratch;
};

/* Out of descriptors or memory: waits for other threads to release some, and logs it at most once a second. */
static void
back_off(struct server *s, int error)
{
	struct pollfd	p = { .fd = s->stop, .events = POLLIN };

	if (clock_ms() - s->complained >= COMPLAIN_MS) {
		s->complained = clock_ms();
		log_line(LOG_ERROR, "accept", LOG_TEXT("error", strerrorname_np(error)));
	}
	poll(&p, 1, BACK_OFF_MS);
}

/* True when there may be a connection to accept; false, with *stop set, when the server must stop. */
static bool
await_connection(struct server *s, bool *stop)
{
	struct pollfd	p[2] = {
		{ .fd = s->stop, .events = POLLIN }, { .fd = s->options->listen_fd, .events = POLLIN }
	};

	poll(p, 2, -1);
	*stop = p[0].revents != 0;
	return !*stop;
}

/* Accepts the waiting connections, at most as many as a thread may take at once. */
static void
take_connections(struct server *s, struct crowd *c)
{
	while (c->n < (size_t)s->options->together) {
		int	fd = accept4(s->options->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			if (c->n == 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				back_off(s, errno);
			return;
		}
		c->all[c->n++] = connection_new(fd, &c->scratch);
	}
}

/* Reads from each connection and moves those that can be answered to the front. Returns their number. */
static size_t
read_connections(struct crowd *c)
{
	size_t	ready = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct connection	*one = c->all[i];

		if (!connection_read(one))
			continue;
		c->all[i] = c->all[ready];
		c->all[ready++] = one;
	}
	return ready;
}

static void
await_more(const struct crowd *c)
{
	struct pollfd	p[SERVE_TOGETHER];
	int64_t		first = INT64_MAX;

	for (size_t i = 0; i < c->n; i++) {
		p[i] = (struct pollfd){ .fd = connection_fd(c->all[i]), .events = POLLIN };
		if (connection_deadline(c->all[i]) < first)
			first = connection_deadline(c->all[i]);
	}
	poll(p, c->n, deadline_left(first));
}

/* A slow connection does not delay the others: each is answered as soon as its request is whole. */
static void
serve_connections(struct crowd *c, const struct serve_calls *calls)
{
	while (c->n > 0) {
		size_t	ready = read_connections(c);
		int64_t	began = clock_ms();

		if (ready == 0) {
			await_more(c);
			continue;
		}
		connection_answer(c->all, ready, calls);
		c->n -= ready;
		memmove(c->all, c->all + ready, c->n * sizeof(*c->all));
		for (size_t i = 0; i < c->n; i++)
			connection_excuse(c->all[i], clock_ms() - began);
	}
}

static void *
work(void *arg)
{
	struct server	*s = arg;
	struct crowd	 c = { .scratch = connection_scratch() };
	bool		 stop = false;

	while (!stop) {
		pthread_mutex_lock(&s->turn);
		if (await_connection(s, &stop))
			take_connections(s, &c);
		pthread_mutex_unlock(&s->turn);
		serve_connections(&c, s->calls);
	}
	if (c.scratch >= 0)
		close(c.scratch);
	return NULL;
}

/* Starts as many threads as possible: with fewer the server is slower, with 0 it fails. */
static int
start_threads(struct server *s, pthread_t *threads)
{
	int	n = 0;

	while (n < s->options->threads && pthread_create(&threads[n], NULL, work, s) == 0)
		n++;
	if (n < s->options->threads)
		log_line(LOG_ERROR, "threads", LOG_INT("started", n), LOG_INT("wanted", s->options->threads));
	return n;
}

/* All requests in flight share one drain_ms. A thread that is still busy after it ends with the process. */
static void
join_threads(const struct server *s, const pthread_t *threads, int n)
{
	int64_t		deadline = deadline_after(s->options->drain_ms);
	struct timespec	until = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };

	for (int i = 0; i < n; i++) {
		if (pthread_clockjoin_np(threads[i], NULL, CLOCK_MONOTONIC, &until) == 0)
			continue;
		log_line(LOG_WARN, "drain", LOG_INT("unfinished", n - i));
		_exit(0);
	}
}

enum err
serve(const struct serve_options *options, const struct serve_calls *calls)
{
	struct server	s = { .options = options, .calls = calls, .turn = PTHREAD_MUTEX_INITIALIZER };
	mem_ctx		*mem = mem_new();
	pthread_t	*threads = talloc_array(mem, pthread_t, (size_t)options->threads);
	int		n;

	FCGX_Init();
	signals_block();
	s.complained = clock_ms() - COMPLAIN_MS;
	s.stop = eventfd(0, EFD_CLOEXEC);
	n = s.stop < 0 ? 0 : start_threads(&s, threads);
	if (n == 0) {
		talloc_free(mem);
		return ERR_INTERNAL;
	}
	log_line(LOG_INFO, "stopping", LOG_INT("signal", signals_await_stop()));
	eventfd_write(s.stop, 1);
	join_threads(&s, threads, n);
	close(s.stop);
	talloc_free(mem);
	return OK;
}
