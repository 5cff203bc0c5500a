#include "crew.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "log.h"
#include "signals.h"

enum { MEMBERS = 64, BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000 };

struct member {
	struct crew	*crew;
	pthread_t	thread;
	crew_piece	*piece;
	void		*arg;
	int		idle_ms;
};

struct crew {
	struct member	members[MEMBERS];
	unsigned	n;
	int		stop_fd;	/* readable once it is time to end */
	atomic_bool	outage;
};

struct crew *
crew_new(mem_ctx *ctx)
{
	struct crew	*c = talloc_zero(ctx, struct crew);

	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (c->stop_fd < 0)
		abort();
	signals_block();
	return c;
}

void
crew_add(struct crew *c, unsigned n, crew_piece *piece, void *arg, int idle_ms)
{
	for (; n > 0 && c->n < MEMBERS; n--)
		c->members[c->n++] = (struct member){ .crew = c, .piece = piece, .arg = arg, .idle_ms = idle_ms };
}

bool
crew_pause(struct crew *c, int ms)
{
	struct pollfd	p = { .fd = c->stop_fd, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}

/* One line when the database goes and one when it is back, whichever thread sees it first. */
static void
outage_note(struct crew *c, enum err e)
{
	bool	now = e != OK;

	if (atomic_exchange(&c->outage, now) == now)
		return;
	log_line(now ? LOG_ERROR : LOG_INFO, now ? "jobs_waiting" : "jobs_back", LOG_TEXT("reason", err_info(e)->name));
}

static int
member_step(struct member *m, int backoff_ms, int *wait_ms)
{
	mem_ctx		*mem = mem_new();
	bool		found = false;
	enum err	e = m->piece(m->arg, mem, &found);

	talloc_free(mem);
	outage_note(m->crew, e);
	if (e == OK) {
		*wait_ms = found ? 0 : m->idle_ms;
		return BACKOFF_FIRST_MS;
	}
	*wait_ms = backoff_ms;
	return backoff_ms * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : backoff_ms * 2;
}

static void *
member_run(void *arg)
{
	struct member	*m = arg;
	int		backoff_ms = BACKOFF_FIRST_MS, wait_ms = 0;

	do
		backoff_ms = member_step(m, backoff_ms, &wait_ms);
	while (crew_pause(m->crew, wait_ms));
	return NULL;
}

void
crew_work(struct crew *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (pthread_create(&c->members[i].thread, NULL, member_run, &c->members[i]) != 0)
			abort();
	}
	log_line(LOG_INFO, "stopping", LOG_INT("signal", signals_await_stop()));
	eventfd_write(c->stop_fd, 1);
}

bool
crew_has_ended(struct crew *c, int ms)
{
	struct timespec	until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (c->n > 0 && pthread_timedjoin_np(c->members[c->n - 1].thread, NULL, &until) == 0)
		c->n--;
	return c->n == 0;
}
