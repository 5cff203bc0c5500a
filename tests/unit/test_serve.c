/* serve: threads that share a socket, take waiting requests, and stop. */
#include <glob.h>

#include "crowd.h"
#include "server.h"

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

/* Milliseconds of the child's time on a processor. */
static int64_t
cpu_ms(const struct server *s)
{
	FILE		*f = fopen(mem_printf(s->mem, "/proc/%d/stat", (int)s->pid), "r");
	unsigned long	user, kernel;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel), 2);
	fclose(f);
	return (int64_t)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

static void
test_f30_out_of_descriptors_it_waits_and_goes_on(void **state)
{
	struct server	*s = *state;
	int		silent[2], extra = dup(0);
	int64_t		from, worked;

	close(extra);
	/* the lock, the socket, the eventfd, the pipe, a scratch file for each thread, and two connections */
	s->files = (rlim_t)extra + 5 + (rlim_t)s->threads + 2;
	start(s);
	wait_for_descriptor(s, (unsigned)s->files - 3);
	still_serves(s);
	from = clock_ms();
	worked = cpu_ms(s);
	for (size_t i = 0; i < LENGTH(silent); i++)
		silent[i] = join(s);
	still_serves(s);
	assert_in_range(clock_ms() - from, 1500, 6000);
	/* It waits: asking again and again is work, also on a busy machine. */
	assert_in_range(cpu_ms(s) - worked, 0, (clock_ms() - from) / 20);
	for (size_t i = 0; i < LENGTH(silent); i++)
		close(silent[i]);
	assert_in_range(count(read_log(s), "\"error\":\"EMFILE\""), 1, 6);
}

/* Seconds of a processor that the child has used. */
static double
busy(const struct server *s)
{
	clockid_t	clock;
	struct timespec	t;

	assert_int_equal(clock_getcpuclockid(s->pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* For a second it can accept none; then it may again. */
static void
test_f30_without_any_descriptor_it_waits_and_does_not_spin(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd, extra = dup(0);
	struct rlimit	files;
	double		before;

	close(extra);
	s->files = (rlim_t)extra + 5 + (rlim_t)s->threads;	/* as above, and no connection */
	start(s);
	wait_for_descriptor(s, (unsigned)s->files - 1);
	fd = join(s);
	put_request(&b, 1, "GET", "/together", "", NULL);
	send_all(fd, &b);
	before = busy(s);
	usleep(1000000);
	assert_true(busy(s) - before < 0.05);
	assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, NULL, &files), 0);
	files.rlim_cur = s->files + 2;
	assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &files, NULL), 0);
	assert_true(ends_with(receive(s, fd, 1).out.data, "\r\n\r\n1"));
	assert_in_range(count(read_log(s), "\"error\":\"EMFILE\""), 1, 3);
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
test_waiting_requests_are_handed_over_together_and_each_is_answered(void **state)
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
test_f24_a_late_request_does_not_delay_those_taken_with_it(void **state)
{
	struct server	*s = *state;
	int		busy = keep_busy(s), silent = join(s), first = ask_later(s, "/together"),
	    second = ask_later(s, "/together");
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

/*
 * Its first bytes are there when the only thread begins to answer another, for longer than a head may take. The child
 * is stopped until both are there.
 */
static void
test_f24_a_request_does_not_pay_for_the_time_that_another_took(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		half, slow;

	still_serves(s);
	kill(s->pid, SIGSTOP);
	half = join(s);
	put_request(&b, 1, "GET", "/together", "", NULL);
	assert_int_equal(send(half, b.data, 20, 0), 20);
	slow = ask_later(s, "/long");
	kill(s->pid, SIGCONT);
	assert_true(ends_with(receive(s, slow, 1).out.data, "\r\n\r\nlong"));
	assert_int_equal(send(half, b.data + 20, b.len - 20, MSG_NOSIGNAL), b.len - 20);
	assert_true(ends_with(receive(s, half, 1).out.data, "\r\n\r\n1"));
}

/* Sends a head, which says that n bytes follow, and the first `now` of them. */
static int
begin_body(struct server *s, size_t n, size_t now)
{
	struct buf	b = { .ctx = s->mem }, pairs = { .ctx = s->mem };
	char		*body = talloc_zero_size(s->mem, n);
	int		fd = join(s);

	put_pairs(&pairs, "POST", "/body", n);
	put_begin(&b, 1, 1, 0);
	put_stream(&b, PARAMS, 1, pairs.data, pairs.len);
	for (size_t at = 0; at < now; at += 50000)
		put_record(&b, STDIN, 1, body, now - at < 50000 ? now - at : 50000);
	send_all(fd, &b);
	talloc_free(body);
	talloc_free(b.data);
	return fd;
}

/* Several times, so that each thread has had its turn. */
static void
serves_at_once(struct server *s)
{
	int64_t	from = clock_ms();

	for (int i = 0; i < 8; i++)
		still_serves(s);
	assert_in_range(clock_ms() - from, 0, 1000);
}

static void
test_s18_late_bodies_hold_up_nobody(void **state)
{
	struct server	*s = *state;
	struct buf	rest = { .ctx = s->mem };
	int		late[32];

	for (size_t i = 0; i < LENGTH(late); i++)
		late[i] = begin_body(s, 4, 2);
	serves_at_once(s);
	put_record(&rest, STDIN, 1, "cd", 2);
	put_record(&rest, STDIN, 1, NULL, 0);
	for (size_t i = 0; i < LENGTH(late); i++) {
		send_all(late[i], &rest);
		assert_true(starts_with(receive(s, late[i], 1).out.data, "Status: 200\r\n"));
	}
}

static void
test_s18_a_peer_that_reads_its_refusal_late_holds_up_nobody(void **state)
{
	struct server	*s = *state;
	int		late[8];

	for (size_t i = 0; i < LENGTH(late); i++)
		late[i] = begin_body(s, 1100000, 1100000);
	serves_at_once(s);
	for (size_t i = 0; i < LENGTH(late); i++)
		assert_true(starts_with(receive(s, late[i], 1).out.data, "Status: 413\r\n"));
}

/* The connections that have come longest are closed: the others are answered once they are whole. */
static void
check_limit(struct server *s, int *late, int n, size_t body, size_t now, unsigned least)
{
	struct buf	rest = { .ctx = s->mem };
	char		byte;
	unsigned	dropped;

	for (int i = 0; i < n; i++)
		late[i] = begin_body(s, body, now);
	serves_at_once(s);
	dropped = count(read_log(s), "\"why\":\"crowded\"");
	assert_in_range(dropped, least, least + 8);
	assert_true(read(late[0], &byte, 1) <= 0);
	put_record(&rest, STDIN, 1, "cd", body - now);
	put_record(&rest, STDIN, 1, NULL, 0);
	send_all(late[n - 1], &rest);
	assert_true(starts_with(receive(s, late[n - 1], 1).out.data, "Status: "));
	for (int i = 0; i < n - 1; i++)
		close(late[i]);
}

static void
test_s18_too_many_late_ones_make_room_for_others(void **state)
{
	int	late[300];

	check_limit(*state, late, LENGTH(late), 4, 2, 300 - 256);
}

/* Whether every thread of the child waits for something; one that wants a processor does not. */
static bool
rests(const struct server *s)
{
	glob_t	tasks;
	bool	all = true;
	char	state;

	assert_int_equal(glob(mem_printf(s->mem, "/proc/%d/task/*/stat", (int)s->pid), 0, NULL, &tasks), 0);
	for (size_t i = 0; i < tasks.gl_pathc && all; i++) {
		FILE	*f = fopen(tasks.gl_pathv[i], "r");

		all = f != NULL && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'S';
		if (f != NULL)
			fclose(f);
	}
	globfree(&tasks);
	return all;
}

/* More connections than are kept, each of which has only just come: none is dropped. */
static void
test_s18_a_burst_of_connections_loses_no_request(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		burst[400];

	put_request(&b, 1, "GET", "/", "", NULL);
	for (size_t i = 0; i < LENGTH(burst); i++)
		burst[i] = join(s);
	wait_for_descriptor(s, CROWD_MAX);
	while (!rests(s))	/* until it has accepted what it takes */
		usleep(1000);
	for (size_t i = 0; i < LENGTH(burst); i++)
		send_all(burst[i], &b);
	for (size_t i = 0; i < LENGTH(burst); i++)
		assert_true(starts_with(receive(s, burst[i], 1).out.data, "Status: 200\r\n"));
}

static void
test_s18_late_ones_that_are_too_large_make_room_for_others(void **state)
{
	int	late[80];

	check_limit(*state, late, LENGTH(late), 1000002, 1000000, 80 - 67);
}

/* Records of another request have no end that a body has. */
static void
test_s18_records_without_end_hold_up_nobody(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = begin_body(s, 4, 2);
	pid_t		flood;

	for (int i = 0; i < 16; i++)
		put_record(&b, STDIN, 2, talloc_zero_size(s->mem, 60000), 60000);
	flood = fork();
	while (flood == 0 && send(fd, b.data, b.len, MSG_NOSIGNAL) > 0)
		;
	if (flood == 0)
		_exit(0);
	usleep(100000);
	serves_at_once(s);
	assert_int_equal(waitpid(flood, NULL, WNOHANG), 0);
	kill(flood, SIGKILL);
	waitpid(flood, NULL, 0);
	close(fd);
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

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		WITH(make_server, test_f30_out_of_descriptors_it_waits_and_goes_on),
		WITH(make_server, test_f30_without_any_descriptor_it_waits_and_does_not_spin),
		WITH(start_server, test_threads_answer_side_by_side),
		WITH(start_together, test_waiting_requests_are_handed_over_together_and_each_is_answered),
		WITH(start_together, test_f24_a_late_request_does_not_delay_those_taken_with_it),
		WITH(start_together, test_f24_a_request_does_not_pay_for_the_time_that_another_took),
		WITH(start_server, test_s18_late_bodies_hold_up_nobody),
		WITH(start_one_thread, test_s18_late_bodies_hold_up_nobody),
		WITH(start_server, test_s18_a_peer_that_reads_its_refusal_late_holds_up_nobody),
		WITH(start_one_thread, test_s18_a_peer_that_reads_its_refusal_late_holds_up_nobody),
		WITH(start_server, test_s18_too_many_late_ones_make_room_for_others),
		WITH(start_server, test_s18_a_burst_of_connections_loses_no_request),
		WITH(start_server, test_s18_late_ones_that_are_too_large_make_room_for_others),
		WITH(start_one_thread, test_s18_records_without_end_hold_up_nobody),
		WITH(start_server, test_f113_idle_it_stops_at_once),
		WITH(start_server, test_f113_what_is_in_flight_is_finished),
		WITH(make_server, test_f113_f114_a_stuck_handler_ends_with_the_drain_time_and_a_second_signal_changes_nothing),
		WITH(start_server, test_f114_other_signals_change_nothing),
	};

	mem_init();
	log_open("test_serve", LOG_INFO);
	alarm(60);	/* an answer that never comes ends the tests too */
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
