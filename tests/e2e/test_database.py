"""The database goes away and comes back: nothing that was acknowledged is lost, and no program ends."""
import os
import signal
import time

import fcgi
import pytest
from faults import (PROCESSING, PROGRAMS, Load, Postgres, all_at_once, deliver, event, finish, heading, holding,
                    kill, leases_end, pay, processes)
from journey import become_customer, sign_in, wait_until

pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def postgres(stack, db):
    return Postgres(stack, db)


def running(stack):
    return {name: processes(stack, name) for name in PROGRAMS}


def assert_none_ended(stack, before):
    """Apache may have started more of them meanwhile."""
    for name, now in running(stack).items():
        assert now >= before[name] if stack["server"] == "apache" else now == before[name], name


def await_recovery(stack, browser):
    """All of them have found the database again: they look for it less often the longer it is away."""
    for path in ("/welcome?session_id=cs_x", "/signin/link?t=" + "A" * 43):
        wait_until(lambda: browser.get(path).status in (404, 410))
    wait_until(lambda: browser.post("/api/billing/session", b"", Accept="application/json").status != 503)
    wait_until(lambda: deliver(stack, event()[2]).status == 200)


def says_come_back(page, kind="text/html"):
    assert page.status == 503 and int(page.header("Retry-After")) > 0, page
    assert page.header("Content-Type").startswith(kind)
    return True


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_f84_the_journey_with_the_database_restarted_in_the_middle(stack, postgres, browser, sim, db, mail, fresh, how):
    email = fresh()
    before, earlier = running(stack), len(sim.get("deliveries"))
    sim.post("mode", hold=True)
    returned = pay(browser, sim, email)
    assert heading(browser.get(returned)) == PROCESSING
    with postgres.down(how):
        sim.post("mode", hold=False)
        says_come_back(browser.get(returned))
        wait_until(lambda: all(len(d["statuses"]) > 1 for d in sim.get("deliveries")[earlier:]))
        assert {s for d in sim.get("deliveries")[earlier:] for s in d["statuses"]} == {503}
    finish(browser, sim, db, mail, email, returned)
    assert_none_ended(stack, before)
    assert {d["state"] for d in sim.get("deliveries")[earlier:]} == {"delivered"}


def test_f83_while_it_is_down_every_request_is_503_with_retry_after(stack, postgres, new_browser, sim, db, mail, fresh):
    browser, member, email = new_browser(), new_browser(), fresh()
    form = browser.get("/signup")
    become_customer(member, sim, db, email)
    sign_in(member, mail, email)
    billing = member.get("/settings/billing")
    signin = browser.get("/signin")
    before = running(stack)
    with postgres.down():
        answer = browser.submit(form, {"email": fresh(), "plan": "starter"})
        assert says_come_back(answer) and answer.html.one("input", id="plan-starter", checked=None)
        for path in ("/workspace", "/settings/billing", "/de/settings/billing"):
            page = member.get(path)
            assert says_come_back(page) and page.html.one("h1").text
        says_come_back(browser.submit(signin, {"email": email}))
        says_come_back(browser.get("/signin/link?t=" + "A" * 43))
        says_come_back(browser.get("/signup/continue?t=" + "A" * 43))
        says_come_back(browser.post("/signup/continue", {"csrf": form.form().fields["csrf"], "t": "A" * 43}))
        says_come_back(member.submit(billing))
        says_come_back(member.get("/workspace", Accept="application/json"), "application/json")
        answer = member.post("/api/billing/session", b"", Accept="application/json")
        assert says_come_back(answer, "application/json") and answer.json == {"error": "Billing service unavailable"}
        assert says_come_back(deliver(stack, event()[2]), "application/json")
        assert browser.get("/signup").status == browser.get("/style.css").status == 200
        assert member.cookie("__Host-sid"), "an outage signs nobody out"
    wait_until(lambda: member.get("/workspace").status == 200)
    assert_none_ended(stack, before)


ENTRIES = {     # what is typed on each page that leads to a session
    "/signin": [{"email": "who@example.com", "password": "correct horse battery"}, {"email": "who@example.com"}],
    "/signin/code": [{"code": "AAAA-AAAA"}],
    "/register": [{"email": "who@example.com", "password": "correct horse battery"}],
    "/register/link": [{"code": "AAAA-AAAA"}],
    "/reset": [{"email": "who@example.com"}],
    "/reset/link": [{"code": "AAAA-AAAA", "password": "correct horse battery"}],
}


def test_f63_while_it_is_down_nobody_gets_in_and_static_pages_are_served(postgres, browser):
    forms = {path: browser.get(path) for path in ENTRIES}
    csrf = forms["/signin"].form().fields["csrf"]
    browser.set_cookie("__Host-second", "A" * 43)
    with postgres.down():
        for path, typed in ENTRIES.items():
            for fields in typed:
                assert says_come_back(browser.submit(forms[path], fields)) and browser.cookie("__Host-sid") is None
        says_come_back(browser.post("/signin/second", {"csrf": csrf, "code": "123456"}))
        for path in ("/signin/link", "/register/link", "/reset/link", "/settings/email/link", "/settings/email/undo",
                     "/invitation"):
            says_come_back(browser.get(f"{path}?t={'A' * 43}"))
        for path in ("/style.css", "/favicon.svg", *ENTRIES):
            assert browser.get(path).status == 200, path


@pytest.mark.only("nginx")
def test_f83_healthz_tells(stack, postgres):
    def health():
        answers = [fcgi.call(path, "GET", "/healthz") for name, path in stack["sockets"].items() if name != "og"]
        return {(a.status, a.body) for a in answers}
    wait_until(lambda: health() == {(200, b"ok\n")})
    with postgres.down():
        assert health() == {(503, b"database unavailable\n")}
    wait_until(lambda: health() == {(200, b"ok\n")})


@pytest.mark.only("nginx")
def test_f83_started_while_it_is_down_they_stay_and_serve_once_it_is_up(stack, postgres, browser, sim, db, mail, fresh):
    email = fresh()
    returned = pay(browser, sim, email)
    with postgres.down():
        started = {name: kill(stack, name, signal.SIGTERM) for name in PROGRAMS}
        time.sleep(0.5)
        says_come_back(browser.get(returned))
        says_come_back(deliver(stack, event()[2]), "application/json")
        assert running(stack) == started
    leases_end(db)      # what the jobs that was told to stop had fetched, it could write down nowhere
    finish(browser, sim, db, mail, email, returned)
    assert running(stack) == started


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_f75_under_load_what_was_acknowledged_is_there_and_is_done(stack, postgres, browser, db, how):
    """Deliveries all the while; those not acknowledged are repeated, as Stripe does."""
    def ask():
        ident, _, body = event()
        status = deliver(stack, body).status
        time.sleep(0.01 if status == 200 else 0.1)
        return status, (ident, body)
    with Load(ask, 6) as load:
        for _ in range(2):
            load.more(30)
            with postgres.down(how):
                wait_until(lambda: load.answers[-1][0] == 503)
            wait_until(lambda: load.answers[-1][0] == 200)
        load.more(30)
    assert load.except_for(200, 503) == []
    known = {ident for ident, in db.rows("select id from inbox.events")}
    assert {ident for status, (ident, _) in load.answers if status == 200} <= known
    for _, (_, body) in load.except_for(200):
        wait_until(lambda: deliver(stack, body).status == 200)      # each of Apache's processes has its own back-off
    everything = [ident for _, (ident, _) in load.answers]
    leases_end(db)
    wait_until(lambda: db.value("select count(*) from inbox.events where id = any(%s) and state = 'done'",
                                everything) == len(everything))


def test_f84_the_first_request_after_a_restart_is_served(stack, postgres, browser):
    await_recovery(stack, browser)
    before = running(stack)
    postgres.command("restart")
    postgres.connect()
    assert browser.get("/welcome?session_id=cs_x").status == 404
    assert browser.get("/signin/link?t=" + "A" * 43).status == 410
    assert deliver(stack, event()[2]).status == 200
    assert_none_ended(stack, before)


@pytest.mark.only("nginx")
def test_f84_connections_cut_under_load_fail_no_delivery(stack, db):
    """A call is made three times at most, so it is not cut again while it is at that."""
    def ask():
        ident, _, body = event()
        return deliver(stack, body).status, ident
    with Load(ask, 4) as load:
        for _ in range(8):
            load.more(20)
            time.sleep(0.2)
            db.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tollgate_webhooks'")
    assert load.except_for(200) == []
    idents = [ident for _, ident in load.answers]
    assert db.value("select count(*) from inbox.events where id = any(%s)", idents) == len(idents)


@pytest.mark.only("nginx")
def test_f86_a_server_that_went_silent_costs_no_more_than_the_deadline(stack, postgres, browser):
    await_recovery(stack, browser)
    frozen = postgres.processes()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        for page in all_at_once(lambda: browser.get("/welcome?session_id=cs_x"), 4):
            says_come_back(page)
        assert time.monotonic() - begun < 3.5
    finally:
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
    await_recovery(stack, browser)


def test_f89_locked_rows_are_answered_in_time_and_delay_no_other_request(stack, browser, db, fresh):
    with holding(stack, "lock table billing.checkouts in access exclusive mode"):
        begun = time.monotonic()
        says_come_back(browser.get("/welcome?session_id=cs_x"))
        assert time.monotonic() - begun < 3.5
        assert browser.get("/signin/link?t=" + "A" * 43).status == 410
    assert browser.get("/welcome?session_id=cs_x").status == 404
