/* thread_pool: a woken thread runs its task soon, no wake is lost, and wakes alone do not make it spin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "thread_pool.h"
#include "log.h"
#include "unit.h"

enum { IDLE_MS = 60000 };

struct looker {
	atomic_int	looks;
	unsigned	takes_ms;
	int		fails;		/* so many of its first looks fail */
	int		finds;		/* so many of the looks after those find work */
};

static enum err
look(void *arg, mem_ctx *mem, bool *found)
{
	struct looker	*l = arg;

	(void)mem;
	usleep(l->takes_ms * 1000);
	*found = ++l->looks > l->fails && l->looks <= l->fails + l->finds;
	return l->looks > l->fails ? OK : ERR_UNAVAILABLE;
}

static enum err
look_elsewhere(void *arg, mem_ctx *mem, bool *found)
{
	return look(arg, mem, found);
}

/* What is done to a pool of these two while it works. */
struct play {
	struct thread_pool	*pool;
	struct looker	woken, other;
	void		(*act)(struct play *p);
	int		idle_ms;	/* of the one that is woken; 0: IDLE_MS */
};

static void *
play_act(void *arg)
{
	struct play	*p = arg;

	usleep(50000);
	p->act(p);
	kill(getpid(), SIGUSR1);
	return NULL;
}

static void
play_run(mem_ctx *mem, struct play *p)
{
	pthread_t	thread;

	p->pool = thread_pool_new(mem);
	thread_pool_add(p->pool, 1, look, &p->woken, p->idle_ms > 0 ? p->idle_ms : IDLE_MS);
	thread_pool_add(p->pool, 1, look_elsewhere, &p->other, IDLE_MS);
	assert_int_equal(pthread_create(&thread, NULL, play_act, p), 0);
	thread_pool_run(p->pool);
	pthread_join(thread, NULL);
	assert_true(thread_pool_has_ended(p->pool, 1000));
}

static void
wake_once(struct play *p)
{
	thread_pool_wake(p->pool, look);
	usleep(900000);
}

/* Once, and a few times more for what may follow: after 10, 20, 40, 80, 160 and 320 ms. */
static void
test_f79_only_the_task_that_is_woken_looks(void **state)
{
	struct play	p = { .act = wake_once };

	play_run(*state, &p);
	assert_in_range(p.woken.looks, 1 + 1 + 1, 1 + 1 + 6);
	assert_int_equal(p.other.looks, 1);
}

static void
test_f79_woken_while_it_looks_it_looks_again(void **state)
{
	struct play	p = { .act = wake_once, .woken.takes_ms = 200 };

	play_run(*state, &p);
	assert_true(p.woken.looks >= 2);
}

static void
wake_on(struct play *p)
{
	for (int i = 0; i < 5000; i++) {
		thread_pool_wake(p->pool, look);
		usleep(50);
	}
}

/* 5,000 wake-ups take 0.25 s at least, however slow the machine. */
static void
test_f79_however_often_it_is_woken_it_rests_between_looks(void **state)
{
	struct play	p = { .act = wake_on };
	int64_t		took_ms;
	struct timespec	a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	play_run(*state, &p);
	clock_gettime(CLOCK_MONOTONIC, &b);
	took_ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	assert_in_range(p.woken.looks, 5, 2 + took_ms / 10);
}

static void
wait_a_second(struct play *p)
{
	(void)p;
	usleep(1000000);
}

/* After 0.1, 0.3, 0.7 and 1.5 s: so little is asked of what is away, also of a machine that is slow. */
static void
test_f89_a_task_that_fails_waits_longer_each_time(void **state)
{
	struct play	p = { .act = wait_a_second, .woken.fails = 1000, .idle_ms = 1 };

	play_run(*state, &p);
	assert_in_range(p.woken.looks, 2, 4);
	assert_int_equal(p.other.looks, 1);
}

/* A wake must not turn an outage into a storm. */
static void
test_f89_wakes_do_not_shorten_the_wait_after_a_failure(void **state)
{
	struct play	p = { .act = wake_on, .woken.fails = 1000 };

	play_run(*state, &p);
	assert_in_range(p.woken.looks, 1, 5);
}

static void
test_f83_after_failures_the_task_goes_on_as_before(void **state)
{
	struct play	p = { .act = wait_a_second, .woken = { .fails = 2, .finds = 100 } };

	play_run(*state, &p);
	assert_in_range(p.woken.looks, 2 + 100 + 1, 2 + 100 + 7);
}

static void
test_an_idle_task_looks_at_its_interval(void **state)
{
	struct play	p = { .act = wait_a_second, .idle_ms = 200 };

	play_run(*state, &p);
	assert_in_range(p.woken.looks, 2, 1 + 6);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f79_only_the_task_that_is_woken_looks),
		TEST(test_f79_woken_while_it_looks_it_looks_again),
		TEST(test_f79_however_often_it_is_woken_it_rests_between_looks),
		TEST(test_f89_a_task_that_fails_waits_longer_each_time),
		TEST(test_f89_wakes_do_not_shorten_the_wait_after_a_failure),
		TEST(test_f83_after_failures_the_task_goes_on_as_before),
		TEST(test_an_idle_task_looks_at_its_interval),
	};

	mem_init();
	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
