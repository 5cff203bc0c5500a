/* connection: one request over one connection, with well and badly behaved peers. */
#include "server.h"

static void
test_a_request_is_handed_over_and_answered(void **state)
{
	struct server	*s = *state;

	assert_string_equal(call(s, "GET", "/a%20b?a=c+d", ""),
	    "Status: 200\r\nContent-Type: text/plain\r\nContent-Length: 25\r\n\r\nGET /a b 192.0.2.1 22 c d");
	assert_int_equal(*s->handled, 1);
}

static void
test_f34_the_log_has_the_route_and_nothing_the_client_wrote(void **state)
{
	struct server	*s = *state;
	const char	*log;

	call(s, "GET", "/secret?token=hidden", "");
	call(s, "hidden", "/", "");
	kill(s->pid, SIGTERM);
	wait_for_end(s);
	log = read_log(s);
	assert_non_null(strstr(log, "\"event\":\"request\",\"request\":\""));
	assert_non_null(strstr(log, "\"method\":\"GET\",\"route\":\"/pattern\",\"status\":200,\"ms\":"));
	assert_non_null(strstr(log, "\"status\":501"));
	assert_null(strstr(log, "secret"));
	assert_null(strstr(log, "hidden"));
}

static void
test_c30_the_body_arrives_byte_for_byte(void **state)
{
	struct server	*s = *state;
	char		*body = talloc_size(s->mem, 100001);

	for (int i = 0; i < 100000; i++)
		body[i] = (char)(1 + i % 255);
	body[100000] = '\0';
	assert_true(ends_with(call(s, "POST", "/body", body), body));
}

static void
test_f08_a_body_over_the_limit_is_answered(void **state)
{
	struct server	*s = *state;
	char		*body = talloc_size(s->mem, 2000001);

	memset(body, 'a', 2000000);
	body[100001] = '\0';
	assert_true(starts_with(call(s, "POST", "/body", body), "Status: 413\r\n"));
	body[100001] = 'a';
	body[2000000] = '\0';
	assert_true(starts_with(call(s, "POST", "/body", body), "Status: 413\r\n"));
	still_serves(s);
}

static void
test_f17_head_has_the_length_and_no_body(void **state)
{
	struct server	*s = *state;
	const char	*out = call(s, "HEAD", "/", "");

	assert_string_equal(out, "Status: 200\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\n");
}

static void
test_f01_f04_f10_f11_refusals_look_as_the_application_wants(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, more = { .ctx = s->mem };
	char		*value = talloc_size(s->mem, 70000);

	assert_true(ends_with(call(s, "BREW", "/a", ""), "\r\n\r\nrefused unknown_method /"));
	assert_true(starts_with(call(s, "get", "/a", ""), "Status: 501\r\n"));
	assert_true(ends_with(call(s, "GET", "/%00", ""), "\r\n\r\nrefused bad_request /"));
	assert_true(ends_with(call(s, "GET", "/a%2fb", ""), "\r\n\r\nrefused not_found /"));
	put_pair(&more, "HTTP_X-Y", 8, "", 0);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 400\r\n"));
	b.len = more.len = 0;
	memset(value, 'a', 70000);
	put_pair(&more, "HTTP_A", 6, value, 70000);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 431\r\n"));
	assert_int_equal(*s->handled, 0);
}

static void
test_f10_sixty_four_kib_of_headers_pass(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, more = { .ctx = s->mem };
	char		*value = talloc_size(s->mem, 65000);

	memset(value, 'a', 65000);
	put_pair(&more, "HTTP_A", 6, value, 65000);
	put_request(&b, 1, "GET", "/", "", &more);
	assert_true(starts_with(exchange(s, &b), "Status: 200\r\n"));
}

static void
test_f19_a_header_with_a_line_end_becomes_a_500(void **state)
{
	struct server	*s = *state;

	assert_string_equal(call(s, "GET", "/header", ""),
	    "Status: 500\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n\r\nrefused internal /header");
	assert_true(starts_with(call(s, "GET", "/page", ""), "Status: 500\r\n"));
	assert_true(starts_with(call(s, "GET", "/nothing", ""), "Status: 500\r\n"));
	assert_int_equal(count(read_log(s), "response_invalid"), 3);
}

/* Sends, and says that no more will come; the server must close without an answer. */
static void
turned_away(struct server *s, const struct buf *b)
{
	int	fd = join(s);

	send_all(fd, b);
	shutdown(fd, SHUT_WR);
	assert_int_equal(receive(s, fd, 1).out.len, 0);
}

static void
test_f21_f22_f23_what_is_no_request_is_turned_away(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };

	put_begin(&b, 0, 1, 0);
	turned_away(s, &b);
	b.len = 0;
	put_begin(&b, 1, 2, 0);
	turned_away(s, &b);
	b.len = 0;
	put_record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS\x0e\0FCGI_MAX_CONNS",
	    64);
	turned_away(s, &b);
	b.len = 0;
	put_begin(&b, 1, 1, 0);
	put_stream(&b, PARAMS, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	put_stream(&b, STDIN, 1, "", 0);
	turned_away(s, &b);
	still_serves(s);
	assert_int_equal(*s->handled, 1);
	assert_int_equal(count(read_log(s), "fastcgi_refused"), 4);
}

static void
test_f24_a_silent_and_a_dribbling_peer_are_dropped_after_two_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		silent = join(s), dribbling, sent = 0;
	int64_t		from = clock_ms();

	put_request(&b, 1, "GET", "/", "", NULL);
	assert_int_equal(receive(s, silent, 1).out.len, 0);
	assert_in_range(clock_ms() - from, 1900, 4000);
	dribbling = join(s);
	from = clock_ms();
	while (sent < (int)b.len && send(dribbling, b.data + sent++, 1, MSG_NOSIGNAL) == 1)
		usleep(40000);
	assert_in_range(clock_ms() - from, 1900, 4000);
	close(dribbling);
	still_serves(s);
	assert_int_equal(*s->handled, 1);
}

static void
test_f24_a_peer_that_sends_without_end_is_dropped_after_two_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);
	int64_t		from = clock_ms();

	put_begin(&b, 1, 1, 0);
	send_all(fd, &b);
	b.len = 0;
	put_record(&b, STDIN, 2, "skipped", 7);
	while (send(fd, b.data, b.len, MSG_NOSIGNAL) > 0)
		;
	assert_in_range(clock_ms() - from, 1900, 4000);
	close(fd);
	still_serves(s);
}

static void
test_f25_f28_a_cut_or_aborted_body_runs_no_handler(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };

	put_request(&b, 1, "POST", "/body", "some body", NULL);
	b.len -= 8;
	turned_away(s, &b);
	b.len -= 5;
	turned_away(s, &b);
	b.len = 0;
	put_request(&b, 1, "POST", "/body", "some body", NULL);
	b.len -= 8;
	put_record(&b, ABORT, 1, NULL, 0);
	turned_away(s, &b);
	assert_int_equal(*s->handled, 0);
	still_serves(s);
}

static void
test_f26_keep_conn_does_not_let_a_body_become_a_request(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, forged = { .ctx = s->mem }, pairs = { .ctx = s->mem };

	put_request(&forged, 1, "GET", "/forged", "", NULL);
	put_pairs(&pairs, "POST", "/", forged.len);
	put_begin(&b, 1, 1, 1);
	put_stream(&b, PARAMS, 1, pairs.data, pairs.len);
	put_stream(&b, STDIN, 1, forged.data, forged.len);
	buf_put(&b, forged.data, forged.len);
	assert_true(ends_with(exchange(s, &b), "\r\n\r\nPOST / 192.0.2.1 22 -"));
	assert_int_equal(*s->handled, 1);
}

static void
test_f27_a_multiplexed_request_is_refused_and_the_first_answered(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem }, all = { .ctx = s->mem };
	int		fd = join(s);
	char		chunk[4096];
	ssize_t		n;

	put_request(&b, 1, "POST", "/body", "first", NULL);
	buf_put(&all, b.data, 16);
	put_begin(&all, 2, 1, 0);
	buf_put(&all, b.data + 16, b.len - 16);
	send_all(fd, &all);
	all.len = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&all, chunk, (size_t)n);
	close(fd);
	assert_int_equal(read_reply(s->mem, &all, 2).ended, 1);
	assert_int_equal(read_reply(s->mem, &all, 1).ended, 0);
	assert_true(ends_with(read_reply(s->mem, &all, 1).out.data, "\r\n\r\nfirst"));
}

static void
test_f29_a_peer_that_does_not_read_is_given_up_after_ten_seconds(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);
	int64_t		from = clock_ms();

	put_request(&b, 1, "GET", "/large", "", NULL);
	send_all(fd, &b);
	still_serves(s);
	assert_in_range(clock_ms() - from, 9500, 15000);
	close(fd);
	assert_non_null(strstr(read_log(s), "\"status\":499"));
}

static void
test_a_large_answer_arrives_whole(void **state)
{
	struct server	*s = *state;
	struct buf	b = { .ctx = s->mem };
	int		fd = join(s);

	put_request(&b, 1, "GET", "/large", "", NULL);
	send_all(fd, &b);
	usleep(200000);
	assert_in_range(receive(s, fd, 1).out.len, LARGE, LARGE + 100);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		WITH(start_server, test_a_request_is_handed_over_and_answered),
		WITH(start_server, test_f34_the_log_has_the_route_and_nothing_the_client_wrote),
		WITH(start_server, test_c30_the_body_arrives_byte_for_byte),
		WITH(start_server, test_f08_a_body_over_the_limit_is_answered),
		WITH(start_server, test_f17_head_has_the_length_and_no_body),
		WITH(start_server, test_f01_f04_f10_f11_refusals_look_as_the_application_wants),
		WITH(start_server, test_f10_sixty_four_kib_of_headers_pass),
		WITH(start_server, test_f19_a_header_with_a_line_end_becomes_a_500),
		WITH(start_one_thread, test_f21_f22_f23_what_is_no_request_is_turned_away),
		WITH(start_one_thread, test_f24_a_silent_and_a_dribbling_peer_are_dropped_after_two_seconds),
		WITH(start_one_thread, test_f24_a_peer_that_sends_without_end_is_dropped_after_two_seconds),
		WITH(start_one_thread, test_f25_f28_a_cut_or_aborted_body_runs_no_handler),
		WITH(start_one_thread, test_f26_keep_conn_does_not_let_a_body_become_a_request),
		WITH(start_one_thread, test_f27_a_multiplexed_request_is_refused_and_the_first_answered),
		WITH(start_one_thread, test_f29_a_peer_that_does_not_read_is_given_up_after_ten_seconds),
		WITH(start_server, test_a_large_answer_arrives_whole),
	};

	mem_init();
	log_open("test_connection", LOG_INFO);
	return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
