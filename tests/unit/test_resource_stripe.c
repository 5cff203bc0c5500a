/* resource_stripe: the section `stripe` of the configuration reaches the client. */
#include "upstream.h"

#include "config.h"
#include "report.h"
#include "resource.h"

static void
open_configured(struct world *w, int timeout_ms, int rate)
{
	struct config	*c = talloc_zero(w->mem, struct config);

	c->stripe.api_url = w->api_url;
	c->stripe.key = "rk_test_2";
	c->stripe.version = "2030-01-01.x";
	c->stripe.portal_configuration = "bpc_2";
	c->stripe.timeout_ms = timeout_ms;
	c->stripe.rate = rate;
	w->stripe = resource_open_stripe(w->mem, c, NULL, report_of(w->mem, NULL));
}

static void
test_c07_key_version_and_portal_are_those_of_the_configuration(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{}"));
	open_configured(&w, 5000, 0);
	assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "r", "en", &w.url), ERR_UPSTREAM);
	assert_non_null(strstr(w.server.asked[0], "\r\nAuthorization: Bearer rk_test_2\r\n"));
	assert_non_null(strstr(w.server.asked[0], "\r\nStripe-Version: 2030-01-01.x\r\n"));
	assert_non_null(strstr(w.server.asked[0], "&configuration=bpc_2"));
	end(&w, 1);
}

static void
test_f97_an_attempt_lasts_as_long_as_configured(void **state)
{
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, SILENCE, SILENCE, SILENCE);
	open_configured(&w, 600, 0);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_in_range(now_ms() - begun, 1100, 5000);
	end(&w, 2);
}

static void
test_f100_calls_keep_to_the_configured_rate(void **state)
{
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE);
	open_configured(&w, 5000, 2);
	begun = now_ms();
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&w), OK);
	assert_true(now_ms() - begun >= 490);
	end(&w, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c07_key_version_and_portal_are_those_of_the_configuration),
		cmocka_unit_test(test_f97_an_attempt_lasts_as_long_as_configured),
		cmocka_unit_test(test_f100_calls_keep_to_the_configured_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
