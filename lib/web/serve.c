#include "serve.h"

#include <fcgiapp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"
#include "deadline.h"
#include "log.h"
#include "signals.h"

struct server {
	const struct serve_options	*options;
	const struct serve_calls	*calls;
	struct crowd			crowd;
};

static void *
work(void *arg)
{
	struct server		*s = arg;
	struct connection	*whole[SERVE_TOGETHER];
	int			scratch = connection_scratch();
	size_t			n;

	while ((n = crowd_take(&s->crowd, whole, (size_t)s->options->together)) > 0) {
		n = connection_answer(whole, n, &scratch, s->crowd.stop, s->calls);
		for (size_t i = 0; i < n; i++)
			crowd_return(&s->crowd, whole[i]);
	}
	if (scratch >= 0)
		close(scratch);
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
	struct server	s = { .options = options, .calls = calls };
	mem_ctx		*mem = mem_new();
	pthread_t	*threads = talloc_array(mem, pthread_t, (size_t)options->threads);
	int		n, stop = eventfd(0, EFD_CLOEXEC);

	FCGX_Init();
	signals_block();
	n = stop < 0 || !crowd_open(&s.crowd, options->listen_fd, stop) ? 0 : start_threads(&s, threads);
	if (n == 0) {
		talloc_free(mem);
		return ERR_INTERNAL;
	}
	log_line(LOG_INFO, "stopping", LOG_INT("signal", signals_await_stop()));
	eventfd_write(stop, 1);
	join_threads(&s, threads, n);
	close(stop);
	crowd_close(&s.crowd);
	talloc_free(mem);
	return OK;
}
