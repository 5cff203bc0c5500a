/* socket: the listening socket, and a second process that wants it. */
#include "server.h"

static void
test_f31_a_second_instance_does_not_take_the_socket(void **state)
{
	struct server	*s = *state;
	int		saved;

	still_serves(s);
	saved = redirect_stderr(s);
	assert_int_equal(serve_listen(s->path), -1);
	restore_stderr(saved);
	still_serves(s);
}

static void
test_f31_a_dead_ones_socket_is_replaced(void **state)
{
	struct server	*s = *state;
	struct stat	st;

	still_serves(s);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	start(s);
	still_serves(s);
}

static void
test_a_file_in_the_way_is_left_alone(void **state)
{
	struct server	*s = *state;
	char		path[64];
	struct stat	st;
	int		saved = redirect_stderr(s);

	snprintf(path, sizeof(path), "%s/t", s->dir);
	fclose(fopen(path, "w"));
	assert_int_equal(serve_listen(path), -1);
	assert_int_equal(serve_listen(":9000"), -1);
	assert_int_equal(serve_listen("nothing"), -1);
	restore_stderr(saved);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void
test_a_socket_on_standard_input_is_taken(void **state)
{
	int	saved = dup(0), fd = serve_listen("127.0.0.1:0"), ends[2];

	(void)state;
	assert_true(fd > 0);
	dup2(fd, 0);
	assert_int_equal(serve_inherited(), 0);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(serve_inherited(), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(serve_inherited(), -1);
	dup2(saved, 0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		WITH(start_server, test_f31_a_second_instance_does_not_take_the_socket),
		WITH(start_server, test_f31_a_dead_ones_socket_is_replaced),
		WITH(make_server, test_a_file_in_the_way_is_left_alone),
		WITH(make_server, test_a_socket_on_standard_input_is_taken),
	};

	mem_init();
	log_open("test_socket", LOG_INFO);
	return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
