/* stripe: a rate and pauses that are kept for several processes. */
#include "upstream.h"

enum { TURNS = 8 };

/* What is asked of the pace, and what it answers: the last answer again and again. */
struct kept {
	int	turns[TURNS], n_turns;
	int	asked, rate, paused_ms;
};

static int
turn(void *arg, mem_ctx *mem, int rate)
{
	struct kept	*k = arg;
	int		i = k->asked < k->n_turns ? k->asked : k->n_turns - 1;

	assert_non_null(mem);
	k->asked++;
	k->rate = rate;
	return k->turns[i];
}

static void
pause_all(void *arg, mem_ctx *mem, int ms)
{
	assert_non_null(mem);
	((struct kept *)arg)->paused_ms = ms;
}

static void
keep(struct world *w, struct kept *k)
{
	w->stripe = stripe_open(w->mem, &(struct stripe_options){ .api_url = w->api_url, .key = "sk_test_1", .version = "v",
	    .portal_configuration = "", .timeout_ms = 2000, .rate = 4, .pace = { turn, pause_all, k } });
}

static void
test_s02_a_call_waits_for_its_turn_among_all_processes(void **state)
{
	struct kept	k = { .turns = { 40, 60, 0 }, .n_turns = 3 };
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE);
	keep(&w, &k);
	begun = now_ms();
	assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 99, 1000);
	assert_int_equal(k.asked, 3);
	assert_int_equal(k.rate, 4);
	end(&w, 1);
}

/* The process's own rate, four calls a second, is not kept beside the common one. */
static void
test_s02_the_common_rate_alone_counts(void **state)
{
	struct kept	k = { .turns = { 0 }, .n_turns = 1 };
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE, FINE, FINE, FINE, FINE, FINE);
	keep(&w, &k);
	begun = now_ms();
	for (int i = 0; i < 8; i++)
		assert_int_equal(ask(&w), OK);
	assert_true(now_ms() - begun < 900);
	assert_int_equal(k.asked, 8);
	end(&w, 8);
}

static void
test_s02_while_the_common_rate_is_not_known_a_process_keeps_its_own(void **state)
{
	struct kept	k = { .turns = { -1 }, .n_turns = 1 };
	struct world	w;
	int64_t		begun;

	(void)state;
	BEGIN(&w, FINE, FINE, FINE, FINE, FINE, FINE);
	keep(&w, &k);
	begun = now_ms();
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&w), OK);
	assert_in_range(now_ms() - begun, 490, 1500);
	end(&w, 6);
}

static void
test_f100_a_429_pauses_all_processes(void **state)
{
	struct kept	k = { .turns = { 0 }, .n_turns = 1 };
	struct world	w;

	(void)state;
	BEGIN(&w, "HTTP/1.1 429 Slow\r\nConnection: close\r\nStripe-Should-Retry: false\r\n"
	    "Retry-After: 30\r\n\r\n{}", FINE);
	keep(&w, &k);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_int_equal(k.paused_ms, 30000);
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	end(&w, 1);
}

/* A pause that another process began is known here after the first call that it stops. */
static void
test_f100_a_pause_of_all_processes_is_not_waited_for(void **state)
{
	struct kept	k = { .turns = { 60000 }, .n_turns = 1 };
	struct world	w;
	int64_t		begun = now_ms();

	(void)state;
	BEGIN(&w, FINE);
	keep(&w, &k);
	assert_true(stripe_is_up(w.stripe));
	assert_int_equal(ask(&w), ERR_UNAVAILABLE);
	assert_true(now_ms() - begun < 1000);
	assert_false(stripe_is_up(w.stripe));
	end(&w, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_s02_a_call_waits_for_its_turn_among_all_processes),
		cmocka_unit_test(test_s02_the_common_rate_alone_counts),
		cmocka_unit_test(test_s02_while_the_common_rate_is_not_known_a_process_keeps_its_own),
		cmocka_unit_test(test_f100_a_429_pauses_all_processes),
		cmocka_unit_test(test_f100_a_pause_of_all_processes_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
