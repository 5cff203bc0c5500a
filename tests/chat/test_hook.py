"""The real clients against a small server that speaks as the program `chat` has to."""
import json
import threading
import time

from hook import VERSIONS
from reference import answer

DOCUMENT = {"error": "Come again tomorrow.", "code": "rate_day", "retry_after": 3600}
BEGIN, END = answer("x")[:3], answer("x")[4:]


def delta(text):
    return {"type": "text-delta", "id": "t", "delta": text}


def test_the_request_is_what_a_browser_sends(page, server):
    server.will(*answer("Hello"))
    chat = page()
    chat.send("Hi")
    call, = server.calls
    assert (call["method"], call["path"]) == ("POST", "/api/chat")
    assert {k: call["headers"][k] for k in ("Content-Type", "Accept", "Cookie", "Origin", "sec-fetch-site")} == {
        "Content-Type": "application/json", "Accept": "*/*", "Cookie": "one=1; two=a=b", "Origin": server.url,
        "sec-fetch-site": "same-origin"}
    message = {"id": chat.messages[0]["id"], "role": "user", "parts": [{"type": "text", "text": "Hi"}]}
    assert call["body"] == {"id": chat.id, "messages": [message], "trigger": "submit-message"}
    assert len(chat.id) == len(message["id"]) == 16 and (chat.id + message["id"]).isalnum()
    assert chat.requests[0]["body"] == call["body"]


def test_an_answer_comes_with_its_finish_and_metadata(page, server):
    server.will(*answer("Hel", "lo", finish="length", metadata={"left": 980}))
    chat = page()
    chat.send("Hi")
    assert (chat.text(), chat.status, chat.error) == ("Hello", "ready", None)
    assert (chat.messages[1]["id"], chat.messages[1]["metadata"]) == ("ours", {"left": 980})
    finish, = chat.finishes
    assert (finish["finishReason"], finish["isError"], finish["isAbort"]) == ("length", False, False)


def test_deltas_are_shown_as_they_come(page, server):
    go = threading.Event()
    server.will(*BEGIN, delta("Hel"), go, delta("lo"), *END)
    chat = page()
    chat.send("Hi", wait=False)
    chat.until(lambda: chat.status == "streaming" and chat.text() == "Hel")
    go.set()
    chat.until(lambda: chat.status == "ready")
    assert chat.text() == "Hello" and chat.statuses == ["ready", "submitted", "streaming", "ready"]


def test_the_whole_history_is_sent_each_time(page, server):
    for text in ("One", "Two"):
        server.will(*answer(text, message=text, metadata={"left": 1}))
    chat = page()
    chat.send("First")
    chat.send("Second")
    sent = server.calls[1]["body"]["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert sent[1] == {"id": "One", "role": "assistant", "metadata": {"left": 1}, "parts": [
        {"type": "step-start"}, {"type": "text", "text": "One", "state": "done"}]}


def test_a_page_may_send_the_last_message_alone(page, server):
    for text in ("One", "Two"):
        server.will(*answer(text))
    chat = page(single=True, id="chat-1")
    chat.send("First")
    chat.send("Second")
    assert server.calls[1]["body"] == {"id": "chat-1", "trigger": "submit-message", "message": {
        "id": chat.messages[2]["id"], "role": "user", "parts": [{"type": "text", "text": "Second"}]}}


def test_an_error_part_is_the_error_and_what_came_stays(page, server):
    server.will(*BEGIN, delta("Hel"), {"type": "text-end", "id": "t"},
                {"type": "error", "errorText": json.dumps(DOCUMENT)})
    chat = page()
    chat.send("Hi")
    assert chat.status == "error" and json.loads(chat.error["message"]) == DOCUMENT
    assert chat.text() == "Hel" and chat.finishes[0]["isError"]


def test_a_refusal_is_the_error_with_the_body_as_its_text(page, server):
    server.will(status=429, body=DOCUMENT)
    chat = page()
    chat.send("Hi")
    assert chat.status == "error" and json.loads(chat.error["message"]) == DOCUMENT
    assert chat.responses[0]["status"] == 429
    assert [m["role"] for m in chat.messages] == ["user"]


def test_a_stream_that_merely_ends_is_taken_for_success(page, server):
    server.will(*BEGIN, delta("Hel"))
    chat = page()
    chat.send("Hi")
    assert (chat.status, chat.text(), chat.error) == ("ready", "Hel", None)
    assert "finishReason" not in chat.finishes[0]


def test_a_connection_that_breaks_is_an_error(page, server):
    server.will(*BEGIN, delta("Hel"), "close")
    chat = page()
    chat.send("Hi")
    assert (chat.status, chat.text()) == ("error", "Hel") and chat.error


def test_comments_and_cr_lf_and_characters_in_pieces_are_fine(page, server):
    parts = answer("Grüße ", "\U0001f600")[:-1]
    raw = "".join(": ping\r\n\r\ndata: %s\r\n\r\n" % json.dumps(p, ensure_ascii=False) for p in parts).encode()
    server.will(*(raw[i:i + 1] for i in range(len(raw))))
    chat = page()
    chat.send("Hi")
    assert (chat.text(), chat.status, chat.finishes[0]["finishReason"]) == ("Grüße \U0001f600", "ready", "stop")


def test_an_unknown_part_ends_the_stream(page, server):
    server.will(*BEGIN, {"type": "unheard-of"}, delta("x"), *END)
    chat = page()
    chat.send("Hi")
    assert chat.status == "error" and chat.text() == ""


def test_what_only_the_newest_knows_breaks_the_others(page, server):
    server.will(*BEGIN, delta("x"), {"type": "text-end", "id": "t"}, {"type": "finish-step"},
                {"type": "finish", "finishReason": "interrupted"})
    chat = page()
    chat.send("Hi")
    assert chat.status == ("ready" if chat.version == "7" else "error")


def test_stop_hangs_up_and_keeps_what_came(page, server):
    never = threading.Event()
    server.will(*BEGIN, delta("Hel"), never)
    chat = page()
    chat.send("Hi", wait=False)
    chat.until(lambda: chat.status == "streaming" and chat.text() == "Hel")
    chat.stop()
    chat.until(lambda: chat.status == "ready")
    assert chat.text() == "Hel" and chat.finishes[0]["isAbort"]
    end = time.monotonic() + 5
    while not server.calls[0]["left"] and time.monotonic() < end:
        time.sleep(0.02)
    assert server.calls[0]["left"]


def test_regenerate_asks_for_the_answer_again(page, server):
    for text in ("One", "Two"):
        server.will(*answer(text, message=text))
    chat = page()
    chat.send("First")
    chat.regenerate("One")
    body = server.calls[1]["body"]
    assert (body["trigger"], body["messageId"]) == ("regenerate-message", "One")
    assert [m["id"] for m in body["messages"]] == [chat.messages[0]["id"]] and chat.text() == "Two"


def test_an_edit_cuts_the_history_and_names_the_message(page, server):
    for text in ("One", "Two", "Three"):
        server.will(*answer(text, message=text))
    chat = page()
    chat.send("First")
    chat.send("Second")
    first = chat.messages[0]["id"]
    chat.edit(first, "Other")
    body = server.calls[2]["body"]
    assert (body["trigger"], body["messageId"]) == ("submit-message", first)
    assert [(m["id"], m["parts"][0]["text"]) for m in body["messages"]] == [(first, "Other")]
    assert [m["role"] for m in chat.messages] == ["user", "assistant"] and chat.text() == "Three"


def test_resume_asks_whether_an_answer_is_under_way(page, server):
    chat = page(id="chat-1", resume=True)
    chat.until(lambda: chat.responses)
    assert (server.calls[0]["method"], server.calls[0]["path"]) == ("GET", "/api/chat/chat-1/stream")
    chat.resume()
    assert [r["status"] for r in chat.responses] == [204, 204] and (chat.status, chat.messages) == ("ready", [])


def test_a_page_begins_with_the_messages_that_are_stored(page, server):
    stored = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]},
              {"id": "m2", "role": "assistant", "parts": [{"type": "text", "text": "Hello", "state": "done"}],
               "metadata": {"state": "complete"}}]
    server.will(*answer("Again"))
    chat = page(id="chat-1", messages=stored)
    assert chat.messages == stored
    chat.send("Once more")
    assert server.calls[0]["body"]["messages"][:2] == stored and chat.text() == "Again"


def test_a_new_session_cookie_is_kept(page, server):
    for _ in range(2):
        server.will(*answer("x"), headers={"Set-Cookie": "one=2; Path=/; HttpOnly"})
    chat = page()
    chat.send("First")
    chat.send("Second")
    assert [c["headers"]["Cookie"] for c in server.calls] == ["one=1; two=a=b", "one=2; two=a=b"]


def test_the_versions_are_what_they_say(clients):
    found = {}
    for version in VERSIONS:
        nested = clients / ("node_modules/react%s/node_modules/ai/package.json" % version)
        package = nested if nested.exists() else clients / "node_modules/ai/package.json"
        found[version] = json.loads(package.read_text())["version"].split(".")[0]
    assert found == {v: v for v in VERSIONS}
