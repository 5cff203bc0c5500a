#include "thread_pool.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "deadline.h"
#include "log.h"
#include "signals.h"

enum { THREADS_MOST = 64, PAUSE_FIRST_MS = 10, PAUSE_LAST_MS = 320, BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000,
	START_AGAIN_MS = 1000 };

struct thread {
	struct thread_pool	*pool;
	pthread_t		id;
	thread_pool_task	*task;
	void			*arg;
	int			idle_ms;	/* between two runs of an idle task, at most */
	int			pause_ms;	/* before the next run; 0: the last one found work, or it was woken */
	int			backoff_ms;	/* 0: the last run did not fail */
	int			wake_fd;	/* an eventfd, readable if the thread was woken after the last run began */
};

struct thread_pool {
	struct thread	threads[THREADS_MOST];
	unsigned	n;
	int		stop_fd;	/* an eventfd, readable once the pool must stop */
	atomic_bool	outage;
};

static int
event_new(void)
{
	int	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		abort();
	return fd;
}

struct thread_pool *
thread_pool_new(mem_ctx *ctx)
{
	struct thread_pool	*p = talloc_zero(ctx, struct thread_pool);

	p->stop_fd = event_new();
	signals_block();
	return p;
}

void
thread_pool_add(struct thread_pool *p, unsigned n, thread_pool_task *task, void *arg, int idle_ms)
{
	for (; n > 0 && p->n < THREADS_MOST; n--)
		p->threads[p->n++] = (struct thread){ .pool = p, .task = task, .arg = arg, .idle_ms = idle_ms,
		    .pause_ms = idle_ms, .wake_fd = event_new() };
}

void
thread_pool_wake(struct thread_pool *p, thread_pool_task *task)
{
	for (unsigned i = 0; i < THREADS_MOST; i++) {	/* not n, which thread_pool_has_ended() counts down */
		if (p->threads[i].task == task)
			eventfd_write(p->threads[i].wake_fd, 1);
	}
}

bool
thread_pool_pause(struct thread_pool *p, int ms)
{
	struct pollfd	stop = { .fd = p->stop_fd, .events = POLLIN };

	return poll(&stop, 1, ms) == 0;
}

int
thread_pool_stop_fd(const struct thread_pool *p)
{
	return p->stop_fd;
}

/* Logs one line when the first task fails, and one when the first succeeds again. */
static void
outage_note(struct thread_pool *p, enum err e)
{
	bool	now = e != OK;

	if (atomic_exchange(&p->outage, now) == now)
		return;
	log_line(now ? LOG_ERROR : LOG_INFO, now ? "tasks_failing" : "tasks_recovered",
	    LOG_TEXT("reason", err_info(e)->name));
}

static int
backoff_longer(int ms)
{
	return ms == 0 ? BACKOFF_FIRST_MS : ms > BACKOFF_LAST_MS / 2 ? BACKOFF_LAST_MS : ms * 2;
}

/* More work may follow soon after work, so the first pauses are short. */
static int
pause_longer(int ms, int idle_ms)
{
	ms = ms == 0 ? PAUSE_FIRST_MS : ms * 2;
	return ms > PAUSE_LAST_MS || ms > idle_ms ? idle_ms : ms;
}

static void
thread_step(struct thread *t)
{
	mem_ctx		*mem = mem_new();
	bool		found = false;
	enum err	e = t->task(t->arg, mem, &found);

	talloc_free(mem);
	outage_note(t->pool, e);
	t->backoff_ms = e == OK ? 0 : backoff_longer(t->backoff_ms);
	if (e == OK)
		t->pause_ms = found ? 0 : pause_longer(t->pause_ms, t->idle_ms);
}

/* Waits for the next run; false: stop. A wake does not shorten the first 10 ms after a run that found nothing. */
static bool
thread_pause(struct thread *t)
{
	struct pollfd	p[] = { { t->pool->stop_fd, POLLIN, 0 }, { t->wake_fd, POLLIN, 0 } };
	int		rest_ms = t->pause_ms < PAUSE_FIRST_MS ? t->pause_ms : PAUSE_FIRST_MS;
	eventfd_t	n;

	if (!thread_pool_pause(t->pool, t->backoff_ms > 0 ? t->backoff_ms : rest_ms))
		return false;
	poll(p, 2, t->backoff_ms > 0 ? 0 : t->pause_ms - rest_ms);
	if (eventfd_read(t->wake_fd, &n) == 0)
		t->pause_ms = 0;
	return p[0].revents == 0;
}

static void *
thread_run(void *arg)
{
	struct thread	*t = arg;

	do
		thread_step(t);
	while (thread_pause(t));
	return NULL;
}

/* Starts the threads from the n-th on, until one cannot be started. Returns how many run then. */
static unsigned
threads_start(struct thread_pool *p, unsigned n)
{
	while (n < p->n && pthread_create(&p->threads[n].id, NULL, thread_run, &p->threads[n]) == 0)
		n++;
	if (n < p->n)
		log_line(LOG_ERROR, "threads", LOG_INT("started", n), LOG_INT("wanted", p->n));
	return n;
}

/* With too few threads the program is slower, or does not do all; the others are tried again until they start. */
void
thread_pool_run(struct thread_pool *p)
{
	unsigned	n = threads_start(p, 0);
	int		got = 0;

	while (n < p->n && (got = signals_await_stop_within(START_AGAIN_MS)) == 0)
		n = threads_start(p, n);
	log_line(LOG_INFO, "stopping", LOG_INT("signal", got != 0 ? got : signals_await_stop()));
	eventfd_write(p->stop_fd, 1);
	p->n = n;
}

bool
thread_pool_has_ended(struct thread_pool *p, int ms)
{
	int64_t		deadline = deadline_after(ms);
	struct timespec	until = { deadline / 1000, deadline % 1000 * 1000000 };

	while (p->n > 0 && pthread_clockjoin_np(p->threads[p->n - 1].id, NULL, CLOCK_MONOTONIC, &until) == 0)
		p->n--;
	return p->n == 0;
}
