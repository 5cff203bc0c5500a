"""Programs are stopped or killed under load: at most the requests in progress fail."""
import json
import signal
import threading
import time
import uuid

import pytest
from faults import (PROGRAMS, WORKERS, Load, deliver, event, has_ended, holding, kill, processes, replaced, send,
                    waiting)
from journey import become_customer, session_in, sign_in, wait_until
from test_keys import made
from test_usage import NOTHING, SETTINGS, Program

THREADS = 4     # requests side by side in one process: serve.threads
CLIENTS = 8     # webhooks takes all that wait, and chat has a thread for each answer
CALLERS = {"signup": 3, "billing": 3}     # as many as may call Stripe at once: serve.calls

pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def member(new_browser, sim, db, mail, fresh):
    browser, email = new_browser(), fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    return browser


@pytest.fixture
def asks(stack, new_browser, member, fresh, db):
    """By worker: a function (what one client does, as for Load), and the status that says it is well."""
    pages = {"signin": member.get("/settings/billing")}

    def signup():
        browser = new_browser()
        form = browser.get("/signup")
        if form.status != 200:
            return form.status, form
        answer = browser.submit(form, {"email": fresh("load"), "plan": "starter"})
        return answer.status, answer

    def signin():
        return new_browser().get("/signin").status, None

    def account():
        return member.get("/workspace").status, None

    def billing():
        answer = member.submit(pages["signin"])
        return answer.status, answer

    def webhooks():
        ident, _, body = event()
        return deliver(stack, body).status, ident

    db.execute("select ops.put_usage(%s)", json.dumps({**SETTINGS, "rates": []}))
    program = Program(new_browser(), made(member, "Load")[1])

    def usage():
        name = str(uuid.uuid4())
        return program("/record", {"meter": "tokens", "units": 1}, Idempotency_Key=name).status, name
    yield {"signin": (signin, 200), "signup": (signup, 303), "account": (account, 200), "billing": (billing, 303),
           "admin": (lambda: (member.get("/admin").status, None), 404), "webhooks": (webhooks, 200),
           "usage": (usage, 200), "chat": (lambda: (member.get("/chat").status, None), 200),
           "authn": (lambda: (member.get("/settings/connections").status, None), 200),
           "og": (lambda: (new_browser().get("/api/og?mode=none").status, None), 400)}
    db.execute("select ops.put_usage(%s)", json.dumps(NOTHING))


def assert_inbox_has(db, load):
    acknowledged = [ident for status, ident in load.answers if status == 200]
    assert db.value("select count(*) from inbox.events where id = any(%s)", acknowledged) == len(acknowledged) > 0


def assert_ledger_has(db, load):
    acknowledged = [name for status, name in load.answers if status == 200]
    assert db.value("select count(*) from usage.holds where request = any(%s)", acknowledged) == len(acknowledged) > 0
    assert db.value("select usage.faults()") == []


@pytest.mark.only("nginx")
@pytest.mark.parametrize("name", WORKERS)
def test_f113_sigterm_under_load_fails_no_request(stack, db, asks, name):
    ask, good = asks[name]
    with Load(ask, CALLERS.get(name, CLIENTS)) as load:
        for _ in range(4):
            load.more(40)
            replaced(stack, name, send(stack, name, signal.SIGTERM))
        load.more(40)
    assert load.except_for(good) == []
    if name == "webhooks":
        assert_inbox_has(db, load)
    if name == "usage":
        assert_ledger_has(db, load)


@pytest.mark.only("nginx")
@pytest.mark.parametrize("name", WORKERS)
def test_f115_killed_under_load_only_requests_in_progress_fail(stack, db, asks, name):
    ask, good = asks[name]
    kills, served = 3, CLIENTS if name in ("webhooks", "chat") else THREADS
    with Load(ask, CALLERS.get(name, CLIENTS)) as load:
        for _ in range(kills):
            load.more(40)
            kill(stack, name)
        load.more(40)
    failed = load.except_for(good)
    assert {status for status, _ in failed} <= {503} and len(failed) <= served * kills
    if name == "webhooks":
        assert_inbox_has(db, load)
    if name == "usage":
        assert_ledger_has(db, load)


IN_FLIGHT = {
    "signup": ("billing.checkouts", "/welcome?session_id=cs_x", 404), "account": ("auth.sessions", "/workspace", 200),
    "billing": ("auth.sessions", "/settings/billing", 200), "signin": ("auth.sessions", "/signout", 200)}


@pytest.mark.parametrize("name", IN_FLIGHT)
def test_f113_a_request_under_way_is_finished(stack, db, member, name):
    table, path, good = IN_FLIGHT[name]
    answers = []
    asking = threading.Thread(target=lambda: answers.append(member.get(path).status))
    with holding(stack, f"lock table {table} in access exclusive mode"):
        asking.start()
        wait_until(lambda: waiting(db, name))
        gone = send(stack, name, signal.SIGTERM)
        time.sleep(0.2)
        send(stack, name, signal.SIGTERM)
        time.sleep(0.2)
        assert answers == []
    asking.join()
    assert answers == [good]
    wait_until(lambda: not gone & processes(stack, name), 1)


def test_f113_a_delivery_under_way_is_finished_and_committed(stack, db):
    ident, _, body = event()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(deliver(stack, body).status))
    with holding(stack, "lock table inbox.events in access exclusive mode"):
        asking.start()
        wait_until(lambda: waiting(db, "webhooks"))
        gone = send(stack, "webhooks", signal.SIGTERM)
    asking.join()
    assert answers == [200]
    assert db.value("select count(*) from inbox.events where id = %s", ident) == 1
    wait_until(lambda: not gone & processes(stack, "webhooks"), 1)


@pytest.mark.only("nginx")
def test_f113_a_checkout_under_way_is_finished(stack, browser, sim, fresh):
    """Also when Stripe is slow, as long as it takes less than serve.drain_ms."""
    page, answers = browser.get("/signup"), []
    sim.fault(method="POST", path="/v1/checkout/sessions", answer="real", after=1)
    fields = {"email": fresh(), "plan": "starter"}
    asking = threading.Thread(target=lambda: answers.append(browser.submit(page, fields)))
    asking.start()
    time.sleep(0.5)
    send(stack, "signup", signal.SIGTERM)
    asking.join()
    assert session_in(answers[0])


@pytest.mark.only("nginx")
def test_f113_a_request_that_never_ends_is_not_waited_for(stack, browser, sim, fresh):
    page, answers = browser.get("/signup"), []
    sim.fault(method="POST", path="/v1/checkout/sessions", answer="hang", effect=True)
    fields = {"email": fresh(), "plan": "starter"}
    asking = threading.Thread(target=lambda: answers.append(browser.submit(page, fields)))
    asking.start()
    wait_until(lambda: sim.get("faults") == [])     # the call that hangs has come
    gone = send(stack, "signup", signal.SIGTERM)
    wait_until(lambda: not gone & processes(stack, "signup"), 4)        # serve.drain_ms is half of it
    asking.join()
    assert answers[0].status == 503 and int(answers[0].header("Retry-After")) > 0


@pytest.mark.only("nginx")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", PROGRAMS)
def test_f113_an_idle_one_is_gone_at_once(stack, name, number):
    gone = send(stack, name, number)
    wait_until(lambda: not gone & processes(stack, name), 1.5, every=0.005)      # serve.drain_ms is longer
    replaced(stack, name, gone)


@pytest.mark.only("nginx")
@pytest.mark.parametrize("name", PROGRAMS)
def test_f114_other_signals_end_nothing(stack, name):
    """As those that a web server, a terminal or a broken pipe may send."""
    before = processes(stack, name)
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR2):
        assert send(stack, name, number) == before
        time.sleep(0.05)
        assert processes(stack, name) == before, number


@pytest.mark.only("apache")
@pytest.mark.parametrize("name", WORKERS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_f115_apache_starts_another_for_the_next_request(stack, asks, name, number):
    """mod_fcgid starts a new process at the next request."""
    ask, good = asks[name]
    assert ask()[0] == good
    gone = send(stack, name, number)
    assert gone
    wait_until(lambda: all(map(has_ended, gone)), 3)
    assert [ask()[0] for _ in range(5)] == [good] * 5
    assert processes(stack, name)


@pytest.mark.only("apache")
@pytest.mark.parametrize("name", WORKERS)
def test_f115_apache_under_load_serves_on(stack, db, asks, name):
    """It may hand a request to a process that is just ending, and answers that one with 500 or 503 of its own."""
    ask, good = asks[name]
    clients, times = CALLERS.get(name, 4), 3
    with Load(ask, clients) as load:
        for _ in range(times):
            load.more(20)
            send(stack, name, signal.SIGTERM)
        load.more(40)
    assert load.except_for(good, 500, 503) == []
    assert len(load.except_for(good)) <= clients * times
    assert [ask()[0] for _ in range(5)] == [good] * 5
    if name == "webhooks":
        assert_inbox_has(db, load)
    if name == "usage":
        assert_ledger_has(db, load)
