/* connect: which of several hosts is used, and within what time. Against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call.h"
#include "clock.h"
#include "cluster.h"
#include "log.h"

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup("select");
}

static struct db *
hosts_open(const char *conninfo)
{
	return db_open(NULL, &(struct db_options){ .conninfo = conninfo, .role = "tollgate_test", .pool = 1, .wait_ms = 100,
	    .timeout_ms = 2000, .prepared = true });
}

static void
test_f85_a_read_only_server_is_not_used(void **state)
{
	struct db	*db = hosts_open(cluster.conninfo);

	(void)state;
	cluster_stop(&cluster, SIGINT);
	cluster_start(&cluster, "default_transaction_read_only=on");
	assert_int_equal(db_ping(db), ERR_UNAVAILABLE);
	cluster_stop(&cluster, SIGINT);
	cluster_start(&cluster, NULL);
	for (int i = 0; i < 60 && db_ping(db) != OK; i++)
		usleep(100000);
	assert_int_equal(db_ping(db), OK);
	talloc_free(db);
}

/* A machine that has vanished: the connection is accepted, and no byte ever comes. */
struct silence {
	char	dir[64];
	int	fd;
};

static void
silence_begin(struct silence *q)
{
	struct sockaddr_un	a = { .sun_family = AF_UNIX };

	strcpy(q->dir, "/tmp/tollgate-silent.XXXXXX");
	assert_non_null(mkdtemp(q->dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.5432", q->dir);
	q->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(q->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(q->fd, 16), 0);
}

static void
silence_end(struct silence *q)
{
	char	path[256];

	close(q->fd);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", q->dir);
	unlink(path);
	rmdir(q->dir);
}

/* What a call comes to with these hosts, and that it keeps to its 2 s. */
static enum err
ping_hosts(const char *conninfo)
{
	struct db	*db = hosts_open(conninfo);
	int64_t		began = clock_ms();
	enum err	e = db_ping(db);

	assert_in_range(clock_ms() - began, 0, 2100);
	talloc_free(db);
	return e;
}

static void
test_f86_silent_hosts_cost_a_call_no_more_than_its_deadline(void **state)
{
	struct silence	q[3];
	char		conninfo[300];

	(void)state;
	for (int i = 0; i < 3; i++)
		silence_begin(&q[i]);
	snprintf(conninfo, sizeof(conninfo), "host=%s dbname=postgres", q[0].dir);
	assert_int_equal(ping_hosts(conninfo), ERR_UNAVAILABLE);
	snprintf(conninfo, sizeof(conninfo), "host=%s,%s,%s dbname=postgres", q[0].dir, q[1].dir, q[2].dir);
	assert_int_equal(ping_hosts(conninfo), ERR_UNAVAILABLE);
	for (int i = 0; i < 3; i++)
		silence_end(&q[i]);
}

static void
test_f86_silent_hosts_leave_time_for_the_next_one(void **state)
{
	struct silence	q[2];
	char		conninfo[400];

	(void)state;
	silence_begin(&q[0]);
	silence_begin(&q[1]);
	snprintf(conninfo, sizeof(conninfo), "host=%s,%s,%s port=5432 dbname=postgres", q[0].dir, q[1].dir, cluster.dir);
	assert_int_equal(ping_hosts(conninfo), OK);
	snprintf(conninfo, sizeof(conninfo), "postgresql:///postgres?host=%s,%s&port=5432,5432", q[0].dir, cluster.dir);
	assert_int_equal(ping_hosts(conninfo), OK);
	silence_end(&q[0]);
	silence_end(&q[1]);
}

static void
test_f85_of_several_hosts_the_one_that_can_be_written_to_is_used(void **state)
{
	struct cluster	standby;
	char		conninfo[300];

	(void)state;
	cluster_make(&standby);
	cluster_stop(&standby, SIGINT);
	cluster_start(&standby, "default_transaction_read_only=on");
	snprintf(conninfo, sizeof(conninfo), "host=/nowhere,%s,%s dbname=postgres", standby.dir, cluster.dir);
	assert_int_equal(ping_hosts(conninfo), OK);
	cluster_remove(&standby);
}

static void
test_f121_a_conninfo_that_cannot_be_read_is_no_way_to_a_database(void **state)
{
	(void)state;
	assert_int_equal(ping_hosts("host=/nowhere nonsense=1"), ERR_UNAVAILABLE);
	assert_int_equal(ping_hosts("postgresql://%zz"), ERR_UNAVAILABLE);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f85_a_read_only_server_is_not_used),
		cmocka_unit_test(test_f86_silent_hosts_cost_a_call_no_more_than_its_deadline),
		cmocka_unit_test(test_f86_silent_hosts_leave_time_for_the_next_one),
		cmocka_unit_test(test_f85_of_several_hosts_the_one_that_can_be_written_to_is_used),
		cmocka_unit_test(test_f121_a_conninfo_that_cannot_be_read_is_no_way_to_a_database),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
