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
	int				stop;		/* an eventfd, readable once we are to stop */
	pthread_mutex_t			turn;		/* one thread at a time waits for the next connection */
	int64_t				complained;	/* when accept's failure was last logged; under turn */
};

/* Out of descriptors or memory: others will give theirs back, so wait a little, and say so at most once a second. */
static void
back_off(struct server *s, int error)
{
	struct pollfd	p = { .fd = s->stop, .events = POLLIN };

	if (deadline_now() - s->complained >= COMPLAIN_MS) {
		s->complained = deadline_now();
		log_line(LOG_ERROR, "accept", LOG_TEXT("error", strerrorname_np(error)));
	}
	poll(&p, 1, BACK_OFF_MS);
}

/* The next connection, or -1 when there is none yet; *stop is set when we are to stop. */
static int
try_accept(struct server *s, bool *stop)
{
	struct pollfd	p[2] = {
		{ .fd = s->stop, .events = POLLIN }, { .fd = s->options->listen_fd, .events = POLLIN }
	};
	int		fd = -1;

	poll(p, 2, -1);
	*stop = p[0].revents != 0;
	if (*stop)
		return -1;
	fd = accept4(s->options->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		back_off(s, errno);
	return fd;
}

static void *
work(void *arg)
{
	struct server	*s = arg;
	bool		 stop = false;
	int		 fd, scratch = connection_scratch();

	while (!stop) {
		pthread_mutex_lock(&s->turn);
		fd = try_accept(s, &stop);
		pthread_mutex_unlock(&s->turn);
		if (fd >= 0)
			connection_serve(fd, &scratch, s->calls);
	}
	if (scratch >= 0)
		close(scratch);
	return NULL;
}

/* As many threads as can be had: fewer is slower, none is an error. */
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

/* Requests in flight get drain_ms together. A thread that is still busy then ends with the process. */
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
	s.complained = deadline_now() - COMPLAIN_MS;
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
