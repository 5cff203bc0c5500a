"""Chat while the providers of models fail: who is asked next, what the browser is told, and what is counted."""
import json
import subprocess
import time
from pathlib import Path

import pytest
from faults import configured
from journey import wait_until
from test_chat import chat, models, settings, turns  # noqa: F401: fixtures
from test_people import owner  # noqa: F401: the fixture

OPENAI, SPARE = {"for_name": "openai"}, {"for_name": "anthropic"}


@pytest.fixture(scope="module", autouse=True)
def impatient(stack):
    """The program's times, shortened."""
    with configured(stack, "chat", chat_first_ms=5000, chat_fallback_ms=3000, chat_idle_ms=4000, chat_total_ms=10000,
                    chat_ping_ms=1200, chat_checkpoint_ms=1000):
        yield


def alerts(db):
    """How many are open that are about models."""
    return db.value("select count(*) from ops.alerts where kind ~ '^model' and cleared_at is null")


def clear_alerts(db):
    db.execute("update ops.alerts set cleared_at = now() where cleared_at is null and kind ~ '^(model|chat|usage)_'")


def spent(db, owner):  # noqa: F811
    return db.value("select coalesce(sum(used), 0)::int from usage.accounts where tenant_id = %s and meter = 'tokens' "
                    "and kind = 'tenant'", owner[2])


of_providers = pytest.mark.only("nginx")      # they fail us alike, whichever server the answer goes through


# before any text

@of_providers
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_f126_a_provider_that_fails_before_any_text(chat, models, db, owner, status):  # noqa: F811
    models.plan(0, status=status, **OPENAI)
    answer = chat.send("Hello")
    assert (answer.status, answer.text, answer.finish) == (200, "You said: Hello", "stop")
    tries = [call[0] for call in models.calls()]
    assert tries == ["openai", "openai", "anthropic"], "twice, then the other"
    assert len(turns(db, chat)) == 1
    assert db.value("select count(*) from usage.holds where tenant_id = %s", owner[2]) == 1
    book = models.books()[-1]
    assert spent(db, owner) == book["fresh"] + book["cache_read"] + book["output"]
    assert db.value("select provider from chat.messages where answers is not null and chat_id = %s",
                    chat.id) == "anthropic"


@of_providers
def test_f126_once_is_tried_again_at_the_same(chat, models):  # noqa: F811
    models.plan(1, status=500, **OPENAI)
    assert chat.send("Hello").text == "You said: Hello"
    assert [call[0] for call in models.calls()] == ["openai", "openai"]


@of_providers
def test_f128_a_short_wait_is_obeyed_and_a_long_one_is_not(chat, models):  # noqa: F811
    models.plan(1, status=429, code="rate_limit_exceeded", headers={"retry-after": "1"}, **OPENAI)
    began = time.monotonic()
    assert chat.send("Hello").text == "You said: Hello"
    assert [call[0] for call in models.calls()] == ["openai", "openai"] and time.monotonic() - began >= 1
    models.clear()
    models.plan(1, status=429, code="rate_limit_exceeded", headers={"retry-after": "3600"}, **OPENAI)
    assert chat.send("Hello").text == "You said: Hello"
    assert [call[0] for call in models.calls()] == ["openai", "anthropic"]


@of_providers
def test_f128_who_has_nothing_left_to_spend_is_not_asked_again(chat, models, db):  # noqa: F811
    clear_alerts(db)
    models.plan(0, status=429, code="credit_balance_exhausted", type="insufficient_quota", **OPENAI)
    for _ in range(2):
        assert chat.send("Hello").text == "You said: Hello"
    assert [call[0] for call in models.calls()] == ["openai", "anthropic", "anthropic"]
    assert alerts(db) == 1


@of_providers
@pytest.mark.parametrize("status", [401, 403])
def test_f129_a_provider_that_repeats_our_key(chat, models, db, stack, status):  # noqa: F811
    clear_alerts(db)
    models.plan(0, status=status, body={"error": {"message": "Incorrect API key provided: {key}", "type": "invalid",
                                                  "param": "{key}", "code": "{key}"}},
                headers={"x-request-id": "{key}", "retry-after": "{key}"})
    failed = chat.send("Hello")
    assert failed.status == 503 and b"sk-test" not in failed.raw and "sk-test" not in str(failed.headers)
    assert alerts(db) >= 1


def test_f130_f109_a_silent_provider_is_pinged_for_and_left(chat, models):  # noqa: F811
    models.plan(1, hang="head", **OPENAI)
    answer = chat.begin("Hello")
    assert answer.status == 200
    answer.until(lambda: answer.pings >= 1)
    assert answer.kinds() == ["start", "start-step"] and not answer.text
    assert answer.all().text == "You said: Hello" and answer.finish == "stop"
    assert models.calls()[-1][0] == "anthropic"


@of_providers
@pytest.mark.parametrize("hang", ["accept", "head"])
def test_f130_all_are_silent(chat, models, hang):  # noqa: F811
    models.plan(0, hang=hang)
    answer = chat.send("Hello")
    assert answer.status == 200 and answer.pings >= 2, "it had begun by a sign of life"
    assert answer.kinds()[-2:] == ["error", "[DONE]"] and answer.error["code"] == "provider"
    assert answer.error["retry_after"] > 0 and answer.text == ""


@of_providers
@pytest.mark.parametrize("plan", [{"html": True}, {"garbage": 4}], ids=str)
def test_f132_what_is_no_answer_is_none(chat, models, plan):  # noqa: F811
    models.plan(0, **plan, **OPENAI)
    assert chat.send("Hello").text == "You said: Hello"
    assert models.calls()[-1][0] == "anthropic"


@of_providers
def test_f132_three_events_of_garbage_are_skipped(chat, models):  # noqa: F811
    models.plan(1, garbage=3, **OPENAI)
    assert chat.send("Hello").finish == "stop" and [call[0] for call in models.calls()] == ["openai"]


@of_providers
@pytest.mark.parametrize("place", ["http://169.254.169.254/", "{url}/openai/v1/responses", "http://localhost:1/"])
def test_f158_a_redirect_is_not_followed(chat, models, stack, place):  # noqa: F811
    place = place.format(url=stack["models_url"])
    models.plan(0, status=307, body="", headers={"Location": place}, **OPENAI)
    assert chat.send("Hello").text == "You said: Hello"
    calls = models.calls()
    assert calls[-1][0] == "anthropic" and [call for call in calls if call[:2] == ("openai", 200)] == []


# in the middle

@pytest.mark.parametrize("how", ["close", "reset", "error", "end"])
def test_f131_f107_an_answer_that_breaks_off(chat, models, db, owner, how):  # noqa: F811
    models.plan(1, words=20, cut={"deltas": 5, "how": how})
    answer = chat.send("Hello")
    assert answer.status == 200 and answer.text == models.books()[0]["text"] != ""
    assert answer.kinds()[-3:] == ["text-end", "error", "[DONE]"] and answer.error["code"] == "provider"
    assert len(models.books()) == 1, "nobody else goes on with another's text"
    state, held, read, written, counted = turns(db, chat)[0]
    assert (state, held, counted) == ("partial", "settled", "measured") and written >= 5 and read > 0
    assert spent(db, owner) == read + written
    shown = chat.shown()[-1]
    assert shown["parts"][0]["text"] == answer.text and shown["metadata"]["state"] == "partial"


def test_f131_f107_a_model_that_falls_silent_in_the_middle(chat, models, db):  # noqa: F811
    models.plan(1, words=20, cut={"deltas": 5, "how": "hang"})
    answer = chat.send("Hello")
    assert answer.kinds()[-3:] == ["text-end", "error", "[DONE]"] and answer.error["code"] == "provider"
    assert turns(db, chat)[0][0] == "partial"
    wait_until(lambda: models.calls()[0][2] == "cancelled", seconds=3)


@of_providers
def test_f131_the_end_alone_is_no_end(chat, models):  # noqa: F811
    models.plan(1, terminal=False)
    answer = chat.send("Hello")
    assert answer.error["code"] == "provider" and answer.finish is None and answer.text == "You said: Hello"


@of_providers
def test_f133_a_line_that_is_too_long_ends_it(chat, models, db):  # noqa: F811
    models.plan(1, deltas=["Well, "], line=256 * 1024 + 1)
    answer = chat.send("Hello")
    assert answer.text == "Well, " and answer.error["code"] == "provider"
    wait_until(lambda: models.calls()[0][2] in ("cancelled", "done"))


@of_providers
def test_f133_an_answer_without_end_is_cut(chat, models, db):  # noqa: F811
    models.plan(1, flood=True)
    answer = chat.send("Hello")
    assert answer.finish == "length" and 1000000 < len(answer.text.encode()) <= 1024 * 1024
    wait_until(lambda: models.calls()[0][2] == "cancelled")
    assert turns(db, chat)[0][0] == "complete"


USAGE = [("missing", "measured"), ("zero", "measured"), ("low", "measured"), ("high", "told"),
         ("negative", "measured"), ("huge", "measured")]


@of_providers
@pytest.mark.parametrize("lie, counted", USAGE)
def test_f134_usage_that_cannot_be_true_is_measured(chat, models, db, owner, lie, counted):  # noqa: F811
    models.plan(1, words=60, usage=lie)
    answer = chat.send("Hello")
    assert answer.finish == "stop"
    _, _, read, written, how = turns(db, chat)[0]
    assert 60 <= written <= 1024 and 0 < read < 10000
    assert how == counted or lie == "high"
    assert spent(db, owner) == read + written


@of_providers
def test_f134_usage_on_each_chunk_counts_once(chat, models, db):  # noqa: F811
    models.plan(1, words=10, usage_on="every")
    assert chat.send("Hello", model="compatible").finish == "stop"
    assert turns(db, chat)[0][3] <= 40


@of_providers
@pytest.mark.parametrize("plan", [
    {"deltas": ["ä🙂", "\ud83d", "\ude00 ok"]}, {"deltas": ["x\ud83d", "y"]}, {"deltas": ["a\0b", "\ude00"]},
    {"deltas": ["Grüße ", "🙂🙃"], "newline": "\r\n", "pieces": 7}, {"deltas": ["é"], "last_blank": False},
    {"deltas": ["é", "à"], "comments": True, "newline": "\r"}], ids=lambda p: json.dumps(p)[:40])
def test_f135_f107_text_is_valid_however_it_is_cut(chat, models, db, plan):  # noqa: F811
    models.plan(1, **plan)
    answer = chat.send("Hello")
    joined = "".join(plan["deltas"]).replace("\0", "")
    whole = joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert answer.text == whole and answer.finish == "stop"
    answer.raw.decode()
    assert chat.shown()[-1]["parts"][0]["text"] == whole, "sent and stored alike"


def test_f135_a_ping_between_the_halves_of_an_emoji(chat, models):  # noqa: F811
    models.plan(1, deltas=["a\ud83d", "\ude00b"], rate=0.5)
    answer = chat.send("Hello")
    assert answer.text == "a😀b" and answer.pings >= 1 and chat.shown()[-1]["parts"][0]["text"] == "a😀b"


def test_f112_what_takes_too_long_ends_by_length(chat, models, db):  # noqa: F811
    models.plan(1, words=1000, rate=5)
    answer = chat.send("Hello")
    assert answer.finish == "length" and 20 < len(answer.of("text-delta")) < 80
    assert turns(db, chat)[0][0] == "complete"
    wait_until(lambda: models.calls()[0][2] == "cancelled")


# the client

WAYS = {"nginx": 1.5, "apache": 12}     # seconds until we know: mod_fcgid tells at the second write


def test_f136_f108_the_client_leaves_in_the_middle(chat, models, db, owner, stack):  # noqa: F811
    models.plan(1, words=400, rate=10)
    answer = chat.begin("Hello").first()
    answer.close()
    left = time.monotonic()
    call = wait_until(lambda: [b for b in models.books(brief=1) if b["end"] == "cancelled"])[0]
    assert time.monotonic() - left < WAYS[stack["server"]] and call["deltas"] < 200
    wait_until(lambda: turns(db, chat)[0][1] == "settled")
    state, _, read, written, counted = turns(db, chat)[0]
    assert (state, counted) == ("partial", "measured") and 0 < written <= 400 and spent(db, owner) == read + written
    assert len(chat.shown()) == 2 and chat.shown()[-1]["metadata"]["state"] == "partial"


def test_f136_f108_the_client_leaves_before_any_text(chat, models, db, owner, stack):  # noqa: F811
    models.plan(0, think=60)
    connection = chat.open_only(chat.document("Hello"))
    wait_until(lambda: models.books(open=1))
    connection.close()
    left = time.monotonic()
    wait_until(lambda: models.calls()[0][2] == "cancelled")
    assert time.monotonic() - left < WAYS[stack["server"]]
    wait_until(lambda: turns(db, chat)[0][1] == "settled")
    state, _, read, written, _ = turns(db, chat)[0]
    assert (state, written) == ("empty", 0) and spent(db, owner) == read > 0
    models.clear()
    chat.send("Still there?")
    roles = [m["role"] for m in models.books()[-1]["request"]["input"]]
    assert roles == ["user"], "what was left empty is not told to a model"


def test_f136_f108_the_client_leaves_after_the_end_of_the_text(chat, models, db):  # noqa: F811
    models.plan(1, words=5, usage_after=0.5)
    answer = chat.begin("Hello")
    answer.until(lambda: answer.text.endswith("word4"))
    answer.close()
    wait_until(lambda: turns(db, chat)[0][1] == "settled")
    state, _, _, written, counted = turns(db, chat)[0]
    assert state in ("complete", "partial") and written >= 5


@pytest.mark.only("nginx")
def test_f137_a_client_that_stops_reading_is_left(chat, models, db, stack):  # noqa: F811
    models.plan(1, flood=True)
    connection = chat.open_only(chat.document("Hello"), buffer=4096)
    began = time.monotonic()
    wait_until(lambda: models.calls() and models.calls()[0][2] == "cancelled", seconds=40)
    assert time.monotonic() - began < 25
    wait_until(lambda: turns(db, chat)[0][1] == "settled")
    connection.close()


# keys

def test_f129_no_byte_of_a_models_key_is_anywhere(chat, models, stack, db):  # noqa: F811
    models.plan(0, status=401, message="Incorrect API key provided: {key}", headers={"x-request-id": "{key}"})
    chat.send("Hello")
    models.clear()
    models.plan(1, words=3, cut={"deltas": 2, "how": "error"}, message="{key}")
    db.execute("delete from chat.breakers")
    chat.send("Hello")
    keys = list(stack["model_keys"].values())
    for log in Path(stack["log_dir"]).iterdir():
        if log.name != "models.log":
            assert not [k for k in keys if k.encode() in log.read_bytes()], log
    dump = subprocess.run(["pg_dump", "--data-only", stack["database_url"]], capture_output=True, check=True).stdout
    served = b"".join(chat.browser.get(path).body for path in ("/chat", "/chat.js", "/style.css", f"/chat/{chat.id}"))
    for where in (dump, served):
        assert not [k for k in keys if k.encode() in where] and b"sk-test-" not in where
