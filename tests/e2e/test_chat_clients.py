"""The unchanged useChat of the AI SDK 5, 6 and 7 talks with the program `chat`, through the web server."""
import json
import sys
from pathlib import Path

import pytest
from conftest import SERVER
from journey import wait_until
from test_chat import chat, models, settings  # noqa: F401: the fixtures
from test_people import owner  # noqa: F401: the fixture

sys.path.append(str(Path(__file__).resolve().parents[1] / "chat"))
import hook  # noqa: E402


@pytest.fixture(scope="session")
def clients():
    return hook.installed()


# the other versions read the same events, and read them behind nginx
@pytest.fixture(params=hook.VERSIONS if SERVER == "nginx" else hook.VERSIONS[-1:])
def page(request, clients, stack, owner, chat):  # noqa: F811
    """Opens pages of the owner's with the hook of one version."""
    opened = []

    def open_page(**options):
        cookie = owner[0].cookie_header("POST", stack["url"], None)["Cookie"]
        opened.append(hook.Hook(clients, request.param, stack["url"], cookie, **options))
        return opened[-1]
    yield open_page
    for each in opened:
        each.close()


def of_chat(db, ident):
    """[(role, state, text)] of a conversation, oldest first."""
    return db.rows("select role, state, text from chat.messages where chat_id = %s order by n", ident)


def refusal(here):
    """What the hook's error says, which is a document however it came."""
    assert here.status == "error" and len(here.errors) == 1
    return json.loads(here.error["message"])


def test_c77_an_answer_with_its_finish_and_usage(page, models, db):  # noqa: F811
    here = page()
    here.send("Hello there")
    call, = models.books()
    assert (here.text(), here.status, here.error) == ("You said: Hello there", "ready", None)
    assert here.finishes[0]["finishReason"] == "stop" and not here.finishes[0]["isError"]
    told = here.messages[1]["metadata"]
    assert told["usage"] == {"input": call["fresh"] + call["cache_read"], "output": call["output"]}
    assert told["left"] >= 0
    assert of_chat(db, here.id) == [("user", None, "Hello there"), ("assistant", "complete", here.text())]


def test_c78_text_is_shown_as_it_comes(page, models):  # noqa: F811
    models.plan(words=20, rate=8)
    here = page()
    here.send("Hello", wait=False)
    here.until(lambda: here.status == "streaming" and 0 < len(here.text()) < 60)
    assert models.books(open=1, brief=1)
    here.until(lambda: here.status == "ready")
    assert here.text() == models.books()[0]["text"] and "streaming" in here.statuses


def test_f135_any_characters_arrive_as_they_were_meant(page, models):  # noqa: F811
    models.plan(deltas=["Grüße \ud83d", "\ude00", " data: x\n\ndata: [DONE]\r\n", "</script>\u0000 \udc00."])
    here = page()
    here.send("Hello")
    assert here.status == "ready"
    assert here.text() == "Grüße \U0001f600 data: x\n\ndata: [DONE]\r\n</script> \ufffd."


def test_c88_a_page_goes_on_with_a_conversation_that_is_stored(page, owner, models):  # noqa: F811
    first = page()
    first.send("One")
    stored = owner[0].get(f"/api/chat/{first.id}", Accept="application/json").json["messages"]
    here = page(id=first.id, messages=stored, resume=True)
    here.until(lambda: here.responses)
    assert here.responses[0]["status"] == 204 and [m["role"] for m in here.messages] == ["user", "assistant"]
    here.send("Two")
    assert here.text() == "You said: Two"
    assert [len(call["request"]["input"]) for call in models.books()] == [1, 3]


def test_c77_a_page_may_send_the_last_message_alone(page, models):  # noqa: F811
    here = page(single=True)
    here.send("One")
    here.send("Two")
    assert here.text() == "You said: Two" and "messages" not in here.requests[1]["body"]
    assert [len(call["request"]["input"]) for call in models.books()] == [1, 3]


def test_f136_stop_ends_the_call_and_what_came_is_kept(page, models, db):  # noqa: F811
    models.plan(words=1000, rate=20)
    here = page()
    here.send("Hello", wait=False)
    here.until(lambda: here.status == "streaming" and here.text())
    here.stop()
    here.until(lambda: here.status == "ready" and here.finishes)
    wait_until(lambda: models.calls() == [("openai", 200, "cancelled")], seconds=20)
    wait_until(lambda: [state for _, state, _ in of_chat(db, here.id)] == [None, "partial"])
    assert of_chat(db, here.id)[1][2].startswith(here.text()[:20])
    here.send("And now?")
    assert (here.text(), here.status) == ("You said: And now?", "ready")


def test_f142_stop_and_another_message_at_once(page, models):  # noqa: F811
    models.plan(words=1000, rate=20)
    here = page()
    here.send("One", wait=False)
    here.until(lambda: here.status == "streaming" and here.text())
    here.stop(wait=False)
    here.send("Two")
    # The model is told of the first answer if that has ended by then: Apache tells at a later write who has left.
    assert here.text() in ("You said: Two", "You said: One\n\nTwo")
    assert (here.status, here.errors) == ("ready", [])


def test_c77_an_answer_is_asked_for_again(page, models, db):  # noqa: F811
    models.plan(text="First answer")
    models.plan(text="Second answer")
    here = page()
    here.send("Hello")
    here.regenerate(here.messages[1]["id"])
    assert (here.text(), here.status, len(here.messages)) == ("Second answer", "ready", 2)
    assert here.requests[1]["body"]["trigger"] == "regenerate-message"
    assert [len(call["request"]["input"]) for call in models.books()] == [1, 1]
    here.send("More")
    assert "First answer" not in json.dumps(models.books()[2]["request"])


def test_c77_a_message_that_is_edited_ends_the_history_there(page, models):  # noqa: F811
    here = page()
    here.send("One")
    here.send("Two")
    here.edit(here.messages[0]["id"], "Other")
    assert (here.text(), len(here.messages), here.status) == ("You said: Other", 2, "ready")
    assert [len(call["request"]["input"]) for call in models.books()] == [1, 3, 1]


def test_f131_a_model_that_breaks_off_is_an_error_and_its_text_stays(page, models, db):  # noqa: F811
    models.plan(words=10, cut={"deltas": 4, "how": "close"})
    here = page()
    here.send("Hello")
    assert refusal(here)["code"] == "provider" and here.text() == models.books()[0]["text"]
    assert of_chat(db, here.id)[1][1:] == ("partial", here.text())
    here.send("Again")
    assert (here.text(), here.status) == ("You said: Again", "ready")


def test_f127_no_model_answers(page, models, db):  # noqa: F811
    models.plan(0, status=500)
    here = page()
    here.send("Hello")
    told = refusal(here)
    assert told["code"] == "provider" and told["retry_after"] > 0 and told["error"]
    assert here.responses[0]["status"] == 503 and [m["role"] for m in here.messages] == ["user"]


def test_c75_a_quota_that_is_used_up_leads_to_the_upgrade(page, models, settings):  # noqa: F811
    settings(quotas=[{"plan": plan, "meter": "tokens", "included": 10, "sold": False, "most": 10}
                     for plan in ("starter", "growth")])
    here = page()
    here.send("Hello")
    told = refusal(here)
    assert here.responses[0]["status"] == 402
    assert told["code"] == "quota" and told["upgrade"].endswith("/settings/billing") and told["reset"]
    assert models.books() == []


def test_c73_too_many_in_a_minute(page, models, settings):  # noqa: F811
    settings(rates=[{"name": "minute", "plan": "", "meter": "", "allowed": 2, "seconds": 60}])
    here = page()
    for text in ("One", "Two", "Three"):
        here.send(text)
    told = refusal(here)
    assert told["code"] == "rate_minute" and 0 < told["retry_after"] <= 60
    assert here.responses[2]["status"] == 429
    assert here.responses[2]["headers"]["ratelimit-policy"] == '"minute";q=2;w=60'
    assert len(models.books()) == 2


def test_f152_a_session_that_is_over(page, owner, models):  # noqa: F811
    here = page()
    browser = owner[0]
    browser.submit(browser.get("/settings/profile"), action="/signout")
    here.send("Hello")
    assert here.responses[0]["status"] == 401 and refusal(here)["code"] == "auth" and models.books() == []


def test_f129_no_byte_of_a_key_is_sent_to_a_page(page, models, stack):  # noqa: F811
    models.plan(0, status=401)
    here = page()
    here.send("Hello")
    models.clear()
    models.plan(cut={"deltas": 2, "how": "error"})
    here.send("Again")
    seen = json.dumps([here.messages, here.error, here.errors, here.responses])
    assert "sk-test" not in seen and not any(key[8:30] in seen for key in stack["model_keys"].values())
