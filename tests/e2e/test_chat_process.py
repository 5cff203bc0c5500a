"""Chat while its program, the database or its user go, and while what is sold changes."""
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from chatting import Chat, new_id
from faults import configured, has_ended, kill, send
from harness.models import USAGE
from journey import stack_command, wait_until
from test_chat import chat, is_settled, models, quota, rate, settings, turns  # noqa: F401: fixtures
from test_people import owner, user_of  # noqa: F401: the fixture

DRAIN = 2.0     # seconds: serve.drain_ms


@pytest.fixture(scope="module", autouse=True)
def watchful(stack):
    """The program looks at sessions often."""
    with configured(stack, "chat", chat_checkpoint_ms=500, chat_ping_ms=500):
        yield


@pytest.fixture
def database(stack, db):
    """A function that stops PostgreSQL, and one that starts it again and waits for it."""
    def stop():
        stack_command("stop", "--dir", stack["dir"], "postgres")

    def start():
        stack_command("start", "--dir", stack["dir"], "postgres")
        db.connection.close()
        db.__init__(stack["database_url"])
    yield stop, start
    start()


# the program

def test_f138_f110_a_program_that_is_killed_has_its_answers_expire(chat, models, db, owner, stack):  # noqa: F811
    models.plan(1, words=1000, rate=10)
    answer = chat.begin("Hello")
    answer.until(lambda: len(answer.of("text-delta")) > 15)
    kill(stack, "chat") if stack["server"] == "nginx" else send(stack, "chat", signal.SIGKILL)
    answer.all()
    assert answer.finish is None and not answer.of("error"), "the client finds out by the missing end"
    hold = db.value("select hold_id from chat.messages where chat_id = %s and role = 'assistant'", chat.id)
    assert db.value("select expires_at - now() <= interval '300 s' from usage.holds where id = %s", hold)
    db.execute("update usage.holds set expires_at = now() where id = %s", hold)
    wait_until(lambda: db.value("select state from usage.holds where id = %s", hold) == "expired")
    used = db.value("select sum(used)::int from usage.accounts where tenant_id = %s and kind = 'tenant' and "
                    "meter = 'tokens'", owner[2])
    assert 5 < used < 1000, "the tenant pays what was written down last"
    again = chat.send("And now?")
    assert again.status == 200


def test_f141_f138_an_answer_that_nobody_ended_is_told_as_far_as_it_came(chat, models, db, stack):  # noqa: F811
    """Its program is killed, another message takes over, and it is asked for once more."""
    models.plan(1, words=1000, rate=10)
    message = new_id()
    answer = chat.begin("Hello", message)
    wait_until(lambda: db.value("select text from chat.messages where chat_id = %s and role = 'assistant'", chat.id))
    kill(stack, "chat") if stack["server"] == "nginx" else send(stack, "chat", signal.SIGKILL)
    answer.close()
    assert chat.send("And now?").finish == "stop"
    again = chat.send("Hello", message)
    assert (again.status, again.finish) == (200, "error") and again.text.startswith("word0")
    assert len(models.books()) == 2, "no call"


def test_f139_f113_sigterm_ends_open_answers_and_settles_them(chat, models, db, owner, stack):  # noqa: F811
    models.plan(0, words=1000, rate=10)
    chats = [Chat(chat.browser) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda c: c.begin("Hello").first(), chats))
    began = time.monotonic()
    gone = send(stack, "chat", signal.SIGTERM)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda a: a.all(), answers))
    for answer in answers:
        assert answer.kinds()[-3:] == ["text-end", "error", "[DONE]"], answer
        assert answer.error["code"] == "unavailable" and answer.error["retry_after"] > 0
    wait_until(lambda: all(map(has_ended, gone)), seconds=10)
    assert time.monotonic() - began < DRAIN + 0.5 + 1
    assert is_settled(db, owner[2])
    assert {t[0] for c in chats for t in turns(db, c)} == {"partial"}


# the database

def test_f140_without_the_database_no_model_is_asked(chat, models, db, database):  # noqa: F811
    stop, start = database
    stop()
    refused = chat.send("Hello")
    assert (refused.status, refused.json["code"]) == (503, "unavailable") and refused.header("Retry-After")
    start()
    assert models.books() == []
    wait_until(lambda: chat.send("Hello").status == 200)


def test_f140_a_database_that_goes_in_the_middle_stops_no_answer(chat, models, db, database, owner):  # noqa: F811
    stop, start = database
    models.plan(1, words=20, rate=5)
    answer = chat.begin("Hello").first()
    stop()
    answer.all()
    assert answer.finish == "stop" and answer.text.count("word") == 20
    assert answer.broken is None, "its end is not waited for until the database is back"
    assert "left" not in answer.metadata and answer.metadata["usage"]["output"] >= 20
    start()
    wait_until(lambda: is_settled(db, owner[2]))
    assert turns(db, chat)[0][:2] == ("complete", "settled"), "settled once it is back"


# the user and what is sold

def test_f44_who_is_disabled_reads_no_further(chat, models, db, owner):  # noqa: F811
    models.plan(1, words=1000, rate=10)
    answer = chat.begin("Hello").first()
    db.execute("update auth.users set disabled_at = now() where id = %s", user_of(db, owner[1]))
    began = time.monotonic()
    answer.all()
    assert time.monotonic() - began < 10 and answer.error["code"] == "auth"
    assert turns(db, chat)[0][:2] == ("partial", "settled")
    assert Chat(chat.browser).send("Hello").status == 401


def test_f44_who_signs_out_reads_no_further(chat, models, db):  # noqa: F811
    models.plan(1, words=1000, rate=10)
    answer = chat.begin("Hello").first()
    chat.browser.submit(chat.browser.get("/signout"))
    assert answer.all().error["code"] == "auth"


def test_f145_an_answer_keeps_the_period_it_began_in(chat, models, db, owner, settings):  # noqa: F811
    models.plan(1, words=20, rate=10)
    answer = chat.begin("Hello").first()
    settings(quotas=[])
    assert answer.all().finish == "stop"
    assert turns(db, chat)[0][:2] == ("complete", "settled")
    assert chat.send("More").status in (402, 403), "the plan has nothing of it by now"


def test_f146_an_answer_keeps_the_price_it_began_with(chat, models, db, owner, settings):  # noqa: F811
    models.plan(1, words=20, rate=10)
    answer = chat.begin("Hello").first()
    settings(costs=[{**c, "micros": 9 * c["micros"]} for c in USAGE["costs"]])
    answer.all()
    book = models.books()[0]
    micros = -(-(book["fresh"] * 250000 + book["cache_read"] * 25000 + book["output"] * 2000000) // 1000000)
    assert db.value("select sum(spent_micros)::int from usage.holds where tenant_id = %s", owner[2]) == micros
    settings(costs=[])
    none = chat.send("Hello")
    assert none.status in (422, 503) and len(models.books()) == 1


def test_f144_the_eleventh_in_a_minute_is_refused(chat, models, settings):  # noqa: F811
    settings(rates=rate(10) + rate(12, 86400, "day"))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: Chat(chat.browser).send("Hello"), range(20)))
    codes = sorted((a.status, a.error["code"] if a.error else "") for a in answers)
    assert codes == [(200, "")] * 10 + [(429, "rate_minute")] * 10
    assert len(models.books()) == 10


def test_f142_two_tabs_in_one_conversation(chat, models, db):  # noqa: F811
    models.plan(2, words=100, rate=10)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda text: chat.send(text, new_id()), ("One", "Two")))
    assert sorted(a.finish or a.error["code"] for a in answers) == ["busy", "stop"]
    assert sorted(t[0] for t in turns(db, chat)) in (["complete", "partial"], ["complete", "empty"])
    assert "held" not in [t[1] for t in turns(db, chat)]


def test_f141_what_was_cut_is_replayed_before_it_is_settled(chat, models, db, stack):  # noqa: F811
    """Nobody has said how it ended when its program is still to hear that a later message took over."""
    with configured(stack, "chat", chat_checkpoint_ms=3000):
        models.plan(1, words=1000, rate=10)
        message = new_id()
        first = chat.begin("One", message).first()
        written = "select text from chat.messages where chat_id = %s and answers = %s"
        wait_until(lambda: db.value(written, chat.id, message))
        assert chat.send("Two").finish == "stop"
        replay = chat.send("One", message)
        assert (replay.status, replay.text, replay.finish) == (200, db.value(written, chat.id, message), "error")
        assert replay.metadata["usage"] == {"input": 0, "output": 0}
        assert first.all().error["code"] == "busy", "and everybody else's answers go on"


def test_f143_one_person_is_given_few_answers_at_a_time(chat, models, db, stack):  # noqa: F811
    """However many messages take over from one another, or are sent in other conversations, of other processes."""
    with configured(stack, "chat", chat_streams_each=3, chat_checkpoint_ms=10000):     # Apache starts six in seconds
        assert chat.send("Hello").finish == "stop"
        models.clear()
        models.plan(0, words=1000, rate=10)
        with ThreadPoolExecutor(6) as pool:
            began = list(pool.map(lambda text: chat.begin(text), [f"Message {n}" for n in range(6)]))
        refused = [a for a in began if a.status != 200]
        assert [(a.status, a.json["code"]) for a in refused] == [(409, "busy")] * 3
        assert all(int(a.json["retry_after"]) > 0 for a in refused) and len(models.books()) == 3
        other = Chat(chat.browser)
        assert other.send("Another tab").status == 409
        assert other.api("/" + chat.id + "/title", "POST", {}).status == 409, "a title is work as well"
        assert Chat(chat.browser).api().status == 200
        wait_until(lambda: db.value("select count(*) from chat.turns where state <> 'ended' and seen_at > now() - "
                                    "interval '30 s'") == 1, 30)
        again = other.begin("Now").first()
        assert again.status == 200, "those that made way have ended"
        for answer in (*began, again):
            answer.close()
