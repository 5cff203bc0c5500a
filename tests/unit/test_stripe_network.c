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

/* Names of this machine that are not plainly loopback: the server behind them would answer. */
static void
test_f96_plain_http_elsewhere_is_never_spoken(void **state)
{
	static const char *const	hosts[] = { "0.0.0.0", "0", "2130706433", "0x7f000001", "017700000001",
		"[::ffff:127.0.0.1]", "joe@127.0.0.1", "localhost@127.0.0.1", "127.0.0.1.evil.example",
		"localhost.evil.example", "127.0.0.1:80@127.0.0.1" };
	struct world			w;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		w.stripe = stripe_open(w.mem, &(struct stripe_options){
		    .api_url = mem_printf(w.mem, "http://%s%s", hosts[i], strrchr(w.api_url, ':')), .key = "sk_test_1",
		    .version = "v", .portal_configuration = "", .timeout_ms = 100 });
		assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	}
	end(&w, 0);
}

static void
test_f96_plain_http_is_spoken_to_this_machine(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	w.stripe = stripe_open(w.mem, &(struct stripe_options){
	    .api_url = mem_printf(w.mem, "http://localhost%s", strrchr(w.api_url, ':')), .key = "sk_test_1",
	    .version = "v", .portal_configuration = "", .timeout_ms = 5000 });
	assert_int_equal(ask(&w), OK);
	end(&w, 1);
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
		cmocka_unit_test(test_f96_plain_http_is_spoken_to_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
