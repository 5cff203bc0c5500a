/* slots: as many at a time as there are, over threads and processes; a queue with an end; a dead process holds none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "slots.h"
#include "unit.h"

static struct slots
slots_here(void *mem, int n)
{
	struct slots	s;
	const char	*why;

	assert_int_equal(slots_open(mem, mem_printf(mem, "/tmp/tollgate-slots-%d-%d", getpid(), n), n, &s, &why), OK);
	return s;
}

/*
 * A process that takes a slot, tells whether it got one, and keeps it until it is killed. held: a slot of this process,
 * which a fork would keep taken; or -1.
 */
static pid_t
taker(const struct slots *s, int held, int *told)
{
	int	ends[2], slot;
	pid_t	pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		char	got;

		close(held);
		got = slot_take(s, &slot) == OK ? 'y' : 'n';
		(void)!write(ends[1], &got, 1);
		for (;;)
			pause();
	}
	close(ends[1]);
	*told = ends[0];
	return pid;
}

static void
test_f223_processes_share_the_slots(void **state)
{
	struct slots	s = slots_here(*state, 2);
	int		mine, told;
	char		got = '?';
	pid_t		pid = taker(&s, -1, &told);

	assert_int_equal(read(told, &got, 1), 1);
	assert_int_equal(got, 'y');
	assert_int_equal(slot_take(&s, &mine), OK);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	slot_give(mine);
	close(told);
}

static void
test_f223_a_slot_of_a_process_that_was_killed_is_free(void **state)
{
	struct slots	s = slots_here(*state, 1);
	int		mine, told;
	char		got;
	pid_t		pid = taker(&s, -1, &told);

	assert_int_equal(read(told, &got, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(slot_take(&s, &mine), OK);
	slot_give(mine);
	close(told);
}

static void
test_f48_who_finds_the_queue_full_is_refused_at_once(void **state)
{
	struct slots	s = slots_here(*state, 1);
	int		held, slot, told[SLOTS_QUEUE];
	pid_t		pids[SLOTS_QUEUE];

	assert_int_equal(slot_take(&s, &held), OK);
	for (int i = 0; i < SLOTS_QUEUE; i++)
		pids[i] = taker(&s, held, &told[i]);
	usleep(300 * 1000);
	alarm(1);	/* a second is less than the queue waits */
	assert_int_equal(slot_take(&s, &slot), ERR_UNAVAILABLE);
	alarm(0);
	slot_give(held);
	for (int i = 0; i < SLOTS_QUEUE; i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		close(told[i]);
	}
}

static void
test_f48_who_waits_gets_the_slot_that_comes_free(void **state)
{
	struct slots	s = slots_here(*state, 1);
	int		held, told;
	char		got = '?';
	pid_t		pid;

	assert_int_equal(slot_take(&s, &held), OK);
	pid = taker(&s, held, &told);
	usleep(50 * 1000);
	slot_give(held);
	assert_int_equal(read(told, &got, 1), 1);
	assert_int_equal(got, 'y');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(told);
}

static void
test_a_directory_that_others_write_is_refused(void **state)
{
	const char	*dir = mem_printf(*state, "/tmp/tollgate-slots-%d-open", getpid()), *why;
	struct slots	s;

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(slots_open(*state, dir, 1, &s, &why), ERR_FORBIDDEN);
	assert_string_equal(why, mem_printf(*state, "%s: is not a directory that this user alone writes", dir));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(slots_open(*state, dir, 1, &s, &why), OK);
	assert_int_equal(slots_open(*state, "/proc/self/status", 1, &s, &why), ERR_FORBIDDEN);
}

static int
clean(void **state)
{
	mem_ctx	*mem = mem_new();

	(void)state;
	return system(mem_printf(mem, "rm -rf /tmp/tollgate-slots-%d-*", getpid())) + talloc_free(mem);
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		TEST(test_f223_processes_share_the_slots),
		TEST(test_f223_a_slot_of_a_process_that_was_killed_is_free),
		TEST(test_f48_who_finds_the_queue_full_is_refused_at_once),
		TEST(test_f48_who_waits_gets_the_slot_that_comes_free),
		TEST(test_a_directory_that_others_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
