/* https: whom an exchange trusts, what it speaks, what it takes from the environment, and when it gives up. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../tls/trust.h"
#include "https.h"
#include "secure.h"
#include "unit.h"

#define FINE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

enum { PATIENCE_MS = 5000, MOST = 8 };

static int64_t
now_ms(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct https_answer
get_within(mem_ctx *mem, struct https *h, const char *url, int timeout_ms)
{
	static const char *const	none[] = { NULL };
	struct https_answer		a;

	https_exchange(h, mem, &(struct https_request){ .method = "GET", .url = url, .headers = none,
	    .timeout_ms = timeout_ms }, &a, none, NULL);
	return a;
}

static struct https_answer
get(mem_ctx *mem, struct https *h, const char *url)
{
	return get_within(mem, h, url, PATIENCE_MS);
}

static struct https_answer
tls_ask(mem_ctx *mem, const char *certificate, const char *conf)
{
	uint16_t		port;
	pid_t			server = tls_serve(certificate, conf, &port);
	struct https_answer	a;

	a = get(mem, https_open(mem, true), mem_printf(mem, "https://127.0.0.1:%d/x", ntohs(port)));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return a;
}

static void
test_f96_a_certificate_by_a_known_authority_for_this_host_is_trusted(void **state)
{
	struct https_answer	a = tls_ask(*state, "good.pem", "old.conf");

	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, 2);
	assert_memory_equal(a.body.data, "{}", 2);
}

/* The server is the same as for the good one, so it is the certificate that makes each of them fail. */
static void
certificate_is_refused(mem_ctx *mem, const char *certificate)
{
	struct https_answer	a = tls_ask(mem, certificate, "old.conf");

	assert_int_equal(a.status, 0);
	assert_string_equal(a.why, curl_easy_strerror(CURLE_PEER_FAILED_VERIFICATION));
	assert_int_equal(a.body.len, 0);
}

static void
test_f96_a_certificate_by_an_unknown_authority_is_refused(void **state)
{
	certificate_is_refused(*state, "stranger.pem");
	certificate_is_refused(*state, "self.pem");
}

static void
test_f96_a_certificate_for_another_host_is_refused(void **state)
{
	certificate_is_refused(*state, "other.pem");
}

static void
test_f96_a_certificate_out_of_its_time_is_refused(void **state)
{
	certificate_is_refused(*state, "expired.pem");
	certificate_is_refused(*state, "future.pem");
}

/* The machine's own configuration of OpenSSL (old.conf, see main) allows TLS 1.0. */
static void
test_f96_tls_older_than_1_2_is_refused(void **state)
{
	struct https_answer	a = tls_ask(*state, "good.pem", "oldest.conf");

	assert_int_equal(a.status, 0);
	assert_string_equal(a.why, curl_easy_strerror(CURLE_SSL_CONNECT_ERROR));
}

/* A server without TLS. It serves as many connections as it has answers, one request each, or several if `stays`. */
struct server {
	int		fd;
	atomic_int	client;
	const char	*answers[MOST];
	char		asked[MOST][2048];
	size_t		answer_size[MOST];	/* 0: strlen */
	unsigned	n, times, connections;
	bool		stays;
	pthread_t	thread;
};

static bool
server_answers(struct server *s, int fd)
{
	char	*into = s->asked[s->times];
	size_t	size = s->answer_size[s->times], n = 0;
	ssize_t	got = 1;

	while (got > 0 && strstr(into, "\r\n\r\n") == NULL) {
		got = recv(fd, into + n, sizeof(s->asked[0]) - n - 1, 0);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got <= 0)
		return false;
	size = size > 0 ? size : strlen(s->answers[s->times]);
	for (size_t sent = 0; sent < size; sent += (size_t)got) {
		got = send(fd, s->answers[s->times] + sent, size - sent, MSG_NOSIGNAL);
		if (got <= 0)
			break;
	}
	s->times++;
	return true;
}

static void *
server_run(void *arg)
{
	struct server	*s = arg;
	char		rest[64];

	while (s->times < s->n) {
		int	fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		s->connections++;
		s->client = fd;
		while (server_answers(s, fd) && s->stays && s->times < s->n)
			;
		if (!s->stays)
			shutdown(fd, SHUT_WR);
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			;
		s->client = -1;
		close(fd);
	}
	return NULL;
}

static const char *
server_begin(struct server *s, mem_ctx *mem)
{
	s->fd = listener(8);
	s->client = -1;
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
	return mem_printf(mem, "http://127.0.0.1:%d", ntohs(port_of(s->fd)));
}

static void
server_end(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	shutdown(s->client, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void
test_f96_plain_http_is_spoken_only_where_it_is_allowed(void **state)
{
	struct server		s = { .answers = { FINE, FINE }, .n = 2 };
	const char		*url = server_begin(&s, *state);
	struct https_answer	a = get(*state, https_open(*state, false), url);

	assert_int_equal(a.status, 0);
	assert_string_equal(a.why, curl_easy_strerror(CURLE_UNSUPPORTED_PROTOCOL));
	assert_int_equal(get(*state, https_open(*state, true), url).status, 200);
	server_end(&s);
	assert_int_equal(s.connections, 1);
}

static void
test_f96_no_protocol_but_http_is_spoken(void **state)
{
	const char *const	urls[] = { mem_printf(*state, "file://%s/x", dir), "ftp://127.0.0.1:9/x",
		"gopher://127.0.0.1:9/x", "dict://127.0.0.1:9/x", "smtp://127.0.0.1:9/x", "telnet://127.0.0.1:9" };

	for (size_t i = 0; i < 2 * LENGTH(urls); i++) {
		struct https_answer	a = get(*state, https_open(*state, i % 2 == 0), urls[i / 2]);

		assert_int_equal(a.status, 0);
		assert_string_equal(a.why, curl_easy_strerror(CURLE_UNSUPPORTED_PROTOCOL));
	}
}

/* The server would answer, whatever the name says. */
static void
test_f125_a_host_whose_address_is_not_public_is_not_connected_to(void **state)
{
	uint16_t		port;
	pid_t			server = tls_serve("good.pem", "old.conf", &port);
	const char *const	hosts[] = { "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1",
		"169.254.169.254", "[fd00::1]", "[fe80::1]", "192.168.1.1" };

	for (size_t i = 0; i < LENGTH(hosts); i++) {
		struct https_answer	a = get(*state, https_open(*state, false), mem_printf(*state, "https://%s:%d/x",
		    hosts[i], ntohs(port)));

		assert_int_equal(a.status, 0);
		assert_string_equal(a.why, "the host's address is not public");
	}
	assert_int_equal(get(*state, https_open(*state, true), mem_printf(*state, "https://127.0.0.1:%d/x",
	    ntohs(port))).status, 200);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

/* Each of the proxies would answer. */
static void
test_f05_no_proxy_of_the_environment_is_asked(void **state)
{
	static const char *const	names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	static const char		proxied[] = "HTTP/1.1 299 By the proxy\r\nContent-Length: 0\r\n\r\n";
	struct server			proxy = { .answers = { proxied, proxied, proxied, proxied }, .n = 4 };
	struct server			s = { .answers = { FINE }, .n = 1 };
	uint16_t			port;
	pid_t				secure = tls_serve("good.pem", "old.conf", &port);
	const char			*url = server_begin(&proxy, *state);
	struct https_answer		plain_answer, answer;

	for (size_t i = 0; i < LENGTH(names); i++)
		setenv(names[i], url, 1);
	plain_answer = get(*state, https_open(*state, true), server_begin(&s, *state));
	answer = get(*state, https_open(*state, true), mem_printf(*state, "https://127.0.0.1:%d/x", ntohs(port)));
	for (size_t i = 0; i < LENGTH(names); i++)
		unsetenv(names[i]);
	kill(secure, SIGKILL);
	waitpid(secure, NULL, 0);
	server_end(&s);
	server_end(&proxy);
	assert_int_equal(plain_answer.status, 200);
	assert_int_equal(answer.status, 200);
	assert_int_equal(proxy.connections, 0);
}

static void
test_f104_no_password_of_a_netrc_is_sent(void **state)
{
	struct server	s = { .answers = { FINE }, .n = 1 };
	const char	*url = server_begin(&s, *state);
	FILE		*netrc = fopen(mem_printf(*state, "%s/.netrc", dir), "w");

	fputs("machine 127.0.0.1 login joe password secret\n", netrc);
	fclose(netrc);
	setenv("HOME", dir, 1);
	assert_int_equal(get(*state, https_open(*state, true), url).status, 200);
	server_end(&s);
	assert_null(strcasestr(s.asked[0], "Authorization"));
}

static void
test_f101_no_redirect_is_followed(void **state)
{
	struct server		elsewhere = { .answers = { FINE }, .n = 1 };
	const char		*target = server_begin(&elsewhere, *state);
	struct server		s = { .answers = { mem_printf(*state,
	    "HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", target) }, .n = 1 };
	struct https_answer	a = get(*state, https_open(*state, true), server_begin(&s, *state));

	server_end(&s);
	server_end(&elsewhere);
	assert_int_equal(a.status, 302);
	assert_int_equal(elsewhere.connections, 0);
}

/* An answer of n bytes of body, with its length told or not. */
static struct https_answer
get_large(mem_ctx *mem, size_t n, bool told)
{
	char			*answer = mem_printf(mem, told ? "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n" :
	    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", n);
	size_t			head = strlen(answer);
	struct server		s = { .n = 1 };
	struct https_answer	a;

	answer = talloc_realloc(mem, answer, char, head + n);
	memset(answer + head, 'x', n);
	s.answers[0] = answer;
	s.answer_size[0] = head + n;
	a = get(mem, https_open(mem, true), server_begin(&s, mem));
	server_end(&s);
	return a;
}

static void
test_f101_a_body_of_1_mib_is_taken_and_one_byte_more_is_not(void **state)
{
	for (int told = 0; told < 2; told++) {
		struct https_answer	a = get_large(*state, 1048576, told);

		assert_int_equal(a.status, 200);
		assert_false(a.too_large);
		assert_int_equal(a.body.len, 1048576);
		a = get_large(*state, 1048577, told);
		assert_int_equal(a.status, 0);
		assert_true(a.too_large);
	}
}

static void
test_f97_an_answer_that_stops_coming_is_given_up_after_ten_seconds(void **state)
{
	struct server		s = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{" }, .n = 1, .stays = true };
	const char		*url = server_begin(&s, *state);
	int64_t			begun = now_ms();
	struct https_answer	a = get_within(*state, https_open(*state, true), url, 60000);

	assert_in_range(now_ms() - begun, 8000, 20000);
	assert_int_equal(a.status, 0);
	assert_string_equal(a.why, curl_easy_strerror(CURLE_OPERATION_TIMEDOUT));
	server_end(&s);
}

/* The listener's queue is full, so the kernel ignores what comes: the connection is not made. */
static void
test_f97_a_connection_that_is_not_made_is_given_up_after_three_seconds(void **state)
{
	int			fd = listener(0), others[4];
	uint16_t		port = port_of(fd);
	struct sockaddr_in	a = loopback(port);
	int64_t			begun;
	struct https_answer	answer;

	for (size_t i = 0; i < LENGTH(others); i++) {
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(others[i], (struct sockaddr *)&a, sizeof(a));
	}
	usleep(50000);
	begun = now_ms();
	answer = get_within(*state, https_open(*state, true), mem_printf(*state, "http://127.0.0.1:%d/", ntohs(port)),
	    60000);
	assert_int_equal(answer.status, 0);
	assert_in_range(now_ms() - begun, 2500, 20000);
	for (size_t i = 0; i < LENGTH(others); i++)
		close(others[i]);
	close(fd);
}

static void
test_c07_nothing_of_one_exchange_is_in_the_next_on_its_connection(void **state)
{
	static const char *const	secret[] = { "Idempotency-Key: key-1", NULL }, *const none[] = { NULL };
	struct server			s = { .answers = { FINE, FINE }, .n = 2, .stays = true };
	const char			*url = server_begin(&s, *state);
	struct https			*h = https_open(*state, true);
	struct https_answer		a;

	https_exchange(h, *state, &(struct https_request){ .method = "POST", .url = url, .body = "a=1", .headers = secret,
	    .timeout_ms = PATIENCE_MS }, &a, none, NULL);
	assert_int_equal(a.status, 200);
	assert_int_equal(get(*state, h, url).status, 200);
	server_end(&s);
	assert_int_equal(s.connections, 1);
	assert_non_null(strstr(s.asked[1], "GET / HTTP/1.1\r\n"));
	assert_null(strstr(s.asked[1], "key-1"));
	assert_null(strcasestr(s.asked[1], "Content-"));
}

static void *
stop_soon(void *h)
{
	usleep(100000);
	https_stop(h);
	return NULL;
}

static void
test_f78_stopping_ends_an_exchange_and_all_later_ones(void **state)
{
	struct server		s = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", FINE }, .n = 2,
	    .stays = true };
	const char		*url = server_begin(&s, *state);
	struct https		*h = https_open(*state, true);
	int64_t			begun = now_ms();
	pthread_t		stopper;

	pthread_create(&stopper, NULL, stop_soon, h);
	assert_int_equal(get_within(*state, h, url, 60000).status, 0);
	assert_true(now_ms() - begun < 5000);
	pthread_join(stopper, NULL);
	assert_int_equal(get_within(*state, h, url, 60000).status, 0);
	assert_false(https_pause(h, 60000));
	assert_true(now_ms() - begun < 5000);
	server_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_f96_a_certificate_by_a_known_authority_for_this_host_is_trusted),
		TEST(test_f96_a_certificate_by_an_unknown_authority_is_refused),
		TEST(test_f96_a_certificate_for_another_host_is_refused),
		TEST(test_f96_a_certificate_out_of_its_time_is_refused),
		TEST(test_f96_tls_older_than_1_2_is_refused),
		TEST(test_f96_plain_http_is_spoken_only_where_it_is_allowed),
		TEST(test_f96_no_protocol_but_http_is_spoken),
		TEST(test_f125_a_host_whose_address_is_not_public_is_not_connected_to),
		TEST(test_f05_no_proxy_of_the_environment_is_asked),
		TEST(test_f104_no_password_of_a_netrc_is_sent),
		TEST(test_f101_no_redirect_is_followed),
		TEST(test_f101_a_body_of_1_mib_is_taken_and_one_byte_more_is_not),
		TEST(test_f97_an_answer_that_stops_coming_is_given_up_after_ten_seconds),
		TEST(test_f97_a_connection_that_is_not_made_is_given_up_after_three_seconds),
		TEST(test_c07_nothing_of_one_exchange_is_in_the_next_on_its_connection),
		TEST(test_f78_stopping_ends_an_exchange_and_all_later_ones),
	};

	return cmocka_run_group_tests(tests, certificates_make, certificates_remove);
}
