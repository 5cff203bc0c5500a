"""The stand-in fails as it is told, by the bytes."""
import json
import time

import pytest
import requests
from urllib3.exceptions import ProtocolError

from conftest import API, KEY, body_of

STREAM = {"stream": True}


@pytest.fixture(params=API)
def api(request):
    return request.param


def stream(models, api, **more):
    """The bytes of an answer until it ends, and how: "end", "reset" or "close"."""
    got = b""
    with models.ask(api, STREAM, stream=True, **more) as answer:
        assert answer.status_code == 200
        try:
            for piece in answer.raw.stream(decode_content=False):
                got += piece
        except ProtocolError as e:
            return got, "reset" if "reset" in str(e) else "close"
    return got, "end"


def events(raw):
    """[(name, data)] of whole events."""
    found = []
    for block in raw.decode().replace("\r\n", "\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((lines.get("event"), lines["data"]))
    return found


def texts(api, raw):
    """The texts of deltas, also of those before an event that is cut."""
    found = []
    for _, data in events(raw):
        try:
            document = json.loads(data)
        except ValueError:
            continue
        if api == "chat" and isinstance(document, dict) and document.get("choices"):
            found.append(document["choices"][0]["delta"].get("content"))
        elif document.get("type") == "response.output_text.delta":
            found.append(document["delta"])
        elif document.get("type") == "content_block_delta":
            found.append(document["delta"]["text"])
    return [t for t in found if t]


def eventually(models, what):
    end = time.monotonic() + 5
    while not what(models.call()) and time.monotonic() < end:
        time.sleep(0.02)
    assert what(models.call()), models.call()


TERMINALS = {"chat": "[DONE]", "responses": "response.completed", "messages": "message_stop"}


def test_a_stream_as_it_should_be(models, api):
    raw, how = stream(models, api)
    assert how == "end" and raw.endswith(b"\n\n") and "".join(texts(api, raw)) == "You said: Hi there"
    assert TERMINALS[api] in events(raw)[-1]


@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_a_cut_at_a_byte(models, api, how):
    whole = len(stream(models, api)[0])
    for at in (1, whole // 2, whole - 1):
        models.forget()
        models.tell({"cut": {"bytes": at, "how": how}})
        raw, ended = stream(models, api)
        assert (len(raw), ended) == (at, how) and models.call()["end"] == "fault"


def test_a_cut_after_deltas(models, api):
    models.tell({"cut": {"deltas": 2, "how": "end"}})
    raw, _ = stream(models, api)
    assert texts(api, raw) == ["You", " said"]
    assert (models.call()["text"], models.call()["output"]) == ("You said", 2)


def test_an_error_event_has_the_shape_of_its_maker(models, api):
    models.tell({"cut": {"deltas": 1, "how": "error"}})
    name, data = events(stream(models, api)[0])[-1]
    error = json.loads(data)
    if api == "chat":
        assert name is None and set(error) == {"error"} and set(error["error"]) == {"message", "type", "param", "code"}
    elif api == "responses":
        assert name == error["type"] == "error" and {"code", "message", "param", "sequence_number"} <= set(error)
    else:
        assert name == error["type"] == "error" and error["error"]["type"] == "overloaded_error"
        assert error["request_id"] == models.call()["request_id"]


@pytest.mark.parametrize("where", ["accept", "head"])
def test_silence(models, api, where):
    models.tell({"hang": where})
    headers = {"Authorization": "Bearer " + KEY, "anthropic-version": "2026-10-21"}
    with pytest.raises(requests.exceptions.RequestException):
        with requests.post("%s/any/v1/%s" % (models.url, API[api]), json=body_of(api, stream=True), headers=headers,
                           stream=True, timeout=0.3) as answer:
            assert where == "head" and answer.status_code == 200
            next(answer.iter_content(1))
    eventually(models, lambda call: call["end"] == "cancelled")
    call = models.call()
    assert (call["head_at"] is None) == (where == "accept") and call["fresh"] > 0 and call["output"] == 0


def test_silence_in_mid_stream(models, api):
    models.tell({"cut": {"deltas": 2, "how": "hang"}})
    headers = {"Authorization": "Bearer " + KEY, "anthropic-version": "2026-10-21"}
    with requests.post("%s/any/v1/%s" % (models.url, API[api]), json=body_of(api, stream=True), headers=headers,
                       stream=True, timeout=0.3) as answer, pytest.raises(requests.exceptions.RequestException):
        for _ in answer.iter_content(1):
            pass
    eventually(models, lambda call: call["end"] == "cancelled")
    assert models.call()["output"] == 2


@pytest.mark.parametrize("streamed", [False, True])
def test_a_status_with_headers_and_a_body_that_quotes_the_key(models, api, streamed):
    models.tell({"status": 429, "headers": {"retry-after": "3600", "x-should-retry": "false"},
                 "body": {"error": {"message": "your key {key} of {model}"}}})
    answer = models.ask(api, {"stream": streamed})
    assert answer.status_code == 429
    assert (answer.headers["retry-after"], answer.headers["x-should-retry"]) == ("3600", "false")
    assert KEY in answer.text and body_of(api)["model"] in answer.text and models.call()["output"] == 0


def test_a_redirect(models, api):
    models.tell({"status": 307, "headers": {"Location": models.url + "/elsewhere"}})
    answer = models.ask(api, STREAM)
    assert (answer.status_code, answer.headers["Location"]) == (307, models.url + "/elsewhere")


def test_a_page_with_status_200(models, api):
    models.tell({"html": True})
    answer = models.ask(api, STREAM)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")


def test_garbage_is_no_json(models, api):
    models.tell({"garbage": 3})
    raw, _ = stream(models, api)
    assert raw.count(b"data: {not JSON\n\n") == 3 and "".join(texts(api, raw)) == "You said: Hi there"


def test_raw_text_between_deltas(models, api):
    models.tell({"deltas": ["a", "b"], "insert": [[1, ": between\n\n"], [2, ": after\n\n"]]})
    raw = stream(models, api)[0].decode()
    assert raw.index('"a"') < raw.index(": between") < raw.index('"b"') < raw.index(": after")


def test_crlf_comments_pieces_and_no_last_blank_line(models, api):
    models.tell({"newline": "\r\n", "comments": True, "last_blank": False, "pieces": 7, "text": "Grüße"})
    raw, _ = stream(models, api)
    assert raw.count(b"\n") == raw.count(b"\r\n") and raw.count(b": comment\r\n") == len(events(raw))
    assert not raw.endswith(b"\r\n\r\n") and raw.endswith(b"\r\n") and "".join(texts(api, raw)) == "Grüße"


def test_halves_of_a_pair_and_nul_come_as_they_are(models, api):
    models.tell({"deltas": ["a\ud83d", "\ude00\u0000", "\udc00"]})
    raw, _ = stream(models, api)
    assert all(s in raw for s in (rb"a\ud83d", rb"\ude00\u0000", rb"\udc00"))
    assert texts(api, raw) == ["a\ud83d", "\ude00\0", "\udc00"]


def test_a_line_of_so_many_bytes(models, api):
    models.tell({"text": "", "line": 256 * 1024 + 1})
    lines = stream(models, api)[0].splitlines()
    assert 256 * 1024 + 1 in map(len, lines)


def test_a_flood_has_no_end(models, api):
    models.tell({"flood": True})
    got = 0
    with models.ask(api, STREAM, stream=True) as answer:
        for piece in answer.iter_content(65536):
            got += len(piece)
            if got > 2 * 1024 * 1024:
                break
    eventually(models, lambda call: call["end"] == "cancelled")


def test_slow_tokens(models, api):
    models.tell({"words": 3, "rate": 20, "think": 0.2})
    stream(models, api)
    call = models.call()
    assert call["first_at"] - call["head_at"] >= 0.2 and call["finish_at"] - call["first_at"] >= 0.19


def test_the_clock_is_told_in_the_text(models, api):
    models.tell({"words": 2, "clock": True})
    before = time.monotonic_ns()
    times = [int(t) for t in texts(api, stream(models, api)[0])]
    assert before < times[0] < times[-1] < time.monotonic_ns()


@pytest.mark.parametrize("finish", ["stop", "length", "filter", None, "some_other"])
def test_any_finish(models, api, finish):
    models.tell({"finish": finish})
    raw = stream(models, api)[0].decode()
    word = {"chat": {"filter": "content_filter"},
            "responses": {"length": "max_output_tokens", "filter": "content_filter"},
            "messages": {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"}}[api].get(finish, finish)
    if finish is None:
        assert '"finish_reason":"' not in raw and '"stop_reason":"' not in raw
    elif (api, finish) == ("responses", "stop"):
        assert "response.completed" in raw
    else:
        assert '":"%s"' % word in raw


def test_no_terminal(models, api):
    models.tell({"terminal": False})
    models.tell({"done": False})
    for seen in ("nothing", "finish"):
        raw, how = stream(models, api)
        assert how == "end" and TERMINALS[api] not in raw.decode()
        finished = b'"finish_reason":"stop"' in raw or b'"stop_reason":"end_turn"' in raw or b"output_item.done" in raw
        assert finished == (seen == "finish")


def usages(api, raw):
    found = []
    for _, data in events(raw):
        document = json.loads(data) if data != "[DONE]" else {}
        for at in (document, document.get("response") or {}, document.get("message") or {}):
            if at.get("usage"):
                found.append(at["usage"])
    return found


OUTPUT = {"chat": "completion_tokens", "responses": "output_tokens", "messages": "output_tokens"}


@pytest.mark.parametrize("lie, output", [
    ("zero", 0), ("low", 1), ("high", 1000000), ("negative", -1), ("huge", 2 ** 63), ({"output": "many"}, "many"),
    ({"output": None}, None), ({"output": 0.5}, 0.5)])
def test_usage_that_lies(models, api, lie, output):
    models.tell({"usage": lie})
    body = {"stream": True, **({"stream_options": {"include_usage": True}} if api == "chat" else {})}
    raw = models.ask(api, body).content
    assert usages(api, raw)[-1][OUTPUT[api]] == output
    call = models.call()
    assert call["said"]["output"] == output and call["output"] == 6


@pytest.mark.parametrize("streamed", [False, True])
def test_usage_that_is_missing(models, api, streamed):
    models.tell({"usage": "missing"})
    body = {"stream": streamed, **({"stream_options": {"include_usage": True}} if api == "chat" and streamed else {})}
    answer = models.ask(api, body)
    assert (usages(api, answer.content) if streamed else answer.json().get("usage")) in ([], None)
    assert models.call()["said"] is None and models.call()["output"] == 6


@pytest.mark.parametrize("api", ["chat", "messages"])
def test_usage_on_every_chunk(models, api):
    models.tell({"usage_on": "every"})
    counts = [u[OUTPUT[api]] for u in usages(api, models.ask(api, STREAM).content)]
    assert counts[-1] == 6 and len(counts) >= 7 and counts[1:] == sorted(counts[1:])


def test_usage_that_is_late(models):
    models.tell({"usage_after": 0.3})
    models.ask("chat", {"stream": True, "stream_options": {"include_usage": True}})
    call = models.call()
    assert call["ended_at"] - call["finish_at"] >= 0.3


def test_a_rule_serves_so_many_calls_that_it_fits(models):
    models.tell({"status": 500}, model="gpt-large", times=2)
    models.tell({"status": 503}, path="messages", times=0)
    models.tell({"status": 529}, key="sk-test-other", name="own")
    models.tell({"status": 502}, stream=True)
    large = {"model": "gpt-large"}
    assert models.ask("chat", {"model": "gpt-large", "temperature": 1}).status_code == 400       # takes none
    assert [models.ask("chat", large).status_code for _ in range(3)] == [500, 500, 200]
    assert [models.ask("messages").status_code for _ in range(3)] == [503] * 3
    assert models.ask("chat", name="own").status_code == 200
    assert models.ask("chat", name="own", headers={"Authorization": "Bearer sk-test-other"}).status_code == 529
    assert [models.ask("chat", STREAM).status_code for _ in range(2)] == [502, 200]


@pytest.mark.parametrize("rule", [
    {}, {"plan": {"unheard": 1}}, {"plan": {"status": "500"}}, {"plan": {}, "times": -1}, {"plan": {}, "modell": "x"},
    {"plan": {"cut": {"bytes": 1}}}, {"plan": {"cut": {"bytes": 1, "how": "gently"}}}, {"plan": {"usage": "odd"}}, 7])
def test_a_rule_with_a_mistake_is_refused(models, rule):
    assert requests.post(models.url + "/control", json=rule, timeout=5).status_code == 400
    assert requests.get(models.url + "/control", timeout=5).json() == []


def test_the_books_tell_who_is_still_answered(models):
    models.tell({"hang": "head"})
    with models.ask("chat", STREAM, stream=True):
        models.ask("chat")
        waiting, = requests.get(models.url + "/books?open=1&brief=1", timeout=5).json()
        assert waiting["end"] is None and "request" not in waiting
        assert [c["n"] for c in requests.get(models.url + "/books?after=%d" % waiting["n"], timeout=5).json()] == [
            waiting["n"] + 1]
    end = time.monotonic() + 5
    while requests.get(models.url + "/books?open=1", timeout=5).json() and time.monotonic() < end:
        time.sleep(0.02)
    assert [c["end"] for c in models.books()] == ["cancelled", "done"]
