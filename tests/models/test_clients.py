"""The makers' own clients take what the stand-in says for what it means; npm installs them from tests/models/node."""
import time

import pytest

from conftest import API

STREAM = {"chat": {"stream": True, "stream_options": {"include_usage": True}}, "responses": {"stream": True},
          "messages": {"stream": True}}
INPUTS = {"cache_read": 5, "cache_write": 2, "cache_write_1h": 1}
# 20 tokens of input in all, of which 12 were not in a cache, and 12 of output
USAGE = {
    "chat": {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32,
             "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
             "completion_tokens_details": {"reasoning_tokens": 8}},
    "responses": {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
                  "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 32},
    "messages": {"input_tokens": 12, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 5,
                 "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
                 "output_tokens": 12, "service_tier": "standard"}}
FINISH = {"stop": ("stop", "completed", "end_turn"), "length": ("length", "max_output_tokens", "max_tokens"),
          "filter": ("content_filter", "content_filter", "refusal")}
ERRORS = {400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
          409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError", 500: "InternalServerError",
          503: "InternalServerError"}
ANTHROPIC_ERRORS = {503: "ServiceUnavailableError", 529: "OverloadedError"}


@pytest.fixture(params=API)
def api(request):
    return request.param


def by_api(values, api):
    return dict(zip(API, values))[api]


@pytest.mark.parametrize("streamed", [False, True])
def test_text_finish_and_usage(clients, models, api, streamed):
    models.tell({"text": "Grüße an alle", "inputs": INPUTS, "reasoning": 8})
    message = [{"role": "user", "content": "a b c d e f g h i j k l m n"}]       # 14 tokens, and 6 of any request
    body = {("input" if api == "responses" else "messages"): message, **(STREAM[api] if streamed else {})}
    answer = clients(api, body)
    assert (answer["text"], answer["finish"]) == ("Grüße an alle", by_api(FINISH["stop"], api))
    assert answer["usage"] == USAGE[api]
    call = models.call()
    assert [call[k] for k in ("fresh", "cache_read", "cache_write", "cache_write_1h", "output")] == [12, 5, 2, 1, 12]
    assert (call["text"], call["end"], call["stream"]) == ("Grüße an alle", "done", streamed)


@pytest.mark.parametrize("how", FINISH)
@pytest.mark.parametrize("streamed", [False, True])
def test_how_it_ended(clients, models, api, how, streamed):
    models.tell({"finish": how})
    answer = clients(api, STREAM[api] if streamed else {})
    assert answer["finish"] == by_api(FINISH[how], api)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_stops_at_its_limit(clients, models, api, streamed):
    limit = {"chat": "max_completion_tokens", "responses": "max_output_tokens", "messages": "max_tokens"}[api]
    models.tell({"words": 100})
    answer = clients(api, {limit: 16, **(STREAM[api] if streamed else {})})
    assert answer["finish"] == by_api(FINISH["length"], api)
    assert models.call()["output"] == 16 and models.call()["text"] == answer["text"]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal(clients, models, api, streamed):
    models.tell({"refusal": "I cannot help with that."})
    answer = clients(api, STREAM[api] if streamed else {})
    said = "text" if api == "messages" else "refusal"
    assert answer[said] == "I cannot help with that."


@pytest.mark.parametrize("status", {**ERRORS, **ANTHROPIC_ERRORS})
def test_each_status_is_the_clients_error(clients, models, api, status):
    models.tell({"status": status})
    answer = clients(api, STREAM[api])
    known = {**ERRORS, 529: "InternalServerError", **(ANTHROPIC_ERRORS if api == "messages" else {})}
    assert (answer["error"], answer["status"]) == (known[status], status)
    assert answer["id"] == models.call()["request_id"] and models.call()["end"] == "fault"


def test_a_limit_of_spending_has_its_code(clients, models):
    models.tell({"status": 429, "code": "credit_balance_exhausted", "type": "insufficient_quota"})
    answer = clients("chat")
    assert (answer["code"], answer["type"]) == ("credit_balance_exhausted", "insufficient_quota")
    models.tell({"status": 429, "code": "enforced_spend_limit_reached"})
    answer = clients("messages")
    assert '"details":{"error_code":"enforced_spend_limit_reached"}' in answer["message"]


def test_an_error_in_mid_stream(clients, models, api):
    models.tell({"cut": {"deltas": 2, "how": "error"}})
    answer = clients(api, STREAM[api])
    assert answer["error"] == "APIError"
    assert answer["type"] == by_api(("server_error", "error", "overloaded_error"), api)
    assert (models.call()["deltas"], models.call()["end"]) == (2, "fault")


def test_a_response_that_failed(clients, models):
    models.tell({"cut": {"deltas": 2, "how": "failed"}})
    answer = clients("responses", STREAM["responses"])
    assert answer["finish"] == "failed"


def test_a_client_that_leaves_is_in_the_books_with_what_it_got(clients, models, api):
    models.tell({"words": 1000, "rate": 50})
    assert clients(api, STREAM[api], stop=3) == {"stopped": True}
    end = time.monotonic() + 5
    while models.call()["end"] is None and time.monotonic() < end:
        time.sleep(0.02)
    call = models.call()
    assert call["end"] == "cancelled" and 3 <= call["output"] == call["deltas"] < 50
    assert call["ended_at"] - call["first_at"] < 1 and call["fresh"] > 0
