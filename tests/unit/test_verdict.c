/* verdict: what follows from each status and code of a provider. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "unit.h"
#include "verdict.h"

/* Asserts the verdict of a status and the object "error" of its body. */
static void
follows(mem_ctx *mem, int status, const char *error, enum verdict_act act, const char *outcome)
{
	struct json_object	*doc = NULL;
	struct verdict		v;

	assert_true(error == NULL || json_parse(mem, error, strlen(error), &doc) == OK);
	v = verdict_of(status, doc);
	assert_int_equal(v.act, act);
	assert_string_equal(v.outcome, outcome);
	assert_non_null(v.why);
}

static void
test_f126_a_failure_of_the_provider_is_tried_again(void **state)
{
	static const int	failures[] = { 408, 409, 500, 502, 504, 520 };

	for (size_t i = 0; i < LENGTH(failures); i++)
		follows(*state, failures[i], NULL, VERDICT_RETRY, "error");
	follows(*state, 503, NULL, VERDICT_RETRY, "busy");
	follows(*state, 529, NULL, VERDICT_RETRY, "busy");
}

static void
test_f128_a_limit_of_the_rate_is_tried_again(void **state)
{
	follows(*state, 429, NULL, VERDICT_RETRY, "busy");
	follows(*state, 429, "{\"code\":\"rate_limit_exceeded\",\"type\":\"insufficient_quota\"}", VERDICT_RETRY, "busy");
	follows(*state, 429, "{\"code\":\"slow_down\"}", VERDICT_RETRY, "busy");
	follows(*state, 429, "{\"type\":\"rate_limit_error\",\"details\":{\"error_code\":\"ramp_limit_exceeded\"}}",
	    VERDICT_RETRY, "busy");
}

static void
test_f128_a_limit_of_spending_is_never_tried_again(void **state)
{
	static const char *const	openai[] = { "credit_balance_exhausted", "organization_spend_limit_exceeded",
		"project_spend_limit_exceeded", "organization_usage_limit_exceeded", "insufficient_quota" };
	static const char *const	anthropic[] = { "enforced_spend_limit_reached", "contract_spend_limit_reached" };

	for (size_t i = 0; i < LENGTH(openai); i++)
		follows(*state, 429, mem_printf(*state, "{\"type\":\"insufficient_quota\",\"code\":\"%s\"}", openai[i]),
		    VERDICT_NEXT, "spent");
	for (size_t i = 0; i < LENGTH(anthropic); i++)
		follows(*state, 429, mem_printf(*state, "{\"type\":\"rate_limit_error\",\"details\":{\"error_code\":\"%s\"}}",
		    anthropic[i]), VERDICT_NEXT, "spent");
	follows(*state, 400, "{\"type\":\"invalid_request_error\",\"message\":\"You have reached your specified API usage "
	    "limits. You will regain access on 2026-12-01.\"}", VERDICT_NEXT, "spent");
}

static void
test_f129_a_refused_key_leads_to_the_next(void **state)
{
	follows(*state, 401, "{\"message\":\"Incorrect API key provided: sk-test-1\"}", VERDICT_NEXT, "denied");
	follows(*state, 402, NULL, VERDICT_NEXT, "denied");
	follows(*state, 403, NULL, VERDICT_NEXT, "denied");
}

static void
test_f151_a_model_that_is_gone_leads_to_the_next(void **state)
{
	follows(*state, 404, "{\"code\":\"model_not_found\"}", VERDICT_NEXT, "gone");
}

static void
test_a_wrong_request_is_asked_of_nobody_else(void **state)
{
	follows(*state, 400, "{\"message\":\"Invalid value\"}", VERDICT_REFUSED, "invalid");
	follows(*state, 400, "{\"code\":\"insufficient_quota\"}", VERDICT_REFUSED, "invalid");
	follows(*state, 413, NULL, VERDICT_REFUSED, "invalid");
	follows(*state, 422, NULL, VERDICT_REFUSED, "invalid");
	follows(*state, 403, "{\"code\":403,\"metadata\":{\"reasons\":[\"violence\"]}}", VERDICT_REFUSED, "invalid");
	follows(*state, 0, "{\"code\":403,\"metadata\":{\"reasons\":[\"violence\"]}}", VERDICT_REFUSED, "invalid");
	follows(*state, 403, "{\"code\":403,\"metadata\":{}}", VERDICT_NEXT, "denied");
}

static void
test_f158_a_redirect_leads_to_the_next(void **state)
{
	follows(*state, 301, NULL, VERDICT_NEXT, "error");
	follows(*state, 307, NULL, VERDICT_NEXT, "error");
}

static void
test_f131_an_error_event_stands_for_a_status(void **state)
{
	static const struct {
		const char	*error;
		int		status;
	} cases[] = {
		{ "{\"type\":\"overloaded_error\"}", 529 }, { "{\"type\":\"api_error\"}", 500 },
		{ "{\"type\":\"rate_limit_error\"}", 429 }, { "{\"type\":\"timeout_error\"}", 408 },
		{ "{\"type\":\"authentication_error\"}", 401 }, { "{\"type\":\"billing_error\"}", 402 },
		{ "{\"type\":\"permission_error\"}", 403 }, { "{\"type\":\"not_found_error\"}", 404 },
		{ "{\"type\":\"invalid_request_error\"}", 400 }, { "{\"type\":\"request_too_large\"}", 413 },
		{ "{\"type\":\"server_error\",\"code\":null}", 500 }, { "{\"code\":\"server_is_overloaded\"}", 503 },
		{ "{\"code\":\"rate_limit_exceeded\"}", 429 }, { "{\"code\":\"credit_balance_exhausted\"}", 429 },
		{ "{\"code\":502}", 502 }, { "{\"code\":7}", 500 }, { "{\"code\":\"later\"}", 500 }, { "{}", 500 },
		{ "null", 500 }, { "\"text\"", 500 },
	};
	struct json_object	*doc;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(json_parse(*state, cases[i].error, strlen(cases[i].error), &doc), OK);
		assert_int_equal(verdict_of(0, doc).status, cases[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f126_a_failure_of_the_provider_is_tried_again),
		TEST(test_f128_a_limit_of_the_rate_is_tried_again),
		TEST(test_f128_a_limit_of_spending_is_never_tried_again),
		TEST(test_f129_a_refused_key_leads_to_the_next),
		TEST(test_f151_a_model_that_is_gone_leads_to_the_next),
		TEST(test_a_wrong_request_is_asked_of_nobody_else),
		TEST(test_f158_a_redirect_leads_to_the_next),
		TEST(test_f131_an_error_event_stands_for_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
