/* https: what a connection to Stripe must be, and how long it may take. */
#include "upstream.h"

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
	struct stripe		*s = stripe_open(mem,
	    &(struct stripe_options){ .api_url = "http://192.0.2.1", .key = "sk_test_1",
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

	assert_int_equal(system(mem_printf(mem,
	    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
	    "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null", key, certificate)),
	    0);
	child = fork();
	if (child == 0) {
		execlp("openssl", "openssl", "s_server", "-quiet", "-www", "-accept", port, "-cert", certificate, "-key", key,
		    NULL);
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
test_f96_a_self_signed_certificate_is_refused(void **state)
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f101_a_redirect_is_not_followed),
		cmocka_unit_test(test_f101_a_body_over_1_mib_is_cut_off),
		cmocka_unit_test(test_f97_a_silent_stripe_costs_two_time_outs_and_the_slack),
		cmocka_unit_test(test_f96_a_refused_connection_is_unavailable),
		cmocka_unit_test(test_f96_plain_http_elsewhere_is_never_spoken),
		cmocka_unit_test(test_f96_a_self_signed_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
