/* feed: an answer that is read as it comes. The test is the server too: nothing happens but within feed_wait(). */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "deadline.h"
#include "feed.h"
#include "secure.h"
#include "unit.h"

#define HEAD "HTTP/1.1 200 OK\r\nX-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\n"

enum { WHOLE_MS = 60000, SOON_MS = 5000, FLOOD = 32 << 20 };

static const char *const	named[] = { "X-Id", "retry-after", NULL };

struct server {
	int		fd, client;
	unsigned	connections;
	const char	*url;
	char		asked[2048];
};

/* Where libcurl was built to find the authorities that it trusts: here those of the test. */
curl_version_info_data *
curl_version_info(CURLversion version)
{
	static curl_version_info_data	info;

	info = *((curl_version_info_data *(*)(CURLversion))dlsym(RTLD_NEXT, "curl_version_info"))(version);
	info.cainfo = getenv("TEST_CA");
	return &info;
}

static void
server_open(struct server *s, mem_ctx *mem)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);

	*s = (struct server){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .client = -1 };
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	s->url = mem_printf(mem, "http://127.0.0.1:%d/v1", ntohs(a.sin_port));
}

static void
server_close(struct server *s)
{
	close(s->client);
	close(s->fd);
}

static bool
is_ready(int fd, int ms)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms) > 0;
}

/* Takes one more request, on the connection that there is or on a new one. */
static void
server_asked(struct server *s, struct feed *f)
{
	size_t	n = 0;

	for (int64_t end = deadline_after(SOON_MS); strstr(s->asked, "\r\n\r\nhello") == NULL; feed_wait(f, -1, 10)) {
		assert_true(deadline_left(end) > 0);
		if (is_ready(s->fd, 0)) {
			close(s->client);
			s->client = accept(s->fd, NULL, NULL);
			s->connections++;
		}
		if (s->client >= 0 && is_ready(s->client, 0))
			n += (size_t)recv(s->client, s->asked + n, sizeof(s->asked) - n - 1, 0);
	}
}

static void
say(const struct server *s, const char *text)
{
	assert_int_equal(send(s->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static struct feed *
ask_within(mem_ctx *mem, struct https *h, const char *url, int ms)
{
	static const char *const	headers[] = { "Content-Type: application/json", NULL };

	return feed_open(h, mem, &(struct https_request){ .method = "POST", .url = url, .body = "hello", .headers = headers,
	    .timeout_ms = ms }, named);
}

/* A feed whose request the server has. */
static struct feed *
ask(mem_ctx *mem, struct https *h, struct server *s)
{
	struct feed	*f = ask_within(mem, h, s->url, WHOLE_MS);

	memset(s->asked, 0, sizeof(s->asked));
	server_asked(s, f);
	return f;
}

static void
await(struct feed *f, enum feed_state state)
{
	for (int64_t end = deadline_after(SOON_MS); feed_state(f) != state; feed_wait(f, -1, 100))
		assert_true(deadline_left(end) > 0);
}

static void
taken(struct feed *f, const char *expected)
{
	const char	*bytes;
	size_t		n;

	feed_wait(f, -1, SOON_MS);
	n = feed_take(f, &bytes);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(bytes, expected, n);
	assert_int_equal(feed_take(f, &bytes), 0);
}

static void
test_c78_each_piece_can_be_taken_as_soon_as_it_has_come(void **state)
{
	struct server	s;
	struct feed	*f;

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	assert_non_null(strstr(s.asked, "POST /v1 HTTP/1.1\r\n"));
	assert_non_null(strstr(s.asked, "Content-Type: application/json\r\n"));
	assert_int_equal(feed_state(f), FEED_WAITING);
	assert_int_equal(feed_status(f), 0);
	assert_null(feed_header(f, "x-id"));
	say(&s, HEAD);
	await(f, FEED_OPEN);
	assert_int_equal(feed_status(f), 200);
	assert_string_equal(feed_header(f, "x-id"), "7");
	assert_null(feed_header(f, "Retry-After"));
	say(&s, "3\r\nabc\r\n");
	taken(f, "abc");
	say(&s, "3\r\ndef\r\n");
	taken(f, "def");
	say(&s, "1\r\ng\r\n0\r\n\r\n");
	taken(f, "g");
	await(f, FEED_ENDED);
	assert_null(feed_why(f));
	assert_int_equal(feed_status(f), 200);
	server_close(&s);
}

static void
test_c78_what_comes_at_once_is_taken_after_the_end(void **state)
{
	struct server	s;
	struct feed	*f;

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	say(&s, "HTTP/1.1 100 Continue\r\n\r\n");
	feed_wait(f, -1, 100);
	assert_int_equal(feed_state(f), FEED_WAITING);
	say(&s, "HTTP/1.1 529 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}");
	await(f, FEED_ENDED);
	assert_int_equal(feed_status(f), 529);
	assert_string_equal(feed_header(f, "retry-after"), "1");
	taken(f, "{}");
	server_close(&s);
}

static void
test_f158_no_redirect_is_followed(void **state)
{
	struct server	s, other;
	struct feed	*f;

	server_open(&s, *state);
	server_open(&other, *state);
	f = ask(*state, https_open(*state, true), &s);
	say(&s, mem_printf(*state, "HTTP/1.1 307 Over there\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", other.url));
	await(f, FEED_ENDED);
	assert_int_equal(feed_status(f), 307);
	assert_false(is_ready(other.fd, 100));
	server_close(&other);
	server_close(&s);
}

static void
test_f158_neither_plain_http_nor_an_address_that_is_not_public_is_spoken_to(void **state)
{
	struct https	*h = https_open(*state, false);
	struct server	s;
	struct feed	*f;

	server_open(&s, *state);
	f = ask_within(*state, h, s.url, WHOLE_MS);
	await(f, FEED_FAILED);
	assert_string_equal(feed_why(f), curl_easy_strerror(CURLE_UNSUPPORTED_PROTOCOL));
	f = ask_within(*state, h, mem_printf(*state, "https%s", s.url + 4), WHOLE_MS);
	await(f, FEED_FAILED);
	assert_string_equal(feed_why(f), "the host's address is not public");
	assert_false(is_ready(s.fd, 100));
	server_close(&s);
}

static struct feed *
ask_securely(mem_ctx *mem, struct https *h, const char *certificate)
{
	static const char *const	none[] = { NULL };
	uint16_t			port;
	pid_t				server = tls_serve(certificate, "old.conf", &port);
	struct feed			*f = feed_open(h, mem, &(struct https_request){ .method = "GET",
	    .url = mem_printf(mem, "https://127.0.0.1:%d/x", ntohs(port)), .headers = none, .timeout_ms = SOON_MS }, none);

	while (feed_state(f) == FEED_WAITING || feed_state(f) == FEED_OPEN)
		feed_wait(f, -1, SOON_MS);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return f;
}

static void
test_f96_only_a_certificate_by_a_known_authority_for_this_host_is_trusted(void **state)
{
	static const char *const	refused[] = { "stranger.pem", "self.pem", "other.pem", "expired.pem", "future.pem" };
	struct https			*h = https_open(*state, true);
	struct feed			*f = ask_securely(*state, h, "good.pem");

	assert_int_equal(feed_status(f), 200);
	taken(f, "{}");
	for (size_t i = 0; i < LENGTH(refused); i++) {
		f = ask_securely(*state, h, refused[i]);
		assert_int_equal(feed_state(f), FEED_FAILED);
		assert_string_equal(feed_why(f), curl_easy_strerror(CURLE_PEER_FAILED_VERIFICATION));
	}
}

/* The file is not there at first, and another one at last. */
static void
test_f96_the_authorities_are_read_once(void **state)
{
	struct https	*h = https_open(*state, true);
	const char	*file = getenv("TEST_CA"), *away = mem_printf(*state, "%s.away", file);
	struct feed	*f;

	assert_int_equal(rename(file, away), 0);
	f = ask_securely(*state, h, "good.pem");
	assert_int_equal(feed_state(f), FEED_FAILED);
	assert_string_equal(feed_why(f), curl_easy_strerror(CURLE_SSL_CACERT_BADFILE));
	assert_int_equal(rename(away, file), 0);
	assert_int_equal(feed_status(ask_securely(*state, h, "good.pem")), 200);
	assert_int_equal(rename(file, away), 0);
	assert_int_equal(symlink("foreign.crt", file), 0);
	f = ask_securely(*state, h, "good.pem");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rename(away, file), 0);
	assert_int_equal(feed_status(f), 200);
}

static void
test_f130_a_server_may_be_silent_for_longer_than_ten_seconds(void **state)
{
	struct server	s;
	struct feed	*f;

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	say(&s, HEAD "1\r\nx\r\n");
	taken(f, "x");
	for (int64_t end = deadline_after(18000); deadline_left(end) > 0; feed_wait(f, -1, 1000))
		assert_int_equal(feed_state(f), FEED_OPEN);
	say(&s, "1\r\nx\r\n");
	taken(f, "x");
	server_close(&s);
}

static void
test_f130_a_wait_ends_in_its_time_and_the_exchange_in_its_own(void **state)
{
	struct server	s;
	struct feed	*f;
	int64_t		began = clock_ms();

	server_open(&s, *state);
	f = ask_within(*state, https_open(*state, true), s.url, 700);
	assert_false(feed_wait(f, -1, 200));
	assert_in_range(clock_ms() - began, 199, 600);
	assert_int_equal(feed_state(f), FEED_WAITING);
	feed_wait(f, -1, WHOLE_MS);
	assert_in_range(clock_ms() - began, 650, SOON_MS);
	assert_int_equal(feed_state(f), FEED_FAILED);
	assert_string_equal(feed_why(f), curl_easy_strerror(CURLE_OPERATION_TIMEDOUT));
	server_close(&s);
}

/* What has come by then can be taken. */
static void
cut_short(mem_ctx *mem, const char *answer, int status, const char *why)
{
	struct server	s;
	struct feed	*f;

	server_open(&s, mem);
	f = ask(mem, https_open(mem, true), &s);
	say(&s, answer);
	shutdown(s.client, SHUT_WR);
	await(f, FEED_FAILED);
	assert_string_equal(feed_why(f), why);
	assert_int_equal(feed_status(f), status);
	taken(f, status != 0 ? "ab" : "");
	server_close(&s);
}

static void
test_f131_an_answer_that_is_cut_short_has_failed(void **state)
{
	struct feed	*f;
	struct server	s;

	cut_short(*state, HEAD "2\r\nab\r\n", 200, curl_easy_strerror(CURLE_PARTIAL_FILE));
	cut_short(*state, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 200, curl_easy_strerror(CURLE_PARTIAL_FILE));
	cut_short(*state, "HTTP/1.1 200 OK\r\nX-Id: 1\r\n", 0, "the headers are cut short");
	cut_short(*state, "", 0, curl_easy_strerror(CURLE_GOT_NOTHING));
	server_open(&s, *state);
	close(s.fd);
	f = ask_within(*state, https_open(*state, true), s.url, WHOLE_MS);
	await(f, FEED_FAILED);
	assert_string_equal(feed_why(f), curl_easy_strerror(CURLE_COULDNT_CONNECT));
}

static char
flood_byte(size_t at)
{
	return (char)('a' + at % 23);
}

/* Sends as much as the kernel takes within feed_wait(), of FLOOD bytes in all. */
static size_t
flood(struct server *s, struct feed *f, size_t sent)
{
	char	bytes[8192];
	ssize_t	n;

	for (int stalled = 0; stalled < 20 && sent < FLOOD;) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = flood_byte(sent + i);
		n = send(s->client, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		stalled = n > 0 ? 0 : stalled + 1;
		sent += n > 0 ? (size_t)n : 0;
		feed_wait(f, -1, stalled > 0 ? 5 : 0);
	}
	return sent;
}

/* The rest is in the kernel's buffers, which have a limit that is less than the flood. */
static void
test_f133_a_reader_that_stops_holds_64_kib_and_loses_nothing(void **state)
{
	struct server	s;
	struct feed	*f;
	const char	*bytes;
	size_t		sent, got = 0, n;

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	say(&s, "HTTP/1.1 200 OK\r\n\r\n");
	sent = flood(&s, f, 0);
	assert_true(sent < FLOOD);
	assert_true(talloc_total_size(f) < 4 * FEED_WAITS);
	close(s.client);
	while (feed_state(f) == FEED_OPEN || got < sent) {
		n = feed_take(f, &bytes);
		assert_true(n <= FEED_WAITS);
		for (size_t i = 0; i < n; i++, got++)
			assert_int_equal(bytes[i], flood_byte(got));
		feed_wait(f, -1, SOON_MS);
		assert_int_not_equal(feed_state(f), FEED_FAILED);
	}
	assert_int_equal(got, sent);
	s.client = -1;
	server_close(&s);
}

static void
test_f133_an_answer_without_end_is_cut_by_its_reader(void **state)
{
	struct server	s;
	struct feed	*f;
	const char	*bytes;

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	say(&s, "HTTP/1.1 200 OK\r\n\r\nabc");
	taken(f, "abc");
	feed_close(f);
	assert_int_equal(feed_state(f), FEED_FAILED);
	assert_int_equal(feed_status(f), 200);
	assert_int_equal(feed_take(f, &bytes), 0);
	assert_true(is_ready(s.client, SOON_MS));
	assert_true(recv(s.client, s.asked, 1, 0) <= 0);
	feed_wait(f, -1, WHOLE_MS);
	feed_close(f);
	server_close(&s);
}

/* A client that leaves; its descriptor is told of by a thread. */
struct later {
	int		fd;
	struct https	*https;
	pthread_t	thread;
};

static void *
later_run(void *arg)
{
	struct later	*l = arg;

	usleep(100000);
	if (l->https != NULL)
		https_stop(l->https);
	else
		close(l->fd);
	return NULL;
}

static void
test_f136_another_descriptor_ends_a_wait(void **state)
{
	struct server	s;
	struct later	l = { 0 };
	struct feed	*f;
	int		pair[2];
	int64_t		began = clock_ms();

	server_open(&s, *state);
	f = ask(*state, https_open(*state, true), &s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	l.fd = pair[1];
	pthread_create(&l.thread, NULL, later_run, &l);
	assert_true(feed_wait(f, pair[0], WHOLE_MS));
	pthread_join(l.thread, NULL);
	assert_in_range(clock_ms() - began, 90, SOON_MS);
	assert_true(feed_wait(f, pair[0], WHOLE_MS));
	assert_int_equal(feed_state(f), FEED_WAITING);
	assert_in_range(clock_ms() - began, 90, SOON_MS);
	close(pair[0]);
	server_close(&s);
}

static void
test_f139_stopping_ends_a_wait_and_all_later_ones(void **state)
{
	struct https	*h = https_open(*state, true);
	struct later	l = { .https = h };
	struct server	s;
	struct feed	*f;
	int64_t		began = clock_ms();

	server_open(&s, *state);
	f = ask(*state, h, &s);
	say(&s, HEAD);
	await(f, FEED_OPEN);
	pthread_create(&l.thread, NULL, later_run, &l);
	feed_wait(f, -1, WHOLE_MS);
	pthread_join(l.thread, NULL);
	assert_int_equal(feed_state(f), FEED_FAILED);
	assert_string_equal(feed_why(f), "the program stops");
	f = ask_within(*state, h, s.url, WHOLE_MS);
	feed_wait(f, -1, WHOLE_MS);
	assert_int_equal(feed_state(f), FEED_FAILED);
	assert_true(clock_ms() - began < SOON_MS);
	server_close(&s);
}

static void
test_f136_the_end_of_its_memory_closes_the_connection(void **state)
{
	mem_ctx		*mem = mem_new();
	struct server	s;

	server_open(&s, *state);
	ask(mem, https_open(*state, true), &s);
	talloc_free(mem);
	assert_true(is_ready(s.client, SOON_MS));
	assert_true(recv(s.client, s.asked, 1, 0) <= 0);
	server_close(&s);
}

static void
test_c78_a_connection_serves_the_next_feed_once_its_answer_has_ended(void **state)
{
	struct https	*h = https_open(*state, true);
	struct server	s;

	server_open(&s, *state);
	for (int i = 0; i < 3; i++) {
		struct feed	*f = ask(*state, h, &s);

		assert_int_equal(s.connections, 1);
		say(&s, HEAD "2\r\nab\r\n0\r\n\r\n");
		await(f, FEED_ENDED);
		taken(f, "ab");
	}
	assert_false(is_ready(s.fd, 0));
	server_close(&s);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_c78_each_piece_can_be_taken_as_soon_as_it_has_come),
		TEST(test_c78_what_comes_at_once_is_taken_after_the_end),
		TEST(test_f158_no_redirect_is_followed),
		TEST(test_f158_neither_plain_http_nor_an_address_that_is_not_public_is_spoken_to),
		TEST(test_f96_only_a_certificate_by_a_known_authority_for_this_host_is_trusted),
		TEST(test_f96_the_authorities_are_read_once),
		TEST(test_f130_a_server_may_be_silent_for_longer_than_ten_seconds),
		TEST(test_f130_a_wait_ends_in_its_time_and_the_exchange_in_its_own),
		TEST(test_f131_an_answer_that_is_cut_short_has_failed),
		TEST(test_f133_a_reader_that_stops_holds_64_kib_and_loses_nothing),
		TEST(test_f133_an_answer_without_end_is_cut_by_its_reader),
		TEST(test_f136_another_descriptor_ends_a_wait),
		TEST(test_f139_stopping_ends_a_wait_and_all_later_ones),
		TEST(test_f136_the_end_of_its_memory_closes_the_connection),
		TEST(test_c78_a_connection_serves_the_next_feed_once_its_answer_has_ended),
	};

	mem_init();
	return cmocka_run_group_tests_name("feed", tests, certificates_make, certificates_remove);
}
