/* Against a server of our own that answers as it is told and keeps what it was asked. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"
#include "stripe.h"

enum { MOST = 12, TIMEOUT_MS = 300 };

#define SILENCE ""		/* not a byte, until the other side gives up */
#define ANSWER(head, body) "HTTP/1.1 " head "\r\nConnection: close\r\nRetry-After: 0\r\n\r\n" body
#define FINE ANSWER("200 OK", "{\"id\":\"x_1\"}")

struct server {
	int		fd;
	const char	*answers[MOST];
	unsigned	n;		/* answers */
	char		asked[MOST][4096];
	unsigned	times;
	pthread_t	thread;
};

struct world {
	mem_ctx			*mem;
	struct server		server;
	struct stripe		*stripe;
	const char		*api_url;
	struct json_object	*doc;
	const char		*id;
	const char		*url;
};

static void
request_read(int fd, char *into, size_t room)
{
	size_t	n = 0;
	ssize_t	got;

	do {
		char		*end = strstr(into, "\r\n\r\n"), *length = strcasestr(into, "\r\nContent-Length:");

		if (end != NULL && strlen(end + 4) >= (length != NULL ? strtoul(length + 17, NULL, 10) : 0))
			return;
		got = recv(fd, into + n, room - n - 1, 0);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
}

static void *
server_run(void *arg)
{
	struct server	*s = arg;

	while (s->times < s->n) {
		const char	*answer = s->answers[s->times];
		int		fd = accept(s->fd, NULL, NULL);
		char		rest[64];

		if (fd < 0)
			return NULL;
		request_read(fd, s->asked[s->times++], sizeof(s->asked[0]));
		for (size_t left = strlen(answer); left > 0;) {
			ssize_t	sent = send(fd, answer + strlen(answer) - left, left, MSG_NOSIGNAL);

			if (sent <= 0)
				break;
			left -= (size_t)sent;
		}
		if (answer[0] != '\0')
			shutdown(fd, SHUT_WR);
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static void
begin(struct world *w, const char *const *answers, unsigned n)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);

	*w = (struct world){ .mem = mem_new() };
	memcpy(w->server.answers, answers, n * sizeof(*answers));
	w->server.n = n;
	w->server.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(w->server.fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(w->server.fd, 8), 0);
	assert_int_equal(getsockname(w->server.fd, (struct sockaddr *)&a, &size), 0);
	w->api_url = mem_printf(w->mem, "http://127.0.0.1:%d", ntohs(a.sin_port));
	w->stripe = stripe_open(w->mem, &(struct stripe_options){
		.api_url = w->api_url, .key = "sk_test_1",
		.version = "2026-07-29.dahlia", .portal_configuration = "bpc_1", .timeout_ms = TIMEOUT_MS,
	});
	assert_int_equal(pthread_create(&w->server.thread, NULL, server_run, &w->server), 0);
}

#define BEGIN(w, ...) begin((w), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

/* As many requests as `times`, no more and no less. */
static void
end(struct world *w, unsigned times)
{
	shutdown(w->server.fd, SHUT_RDWR);
	pthread_join(w->server.thread, NULL);
	close(w->server.fd);
	assert_int_equal(w->server.times, times);
	talloc_free(w->mem);
}

static enum err
ask(struct world *w)
{
	return stripe_call(w->stripe, w->mem, "POST", "/v1/things", "a=1&b=2", "key-1", &w->doc);
}

static int64_t
now_ms(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One answer, one verdict, and how often it is asked for. */
static void
check(const char *answer, enum err verdict, unsigned times)
{
	struct world	w;

	BEGIN(&w, answer, answer, answer);
	assert_int_equal(ask(&w), verdict);
	end(&w, times);
}

static void
test_c7_a_call_carries_key_version_and_exact_bytes(void **state)
{
	static const char *const parts[] = { "POST /v1/things HTTP/1.1\r\n", "\r\nAuthorization: Bearer sk_test_1\r\n",
		"\r\nStripe-Version: 2026-07-29.dahlia\r\n", "\r\nIdempotency-Key: key-1\r\n",
		"\r\nContent-Type: application/x-www-form-urlencoded\r\n", "\r\n\r\na=1&b=2" };
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	assert_int_equal(ask(&w), OK);
	assert_string_equal(json_text(w.doc, "/id"), "x_1");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_non_null(strstr(w.server.asked[0], parts[i]));
	end(&w, 1);
}

static void
test_c7_a_get_puts_its_parameters_into_the_query(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	assert_int_equal(stripe_call(w.stripe, w.mem, "GET", "/v1/things", "limit=3", NULL, &w.doc), OK);
	assert_non_null(strstr(w.server.asked[0], "GET /v1/things?limit=3 HTTP/1.1\r\n"));
	assert_null(strstr(w.server.asked[0], "Idempotency-Key"));
	end(&w, 1);
}

static void
test_f98_what_may_have_happened_is_asked_again_with_the_same_key_and_bytes(void **state)
{
	static const char *const first[] = {
		ANSWER("500 Oops", "{}"), ANSWER("502 Bad", "<html>"), ANSWER("503 Busy", ""), ANSWER("409 Conflict", "{}"),
		ANSWER("429 Slow", "{}"), ANSWER("400 Bad\r\nStripe-Should-Retry: true", "{}"), SILENCE, "HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":", ANSWER("200 OK", "{\"id\":"), ANSWER("200 OK", "<html>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
		struct world	w;

		BEGIN(&w, first[i], FINE);
		assert_int_equal(ask(&w), OK);
		assert_string_equal(w.server.asked[0], w.server.asked[1]);
		end(&w, 2);
	}
}

static void
test_f98_three_attempts_and_no_more(void **state)
{
	(void)state;
	check(ANSWER("500 Oops", "{}"), ERR_UNAVAILABLE, 3);
	check(ANSWER("409 Conflict", "{}"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", "[1]"), ERR_UPSTREAM, 3);
}

static void
test_f102_what_stripe_decided_is_not_asked_again(void **state)
{
	(void)state;
	check(ANSWER("400 Bad", "{\"error\":{\"type\":\"idempotency_error\"}}"), ERR_INTERNAL, 1);
	check(ANSWER("401 No", "{}"), ERR_KEY_REFUSED, 1);
	check(ANSWER("402 Pay", "{}"), ERR_INTERNAL, 1);
	check(ANSWER("403 No", "{}"), ERR_KEY_REFUSED, 1);
	check(ANSWER("404 Gone", "{}"), ERR_NOT_FOUND, 1);
	check(ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), ERR_UNAVAILABLE, 1);
}

static enum err
get(struct world *w, const char *path)
{
	return stripe_call(w->stripe, w->mem, "GET", path, NULL, NULL, &w->doc);
}

static void
test_f102_a_key_that_stripe_does_not_know_opens_the_breaker(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("401 No", "{}"), FINE);
	assert_true(stripe_knows_key(w.stripe));
	assert_int_equal(get(&w, "/v1/things"), ERR_KEY_REFUSED);
	assert_false(stripe_knows_key(w.stripe) || stripe_is_up(w.stripe));
	assert_int_equal(get(&w, "/v1/others"), ERR_UNAVAILABLE);
	assert_string_equal(json_text(stripe_refused(w.stripe, w.mem), "/0"), "every call");
	end(&w, 1);
}

static void
test_f102_a_key_that_lacks_one_right_does_all_the_rest(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("403 No", "{}"), FINE, FINE);
	assert_int_equal(get(&w, "/v1/things/1"), ERR_KEY_REFUSED);
	assert_int_equal(get(&w, "/v1/things/2"), ERR_KEY_REFUSED);
	assert_int_equal(get(&w, "/v1/others"), OK);
	assert_int_equal(ask(&w), OK);
	assert_true(stripe_knows_key(w.stripe) && stripe_is_up(w.stripe));
	assert_string_equal(json_text(stripe_refused(w.stripe, w.mem), "/0"), "GET /v1/things");
	end(&w, 3);
}

static void
test_f101_what_is_no_json_is_a_lost_answer(void **state)
{
	(void)state;
	check(ANSWER("200 OK", "<html>"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", "{\"id\":\"x_1\",\"obj"), ERR_UNAVAILABLE, 3);
	check(ANSWER("200 OK", ""), ERR_UNAVAILABLE, 3);
	check(ANSWER("404 Gone", "<html>"), ERR_UNAVAILABLE, 3);
	check(ANSWER("401 No", "<html>"), ERR_UNAVAILABLE, 3);
}

static void
test_f77_json_that_we_do_not_take_is_an_answer(void **state)
{
	static char	deep[200] = "HTTP/1.1 200 OK\r\nConnection: close\r\nRetry-After: 0\r\n\r\n";

	(void)state;
	check(ANSWER("200 OK", "{\"id\":\"\\ud800\"}"), ERR_UPSTREAM, 3);
	check(ANSWER("200 OK", "{\"id\":1e999}"), ERR_UPSTREAM, 3);
	memset(deep + strlen(deep), '[', 40);
	memset(deep + strlen(deep), ']', 40);
	check(deep, ERR_UPSTREAM, 3);
}

static void
test_f101_a_cut_answer_is_asked_for_again_with_the_same_key(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"x_1\",\"obj"), FINE);
	assert_int_equal(ask(&w), OK);
	assert_string_equal(w.server.asked[0], w.server.asked[1]);
	end(&w, 2);
}

static void
test_f101_answers_that_are_no_json_open_the_breaker(void **state)
{
	static const char	strange[] = ANSWER("200 OK\r\nStripe-Should-Retry: false", "<html>");
	struct world		w;

	(void)state;
	BEGIN(&w, strange, strange, strange, strange, strange);
	for (int i = 0; i < 5; i++) {
		assert_true(stripe_is_up(w.stripe));
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	}
	assert_false(stripe_is_up(w.stripe));
	end(&w, 5);
}

static void
test_c92_the_account_is_that_of_the_key(void **state)
{
	static const struct {
		const char	*answer;
		enum err	err;
		const char	*id;
	} table[] = {
		{ ANSWER("200 OK", "{\"id\":\"acct_1\",\"object\":\"account\"}"), OK, "acct_1" },
		{ ANSWER("200 OK", "{\"id\":\"cus_1\"}"), ERR_UPSTREAM, NULL }, { ANSWER("200 OK", "{}"), ERR_UPSTREAM, NULL },
		{ ANSWER("403 No", "{\"error\":{}}"), ERR_FORBIDDEN, NULL }, { ANSWER("401 No", "{}"), ERR_KEY_REFUSED, NULL },
		{ ANSWER("403 No", "<html>"), ERR_UNAVAILABLE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct world	w;
		const char	*id;

		BEGIN(&w, table[i].answer, table[i].answer, table[i].answer);
		assert_int_equal(stripe_account(w.stripe, w.mem, &id), table[i].err);
		assert_non_null(strstr(w.server.asked[0], "GET /v1/account HTTP/1.1\r\n"));
		if (table[i].id)
			assert_string_equal(id, table[i].id);
		end(&w, table[i].err == ERR_UNAVAILABLE ? 3 : 1);
	}
}

static void
test_f98_a_failure_that_stripe_has_kept_is_final_for_its_key(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true\r\nStripe-Should-Retry: true", "{}");
	struct world		w;

	(void)state;
	check(kept, ERR_CONFLICT, 1);
	BEGIN(&w, ANSWER("500 Oops", "{}"), kept, FINE);
	assert_int_equal(ask(&w), ERR_CONFLICT);
	end(&w, 2);
	BEGIN(&w, ANSWER("200 OK\r\nIdempotent-Replayed: true", "{}"));
	assert_int_equal(ask(&w), OK);
	end(&w, 1);
}

static void
test_f98_the_portal_is_asked_once_more_with_another_key(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true", "{}");
	struct world		w;

	(void)state;
	BEGIN(&w, kept, kept, FINE);
	assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "https://app.example.com/", "en", &w.url), ERR_CONFLICT);
	assert_string_not_equal(w.server.asked[0], w.server.asked[1]);
	end(&w, 2);
}

static void
test_f101_a_redirect_is_not_followed(void **state)
{
	(void)state;
	check(ANSWER("302 Found\r\nLocation: http://127.0.0.1:1/", "{}"), ERR_UPSTREAM, 1);
}

static void
test_f101_a_body_over_1_mib_is_cut_off(void **state)
{
	static const char	head[] = ANSWER("200 OK", "");
	char			*answer = malloc(sizeof(head) + 1200000);

	(void)state;
	strcpy(answer, head);
	memset(answer + strlen(head), ' ', 1200000);
	answer[strlen(head) + 1200000 - 1] = '\0';
	check(answer, ERR_UPSTREAM, 1);
	free(answer);
}

static void
test_f100_a_long_retry_after_is_not_waited_for(void **state)
{
	static const char	slow[] = "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: 3600\r\n\r\n{}";
	int64_t			begun = now_ms();

	(void)state;
	check(slow, ERR_UNAVAILABLE, 1);
	assert_true(now_ms() - begun < 500);
}

#define SLOW "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: "

static void
test_f100_a_429_pauses_every_call(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SLOW "3600\r\n\r\n{}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_false(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 1);
}

static void
test_f100_a_short_pause_is_waited_for(void **state)
{
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, SLOW "1\r\nStripe-Should-Retry: false\r\n\r\n{}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 1000, 1400);
	end(&w, 2);
}

static void
test_f100_a_locked_object_pauses_nobody(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SLOW "3600\r\n\r\n{\"error\":{\"code\":\"lock_timeout\"}}", FINE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), OK);
	end(&w, 2);
}

static void
test_f100_calls_keep_to_the_rate(void **state)
{
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE, FINE, FINE, FINE);
	w.stripe = stripe_open(w.mem, &(struct stripe_options){ .api_url = w.api_url, .key = "sk_test_1", .version = "v",
	    .portal_configuration = "", .timeout_ms = 2000, .rate = 4 });
	begun = now_ms();
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 490, 900);
	end(&w, 6);
}

static void
test_f81_a_list_is_walked_page_by_page(void **state)
{
	struct world		w;
	struct stripe_list	l = { .path = "/v1/things", .form = "status=all" };

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"data\":[{\"id\":\"x_3\"},{\"id\":\"x_2\"}],\"has_more\":true}"),
	    ANSWER("200 OK", "{\"data\":[{\"id\":\"x_1\"}],\"has_more\":false}"));
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_true(l.more);
	assert_string_equal(l.after, "x_2");
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_false(l.more);
	assert_int_equal(json_object_array_length(l.data), 1);
	assert_non_null(strstr(w.server.asked[0], "GET /v1/things?status=all&limit=100 HTTP"));
	assert_non_null(strstr(w.server.asked[1], "GET /v1/things?status=all&limit=100&starting_after=x_2 HTTP"));
	end(&w, 2);
}

static void
test_f101_a_page_that_is_too_large_is_asked_for_in_parts(void **state)
{
	static char		large[1200000];
	struct world		w;
	struct stripe_list	l = { .path = "/v1/things" };

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, ANSWER("200 OK", ""), strlen(ANSWER("200 OK", "")));
	BEGIN(&w, large, ANSWER("200 OK", "{\"data\":[],\"has_more\":false}"));
	assert_int_equal(stripe_list(w.stripe, w.mem, &l), OK);
	assert_non_null(strstr(w.server.asked[1], "limit=10 "));
	end(&w, 2);
}

static void
test_f101_what_is_no_list_is_refused(void **state)
{
	static const char *const answers[] = { ANSWER("200 OK", "{\"data\":{}}"), ANSWER("200 OK", "{\"has_more\":true}"),
		ANSWER("200 OK", "{\"data\":[{\"no\":\"id\"}]}"), ANSWER("200 OK", "{\"data\":[{\"no\":\"id\"},{\"id\":\"x_1\"}]}") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct world		w;
		struct stripe_list	l = { .path = "/v1/things" };

		BEGIN(&w, answers[i]);
		assert_int_equal(stripe_list(w.stripe, w.mem, &l), ERR_UPSTREAM);
		end(&w, 1);
	}
}

static void
test_f97_a_silent_stripe_costs_two_time_outs_and_the_slack(void **state)
{
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, SILENCE, SILENCE, SILENCE);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 2 * TIMEOUT_MS + STRIPE_SLACK_MS);
	end(&w, 2);
}

static void
test_f96_a_refused_connection_is_unavailable(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	shutdown(w.server.fd, SHUT_RDWR);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 0);
}

static void
test_f96_plain_http_elsewhere_is_never_spoken(void **state)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	struct stripe		*s = stripe_open(mem, &(struct stripe_options){ .api_url = "http://192.0.2.1", .key = "sk_test_1",
	    .version = "v", .portal_configuration = "", .timeout_ms = TIMEOUT_MS });
	int64_t			begun = now_ms();

	(void)state;
	assert_int_equal(stripe_call(s, mem, "DELETE", "/v1/x", NULL, NULL, &doc), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 3 * TIMEOUT_MS + STRIPE_SLACK_MS);
	talloc_free(mem);
}

/* A TLS server with a certificate that it signed itself; it would answer any request with 200 and a web page. */
static pid_t
tls_server(mem_ctx *mem, const char *dir, const char *port)
{
	const char	*key = mem_printf(mem, "%s/key", dir), *certificate = mem_printf(mem, "%s/certificate", dir);
	pid_t		child;

	assert_int_equal(system(mem_printf(mem, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
	    "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null", key, certificate)), 0);
	child = fork();
	if (child == 0) {
		execlp("openssl", "openssl", "s_server", "-quiet", "-www", "-accept", port, "-cert", certificate, "-key", key, NULL);
		_exit(127);
	}
	return child;
}

static bool
connects(uint16_t port)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int			fd = socket(AF_INET, SOCK_STREAM, 0);
	bool			connected = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(fd);
	return connected;
}

static uint16_t
free_port(void)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	close(fd);
	return a.sin_port;
}

static void
test_f96_a_certificate_that_nobody_vouches_for_is_refused(void **state)
{
	mem_ctx			*mem = mem_new();
	char			dir[] = "/tmp/tollgate-tls-XXXXXX";
	uint16_t		port = free_port();
	const char		*where = mem_printf(mem, "127.0.0.1:%d", ntohs(port));
	struct json_object	*doc;
	struct stripe		*s;
	pid_t			server;
	enum err		verdict;

	(void)state;
	assert_non_null(mkdtemp(dir));
	server = tls_server(mem, dir, where);
	for (int i = 0; i < 100 && !connects(port); i++)
		usleep(20000);
	s = stripe_open(mem, &(struct stripe_options){ .api_url = mem_printf(mem, "https://%s", where), .key = "sk_test_1",
	    .version = "v", .portal_configuration = "", .timeout_ms = 2000 });
	verdict = stripe_call(s, mem, "GET", "/v1/things", NULL, NULL, &doc);
	assert_true(connects(port));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	assert_int_equal(verdict, ERR_UNAVAILABLE);
	assert_int_equal(system(mem_printf(mem, "rm -r %s", dir)), 0);
	talloc_free(mem);
}

static void
test_f96_five_failures_of_ten_open_the_breaker(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"),
	    ANSWER("500 Oops\r\nStripe-Should-Retry: false", "{}"), FINE);
	for (int i = 0; i < 5; i++) {
		assert_true(stripe_is_up(w.stripe));
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	}
	assert_false(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 5);
}

static void
test_f98_an_answer_that_stripe_repeats_is_no_failure_of_the_breaker(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true", "{}");
	struct world		w;

	(void)state;
	BEGIN(&w, kept, kept, kept, kept, kept, kept, FINE);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w), ERR_CONFLICT);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), OK);
	end(&w, 7);
}

static void
test_f102_a_customer_who_is_not_there_is_told_apart(void **state)
{
	static const struct { const char *param; enum err verdict; } table[] = {
		{ "customer", ERR_NOT_FOUND }, { "line_items[0][price]", ERR_INTERNAL },
	};
	struct stripe_checkout	c = { .tenant = "t", .plan = "p", .price = "price_1", .customer = "cus_1", .success_url = "s",
	    .cancel_url = "c", .language = "en", .key = "k" };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct world	w;
		char		answer[512];

		snprintf(answer, sizeof(answer), ANSWER("400 Bad", "{\"error\":{\"code\":\"resource_missing\",\"param\":\"%s\"}}"),
		    table[i].param);
		BEGIN(&w, answer);
		assert_int_equal(stripe_checkout(w.stripe, w.mem, &c, &w.id, &w.url), table[i].verdict);
		assert_null(w.id);
		end(&w, 1);
	}
}

static void *
stop_soon(void *stripe)
{
	usleep(100000);
	stripe_stop(stripe);
	return NULL;
}

static void
test_f78_stopping_ends_calls_and_pauses(void **state)
{
	struct world	w;
	pthread_t	stopper;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, "HTTP/1.1 429 Slow\r\nConnection: close\r\nRetry-After: 1\r\n\r\n{}", FINE);
	pthread_create(&stopper, NULL, stop_soon, w.stripe);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 900);
	pthread_join(stopper, NULL);
	end(&w, 1);
}

static enum err
checkout(struct world *w, const char *customer)
{
	return stripe_checkout(w->stripe, w->mem, &(struct stripe_checkout){
		.tenant = "0b0c3f1e", .plan = "starter", .price = "price_1", .email = "a+b@example.com", .customer = customer,
		.success_url = "https://app.example.com/welcome?session_id={CHECKOUT_SESSION_ID}",
		.cancel_url = "https://app.example.com/signup", .language = "de", .key = "key-1",
	}, &w->id, &w->url);
}

static void
test_c7_the_checkout_request_field_by_field(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"complete\",\"url\":null}"));
	assert_int_equal(checkout(&w, NULL), OK);
	assert_string_equal(w.id, "cs_1");
	assert_null(w.url);
	assert_string_equal(strstr(w.server.asked[0], "\r\n\r\n") + 4,
	    "mode=subscription&line_items[0][price]=price_1&line_items[0][quantity]=1&customer_email=a%2Bb%40example.com"
	    "&client_reference_id=0b0c3f1e&metadata[tenant_id]=0b0c3f1e&metadata[plan]=starter"
	    "&subscription_data[metadata][tenant_id]=0b0c3f1e&subscription_data[metadata][plan]=starter"
	    "&success_url=https%3A%2F%2Fapp.example.com%2Fwelcome%3Fsession_id%3D%7BCHECKOUT_SESSION_ID%7D"
	    "&cancel_url=https%3A%2F%2Fapp.example.com%2Fsignup&locale=de");
	end(&w, 1);
}

static void
test_c7_a_known_customer_is_named_instead_of_the_address(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"expired\"}"));
	assert_int_equal(checkout(&w, "cus_1"), OK);
	assert_non_null(strstr(w.server.asked[0], "&customer=cus_1&"));
	assert_null(strstr(w.server.asked[0], "customer_email"));
	end(&w, 1);
}

static void
test_f101_only_a_page_on_stripes_host_is_handed_out(void **state)
{
	static const char *const answers[] = {
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":null}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"https://evil.example/c\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"javascript:alert(1)\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\"}"),
		ANSWER("200 OK", "{\"id\":\"in_1\",\"status\":\"open\"}"),
		ANSWER("200 OK", "{\"status\":\"open\"}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct world	w;

		BEGIN(&w, answers[i]);
		assert_int_equal(checkout(&w, NULL), ERR_UPSTREAM);
		assert_null(w.url);
		end(&w, 1);
	}
}

static void
test_c24_the_portal_names_customer_return_and_configuration(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"bps_1\",\"url\":\"https://evil.example/p\"}"));
	assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "https://app.example.com/settings/billing", "en", &w.url),
	    ERR_UPSTREAM);
	assert_null(w.url);
	assert_string_equal(strstr(w.server.asked[0], "\r\n\r\n") + 4, "customer=cus_1"
	    "&return_url=https%3A%2F%2Fapp.example.com%2Fsettings%2Fbilling&locale=en&configuration=bpc_1");
	end(&w, 1);
}

static void
test_f101_the_real_stripes_pages_have_hosts_of_their_own(void **state)
{
	mem_ctx		*mem = mem_new();
	struct stripe	*s = stripe_open(mem, &(struct stripe_options){ .api_url = "https://api.stripe.com", .key = "sk_test_1",
	    .version = "v", .portal_configuration = "", .timeout_ms = TIMEOUT_MS });

	(void)state;
	assert_string_equal(stripe_origins(s), "https://checkout.stripe.com https://billing.stripe.com");
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c7_a_call_carries_key_version_and_exact_bytes),
		cmocka_unit_test(test_c7_a_get_puts_its_parameters_into_the_query),
		cmocka_unit_test(test_f98_what_may_have_happened_is_asked_again_with_the_same_key_and_bytes),
		cmocka_unit_test(test_f98_three_attempts_and_no_more),
		cmocka_unit_test(test_f102_what_stripe_decided_is_not_asked_again),
		cmocka_unit_test(test_f102_a_key_that_stripe_does_not_know_opens_the_breaker),
		cmocka_unit_test(test_f102_a_key_that_lacks_one_right_does_all_the_rest),
		cmocka_unit_test(test_f101_what_is_no_json_is_a_lost_answer),
		cmocka_unit_test(test_f77_json_that_we_do_not_take_is_an_answer),
		cmocka_unit_test(test_f101_a_cut_answer_is_asked_for_again_with_the_same_key),
		cmocka_unit_test(test_f101_answers_that_are_no_json_open_the_breaker),
		cmocka_unit_test(test_c92_the_account_is_that_of_the_key),
		cmocka_unit_test(test_f98_a_failure_that_stripe_has_kept_is_final_for_its_key),
		cmocka_unit_test(test_f98_the_portal_is_asked_once_more_with_another_key),
		cmocka_unit_test(test_f101_a_redirect_is_not_followed),
		cmocka_unit_test(test_f101_a_body_over_1_mib_is_cut_off),
		cmocka_unit_test(test_f100_a_long_retry_after_is_not_waited_for),
		cmocka_unit_test(test_f100_a_429_pauses_every_call),
		cmocka_unit_test(test_f100_a_short_pause_is_waited_for),
		cmocka_unit_test(test_f100_a_locked_object_pauses_nobody),
		cmocka_unit_test(test_f100_calls_keep_to_the_rate),
		cmocka_unit_test(test_f81_a_list_is_walked_page_by_page),
		cmocka_unit_test(test_f101_a_page_that_is_too_large_is_asked_for_in_parts),
		cmocka_unit_test(test_f101_what_is_no_list_is_refused),
		cmocka_unit_test(test_f97_a_silent_stripe_costs_two_time_outs_and_the_slack),
		cmocka_unit_test(test_f96_a_refused_connection_is_unavailable),
		cmocka_unit_test(test_f96_plain_http_elsewhere_is_never_spoken),
		cmocka_unit_test(test_f96_a_certificate_that_nobody_vouches_for_is_refused),
		cmocka_unit_test(test_f96_five_failures_of_ten_open_the_breaker),
		cmocka_unit_test(test_f98_an_answer_that_stripe_repeats_is_no_failure_of_the_breaker),
		cmocka_unit_test(test_f102_a_customer_who_is_not_there_is_told_apart),
		cmocka_unit_test(test_f78_stopping_ends_calls_and_pauses),
		cmocka_unit_test(test_c7_the_checkout_request_field_by_field),
		cmocka_unit_test(test_c7_a_known_customer_is_named_instead_of_the_address),
		cmocka_unit_test(test_f101_only_a_page_on_stripes_host_is_handed_out),
		cmocka_unit_test(test_c24_the_portal_names_customer_return_and_configuration),
		cmocka_unit_test(test_f101_the_real_stripes_pages_have_hosts_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
