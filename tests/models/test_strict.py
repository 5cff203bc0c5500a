"""What the stand-in refuses, and in which words: a provider would too."""
import json

import pytest
import requests

from conftest import API, KEY, MODEL, OTHER, body_of

USER = {"role": "user", "content": "Hi"}
DROP = ...

# api, what is changed of a request that is taken, status, (code, param) or a part of the message
REFUSED = [
    ("chat", {"unheard": 1}, 400, ("unknown_parameter", "unheard")),
    ("chat", {"temperature": 1}, 400, ("unsupported_parameter", "temperature")),
    ("chat", {"top_p": 1}, 400, ("unsupported_parameter", "top_p")),
    ("chat", {"max_tokens": 10}, 400, ("unsupported_parameter", "max_tokens")),
    ("chat", {"max_completion_tokens": "10"}, 400, ("invalid_type", "max_completion_tokens")),
    ("chat", {"max_completion_tokens": 1.5}, 400, ("invalid_type", "max_completion_tokens")),
    ("chat", {"max_completion_tokens": 0}, 400, ("integer_below_min_value", "max_completion_tokens")),
    ("chat", {"stream": "true"}, 400, ("invalid_type", "stream")),
    ("chat", {"stream_options": {"include_usage": True}}, 400, (None, "stream_options")),
    ("chat", {"stream": True, "stream_options": {"usage": True}}, 400, ("unknown_parameter", "stream_options.usage")),
    ("chat", {"stream": True, "stream_options": {"include_usage": 1}}, 400,
     ("invalid_type", "stream_options.include_usage")),
    ("chat", {"metadata": {}}, 400, (None, "metadata")),
    ("chat", {"model": DROP}, 400, ("missing_required_parameter", "model")),
    ("chat", {"model": "gone"}, 404, ("model_not_found", None)),
    ("chat", {"messages": DROP}, 400, ("missing_required_parameter", "messages")),
    ("chat", {"messages": []}, 400, ("empty_array", "messages")),
    ("chat", {"messages": "Hi"}, 400, ("invalid_type", "messages")),
    ("chat", {"messages": [{"role": "robot", "content": "Hi"}]}, 400, ("invalid_value", "messages[0].role")),
    ("chat", {"messages": [{"role": "user", "content": ""}]}, 400,
     ("string_below_min_length", "messages[0].content")),
    ("chat", {"messages": [{"role": "user", "content": 1}]}, 400, ("invalid_type", "messages[0].content")),
    ("chat", {"messages": [{"role": "user"}]}, 400, ("invalid_type", "messages[0].content")),
    ("chat", {"messages": [{**USER, "id": "1"}]}, 400, ("unknown_parameter", "messages[0].id")),
    ("chat", {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]}, 400,
     ("invalid_value", "messages[0].content[0].type")),
    ("responses", {"messages": [USER]}, 400, ("unknown_parameter", "messages")),
    ("responses", {"input": DROP}, 400, ("missing_required_parameter", "input")),
    ("responses", {"input": []}, 400, ("empty_array", "input")),
    ("responses", {"input": ""}, 400, ("string_below_min_length", "input")),
    ("responses", {"input": 7}, 400, ("invalid_type", "input")),
    ("responses", {"max_output_tokens": 15}, 400, ("integer_below_min_value", "max_output_tokens")),
    ("responses", {"max_completion_tokens": 50}, 400, ("unknown_parameter", "max_completion_tokens")),
    ("responses", {"stream": True, "stream_options": {"include_usage": True}}, 400,
     ("unknown_parameter", "stream_options.include_usage")),
    ("responses", {"temperature": 0}, 400, ("unsupported_parameter", "temperature")),
    ("responses", {"background": True}, 400, ("unsupported_value", "background")),
    ("responses", {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}]}, 400,
     ("invalid_value", "input[0].content[0].type")),
    ("messages", {"unheard": 1}, 400, "unheard: Extra inputs are not permitted"),
    ("messages", {"temperature": 1}, 400, "temperature"),
    ("messages", {"top_p": 1}, 400, "top_p"),
    ("messages", {"top_k": 1}, 400, "top_k"),
    ("messages", {"max_tokens": DROP}, 400, "max_tokens: Field required"),
    ("messages", {"max_tokens": "1"}, 400, "max_tokens: Input should be a valid integer"),
    ("messages", {"max_tokens": None}, 400, "max_tokens: Input should be a valid integer"),
    ("messages", {"max_tokens": 0}, 400, "max_tokens: Input should be greater than or equal to 1"),
    ("messages", {"max_tokens": 128001}, 400, "max_tokens: 128001 > 128000"),
    ("messages", {"stream_options": {}}, 400, "stream_options: Extra inputs are not permitted"),
    ("messages", {"model": "gone"}, 404, "model: gone"),
    ("messages", {"messages": []}, 400, "at least one message is required"),
    ("messages", {"messages": [USER, USER]}, 400, "roles must alternate"),
    ("messages", {"messages": [{"role": "assistant", "content": "Hi"}, USER]}, 400, 'must use the "user" role'),
    ("messages", {"messages": [{"role": "system", "content": "Hi"}, USER]}, 400, 'Unexpected role "system"'),
    ("messages", {"messages": [USER, {"role": "assistant", "content": "Hi"}]}, 400, "must end with a user message"),
    ("messages", {"messages": [{"role": "user", "content": ""}]}, 400, "messages.0.content"),
    ("messages", {"messages": [{"role": "user", "content": " \n"}]}, 400, "messages.0.content"),
    ("messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}, 400,
     "messages.0.content.0: text content blocks must contain non-whitespace text"),
    ("messages", {"messages": [{**USER, "id": "1"}]}, 400, "messages.0.id: Extra inputs are not permitted"),
    ("messages", {"system": ""}, 400, "system: system content must be non-empty"),
    ("messages", {"system": 1}, 400, "system: Input should be a valid list"),
]


def test_what_is_changed_was_taken_before(models):
    for api in API:
        assert models.ask(api).status_code == 200


@pytest.mark.parametrize("api, changed, status, words", REFUSED)
def test_a_wrong_request_is_refused(models, api, changed, status, words):
    answer = models.ask(api, changed)
    document = answer.json()
    error = document["error"]
    assert answer.status_code == status, document
    if api == "messages":
        assert document["type"] == "error" and document["request_id"] == answer.headers["request-id"]
        assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")
        assert set(error) == {"type", "message"} and words in error["message"]
    else:
        assert answer.headers["x-request-id"] and error["type"] == "invalid_request_error" and error["message"]
        assert set(error) == {"message", "type", "param", "code"} and (error["code"], error["param"]) == words
    call = models.call()
    assert call["end"] == "refused" and call["fresh"] == call["output"] == 0


@pytest.mark.parametrize("api", API)
@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b"null", b'{"model": NaN}', b'{"model": "\xff"}', b'{"model": "\\ud83d"}', b"[" * 100000],
    ids=["empty", "cut", "array", "null", "nan", "latin", "half", "deep"])
def test_a_body_that_is_no_json_object_is_refused(models, api, raw):
    answer = models.ask(api, raw=raw)
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("api", API)
def test_another_type_of_content_is_refused(models, api):
    assert models.ask(api, headers={"Content-Type": "text/plain"}).status_code in (400, 415)


@pytest.mark.parametrize("api", API)
@pytest.mark.parametrize("key, name", [(None, "any"), ("Bearer sk-test-none", "any"), (OTHER, "own"),
                                       ("Bearer " + OTHER, "any"), ("Basic " + KEY, "any")])
def test_no_key_or_a_wrong_one_is_refused(models, api, key, name):
    answer = models.ask(api, name=name, headers={"Authorization": key})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == ("authentication_error" if api == "messages" else "invalid_request_error")


def test_a_key_of_one_name_is_taken_there(models):
    assert models.ask("chat", name="own", headers={"Authorization": "Bearer " + OTHER}).status_code == 200


def test_anthropic_takes_its_key_in_a_header_of_its_own(models):
    assert models.ask("messages", headers={"Authorization": None, "x-api-key": KEY}).status_code == 200
    assert models.ask("chat", headers={"Authorization": None, "x-api-key": KEY}).status_code == 401


@pytest.mark.parametrize("version, status", [(None, 400), ("2020-01-01", 400), ("2023-06-01", 200)])
def test_the_version_is_one_that_is_served(models, version, status):
    assert models.ask("messages", headers={"anthropic-version": version}).status_code == status


def test_the_former_version_takes_what_the_new_one_does_not(models):
    answer = models.ask("messages", {"temperature": 0.5}, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == 200


@pytest.mark.parametrize("changed, status", [
    ({"max_tokens": 10}, 200), ({"max_completion_tokens": 10}, 400), ({"store": False}, 200), ({"temperature": 1}, 200),
    ({"stream": True, "stream_options": {"include_usage": True}}, 400), ({"model": "gpt-small"}, 404)])
def test_a_compatible_server_knows_less(models, changed, status):
    assert models.ask("chat", {"model": "local-small", **changed}, name="compatible").status_code == status


def test_only_what_there_is_is_served_and_by_post(models):
    headers = {"Authorization": "Bearer " + KEY}
    assert requests.post(models.url + "/any/v1/embeddings", "{}", headers=headers, timeout=5).status_code == 404
    assert requests.get(models.url + "/any/v1/chat/completions", headers=headers, timeout=5).status_code == 405
    assert [c["path"] for c in models.books()] == ["embeddings", "chat/completions"]


def test_what_was_said_before_is_what_a_cache_has(models):
    turns = [USER, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "More"}]
    for api in API:
        assert models.ask(api, {
            "chat": {"messages": [{"role": "system", "content": "Be kind"}, *turns]},
            "responses": {"input": turns, "instructions": "Be kind"},
            "messages": {"messages": turns, "system": "Be kind"}}[api]).status_code == 200
    billed = [(c["fresh"], c["cache_read"]) for c in models.books()]
    assert billed[0] == billed[1] and billed[0][1] > 0 and billed[2] == (sum(billed[0]), 0)
    marked = json.dumps(body_of("messages", messages=[{"role": "user", "content": [
        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}])).encode()
    assert models.ask("messages", raw=marked).json()["usage"]["cache_creation_input_tokens"] == 4
    assert models.books()[-1]["model"] == MODEL["messages"]
