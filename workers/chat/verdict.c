#include "verdict.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"

/* What tells more than a 429. OpenAI's type is "insufficient_quota" for all that is spent, so only codes are read. */
static const struct {
	const char	*code;
	bool		spent;
} codes[] = {
	{ "rate_limit_exceeded", false }, { "slow_down", false }, { "ramp_limit_exceeded", false },
	{ "credit_balance_exhausted", true }, { "insufficient_quota", true },
	{ "organization_spend_limit_exceeded", true }, { "project_spend_limit_exceeded", true },
	{ "organization_usage_limit_exceeded", true }, { "enforced_spend_limit_reached", true },
	{ "contract_spend_limit_reached", true },
};
static const struct verdict	limited = { VERDICT_RETRY, "busy", 429, "rate limit" };
static const struct verdict	spent = { VERDICT_NEXT, "spent", 429, "nothing left to spend" };

/* The one 400 that another provider may answer: Anthropic's own limit, which has no code. */
static const char	reached[] = "You have reached your specified API usage limits";

/* A server that moderates requests, as OpenRouter does, says in its 403 what it objects to. */
static const char	objection[] = "/metadata/reasons";

/* What the type or code of an error event stands for. */
static const struct {
	const char	*name;
	int		status;
} events[] = {
	{ "invalid_request_error", 400 }, { "invalid_prompt", 400 }, { "authentication_error", 401 },
	{ "invalid_api_key", 401 }, { "billing_error", 402 }, { "permission_error", 403 }, { "not_found_error", 404 },
	{ "model_not_found", 404 }, { "timeout_error", 408 }, { "conflict_error", 409 }, { "request_too_large", 413 },
	{ "rate_limit_error", 429 }, { "server_error", 500 }, { "api_error", 500 }, { "server_is_overloaded", 503 },
	{ "overloaded_error", 529 },
};

static const struct verdict statuses[] = {
	{ VERDICT_REFUSED, "invalid", 400, "request refused" },
	{ VERDICT_NEXT, "denied", 401, "key refused" },
	{ VERDICT_NEXT, "denied", 402, "payment asked for" },
	{ VERDICT_NEXT, "denied", 403, "not permitted" },
	{ VERDICT_NEXT, "gone", 404, "no such model" },
	{ VERDICT_RETRY, "error", 408, "timeout at the provider" },
	{ VERDICT_RETRY, "error", 409, "conflict at the provider" },
	{ VERDICT_REFUSED, "invalid", 413, "request too large" },
	{ VERDICT_REFUSED, "invalid", 422, "request refused" },
	{ VERDICT_RETRY, "busy", 429, "rate limit" },
	{ VERDICT_RETRY, "busy", 503, "overloaded" },
	{ VERDICT_RETRY, "busy", 529, "overloaded" },
};

static bool
code_is(struct json_object *error, const char *code)
{
	return json_is(error, "/code", code) || json_is(error, "/details/error_code", code);
}

/* Some compatible servers give a status as the code. */
static int
event_status(struct json_object *error)
{
	int64_t	n = json_int(error, "/code", 0);

	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (json_is(error, "/code", events[i].name) || json_is(error, "/type", events[i].name))
			return events[i].status;
	return n >= 400 && n < 600 ? (int)n : 500;
}

static struct verdict
verdict_of_status(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == status)
			return statuses[i];
	if (status >= 500)
		return (struct verdict){ VERDICT_RETRY, "error", status, "failure at the provider" };
	if (status >= 300 && status < 400)
		return (struct verdict){ VERDICT_NEXT, "error", status, "redirect refused" };
	return (struct verdict){ VERDICT_NEXT, "error", status, "status unknown" };
}

struct verdict
verdict_of(int status, struct json_object *error)
{
	const char	*message = json_text(error, "/message");

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if ((status == 0 || status == 429) && code_is(error, codes[i].code))
			return codes[i].spent ? spent : limited;
	if (status == 0)
		status = event_status(error);
	if (status == 400 && message != NULL && strncmp(message, reached, strlen(reached)) == 0)
		return spent;
	if (status == 403 && json_at(error, objection) != NULL)
		return (struct verdict){ VERDICT_REFUSED, "invalid", status, "request refused" };
	return verdict_of_status(status);
}

struct verdict
verdict_lost(const char *why)
{
	return (struct verdict){ VERDICT_RETRY, "error", 0, why };
}
