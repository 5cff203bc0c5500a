"""Stripe holds every answer while somebody presses again and again: pages that need no call are there all the same."""
from itertools import cycle

import pytest
from faults import Load, settings
from journey import become_customer, new_address, session_in, sign_in, sign_up, stack_command, wait_until

CLIENTS = 8
PERMITS = 3     # serve.calls


def restart(stack):
    for name in ["apache"] if stack["server"] == "apache" else ["signup", "billing"]:
        stack_command("restart", "--dir", stack["dir"], name)


@pytest.fixture(scope="module", autouse=True)
def patient(stack):
    """No call ends by itself during a test."""
    with settings(stack, stripe_timeout_ms=40000):
        restart(stack)
        yield
    restart(stack)


@pytest.fixture
def held(sim):
    """From now on Stripe answers no call. A function that gives the calls for browsers that are in flight."""
    sim.fault(answer="hang", times=1000000)
    yield lambda: {r["time"] for r in sim.posts() if r["status"] is None}
    sim.delete("faults")


def one_draft(new_browser):
    """One browser that sends one form again and again."""
    browser, email = new_browser(), new_address("flood")
    form = browser.get("/signup")
    return lambda: browser.submit(form, {"email": email, "plan": "starter"})


def eight_addresses(new_browser):
    """A browser at each of eight addresses, each with a draft of its own."""
    visitors = cycle([(browser := new_browser(address=f"127.0.8.{n}"), browser.get("/signup"), new_address("flood"))
                      for n in range(1, 9)])

    def press():
        browser, form, email = next(visitors)
        return browser.submit(form, {"email": email, "plan": "starter"})
    return press


def one_member(new_browser, sim, db, mail):
    """A member who presses Manage again and again."""
    browser, email = new_browser(), new_address("flood")
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    page = browser.get("/settings/billing")
    return lambda: browser.submit(page)


@pytest.fixture(params=["one draft", "eight addresses", "one member"])
def press(request, new_browser, sim, db, mail):
    if request.param == "one member":
        return one_member(new_browser, sim, db, mail)
    return {"one draft": one_draft, "eight addresses": eight_addresses}[request.param](new_browser)


def test_s02_pages_that_need_no_call_wait_for_none(press, customer, held, other, sim):
    member, _ = customer

    def ask():
        page = press()
        return page.status, page
    with Load(ask, CLIENTS) as load:
        try:
            wait_until(lambda: len(held()) == PERMITS and len(load.answers) >= 2 * CLIENTS)
            calls = held()
            for reader, path in [(other, "/signup"), (other, "/signin"), (member, "/workspace"),
                                 (member, "/settings/billing")] * 5:
                page = reader.get(path)
                assert page.status == 200, page
                assert held() == calls, f"{path} waited for a call"
            assert len(held()) == PERMITS
        finally:
            load.done.set()
            sim.delete("faults")
    refused = [page for status, page in load.answers if status == 503]
    assert len(refused) >= 2 * CLIENTS
    assert {(p.header("Retry-After"), len(p.html.all("p", role="alert"))) for p in refused} == {("5", 1)}
    assert load.except_for(303, 503) == []


@pytest.mark.only("nginx")
def test_s02_a_program_with_two_threads_has_one_call_in_flight(stack, press, held, other, sim):
    """However many serve.calls allows."""
    with settings(stack, "signup", "billing", serve_threads=2), Load(lambda: (press().status, None), CLIENTS) as load:
        try:
            wait_until(lambda: held() and len(load.answers) >= 2 * CLIENTS)
            calls = held()
            assert other.get("/signup").status == 200
            assert len(calls) == 1 and held() == calls
        finally:
            load.done.set()
            sim.delete("faults")


def test_s02_all_programs_keep_one_pace(browser, sim, db, fresh):
    """A pause that one program was asked for, and the others find in the database."""
    def paused():
        return db.value("update billing.pace set paused_until = clock_timestamp() + interval '1500 ms' "
                        "returning extract(epoch from paused_until)::float")
    until = paused()
    session = session_in(sign_up(browser, fresh()))
    assert sim.requests("POST", "/v1/checkout/sessions")[-1]["time"] >= until
    until = paused()
    sim.pay(session)
    wait_until(lambda: db.value("select status from billing.checkouts where session_id = %s", session) == "complete")
    assert min(r["time"] for r in sim.requests("GET", f"/v1/checkout/sessions/{session}")) >= until
