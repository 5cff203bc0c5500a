#include "crew.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "log.h"
#include "signals.h"

enum { MEMBERS = 64, LOOK_FIRST_MS = 10, LOOK_LAST_MS = 320, BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000 };

struct member {
	struct crew	*crew;
	pthread_t	thread;
	crew_piece	*piece;
	void		*arg;
	int		idle_ms;	/* between two looks, at most */
	int		pause_ms;	/* before the next look; 0: there was work, or it was woken */
	int		backoff_ms;	/* 0: the database could be asked */
	int		wake_fd;	/* readable while there may be work that came after the last look began */
};

struct crew {
	struct member	members[MEMBERS];
	unsigned	n;
	int		stop_fd;	/* readable once it is time to end */
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

struct crew *
crew_new(mem_ctx *ctx)
{
	struct crew	*c = talloc_zero(ctx, struct crew);

	c->stop_fd = event_new();
	signals_block();
	return c;
}

void
crew_add(struct crew *c, unsigned n, crew_piece *piece, void *arg, int idle_ms)
{
	for (; n > 0 && c->n < MEMBERS; n--)
		c->members[c->n++] = (struct member){ .crew = c, .piece = piece, .arg = arg, .idle_ms = idle_ms,
		    .pause_ms = idle_ms, .wake_fd = event_new() };
}

void
crew_wake(struct crew *c, crew_piece *piece)
{
	for (unsigned i = 0; i < MEMBERS; i++) {	/* not n, which the main thread counts down in the end */
		if (c->members[i].piece == piece)
			eventfd_write(c->members[i].wake_fd, 1);
	}
}

bool
crew_pause(struct crew *c, int ms)
{
	struct pollfd	p = { .fd = c->stop_fd, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}

int
crew_stop_fd(const struct crew *c)
{
	return c->stop_fd;
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
backoff_longer(int ms)
{
	return ms == 0 ? BACKOFF_FIRST_MS : ms > BACKOFF_LAST_MS / 2 ? BACKOFF_LAST_MS : ms * 2;
}

/* Where there was work, or may be, more may follow: some short pauses before the long ones. */
static int
pause_longer(int ms, int idle_ms)
{
	ms = ms == 0 ? LOOK_FIRST_MS : ms * 2;
	return ms > LOOK_LAST_MS || ms > idle_ms ? idle_ms : ms;
}

static void
member_look(struct member *m)
{
	mem_ctx		*mem = mem_new();
	bool		found = false;
	enum err	e = m->piece(m->arg, mem, &found);

	talloc_free(mem);
	outage_note(m->crew, e);
	m->backoff_ms = e == OK ? 0 : backoff_longer(m->backoff_ms);
	if (e == OK)
		m->pause_ms = found ? 0 : pause_longer(m->pause_ms, m->idle_ms);
}

/* Until the next look; false: stop. However often it is woken, it rests a little after each look that found nothing. */
static bool
member_pause(struct member *m)
{
	struct pollfd	p[] = { { m->crew->stop_fd, POLLIN, 0 }, { m->wake_fd, POLLIN, 0 } };
	int		rest_ms = m->pause_ms < LOOK_FIRST_MS ? m->pause_ms : LOOK_FIRST_MS;
	eventfd_t	n;

	if (!crew_pause(m->crew, m->backoff_ms > 0 ? m->backoff_ms : rest_ms))
		return false;
	poll(p, 2, m->backoff_ms > 0 ? 0 : m->pause_ms - rest_ms);
	if (eventfd_read(m->wake_fd, &n) == 0)
		m->pause_ms = 0;
	return p[0].revents == 0;
}

static void *
member_run(void *arg)
{
	struct member	*m = arg;

	do
		member_look(m);
	while (member_pause(m));
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
