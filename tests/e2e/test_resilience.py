"""The whole journey, from the form to a cancellation in the portal, while calls to Stripe and its webhooks fail."""
import pytest
from faults import PROCESSING, READY, all_at_once, deliver, event, finish, heading, pay, settings
from journey import session_in, sign_up, wait_until

pytestmark = pytest.mark.usefixtures("calm")

STRIPE_SECONDS = 1


@pytest.fixture
def complete(browser, sim, db, mail, fresh):
    """Goes all the way; fails unless there is one of each at the end."""
    def run(returned=None, email=None):
        email = email or fresh()
        finish(browser, sim, db, mail, email, returned or pay(browser, sim, email))
    return run


@pytest.fixture(scope="module", autouse=True)
def impatient(stack):
    """Programs with a short timeout for Stripe."""
    # those of Apache that run already do not hear of it
    programs = ["jobs"] if stack["server"] == "apache" else ["signup", "billing", "jobs"]
    with settings(stack, *programs, stripe_timeout_ms=STRIPE_SECONDS * 1000):
        yield


def test_f71_the_journey_with_every_webhook_delivered_twice(complete, sim, db):
    sim.post("mode", duplicate=1)
    complete()
    rows = sim.get("deliveries")[-4:]
    assert len({r["event"] for r in rows}) == 2 and {r["state"] for r in rows} == {"delivered"}


@pytest.mark.parametrize("mode", [{"shuffle": 0.8}, {"reverse": 0.8}, {"shuffle": 0.5, "duplicate": 2, "parallel": 16}])
def test_f73_the_journey_with_webhooks_in_another_order(complete, sim, mode):
    sim.post("mode", **mode)
    complete()


def test_f73_the_journey_with_webhooks_lost_at_first(complete, sim):
    sim.post("mode", drop=12)
    complete()
    assert sim.get("mode")["drop"] == 0


def test_f82_the_journey_with_the_webhook_after_the_welcome_page(complete, browser, sim, db, mail, fresh):
    email = fresh()
    sim.post("mode", hold=True)
    returned = pay(browser, sim, email)
    for _ in range(3):
        assert heading(browser.get(returned)) == PROCESSING
    assert db.status_of(email) == "draft" and mail.to(email) == []
    sim.post("mode", hold=False)
    complete(returned, email)


FAULTS = {
    "500 once": {"status": 500},
    "503 with the effect done": {"status": 503, "effect": True},
    "hangs": {"answer": "hang"},
    "answers after the time-out with the effect done": {"answer": "real", "after": STRIPE_SECONDS + 0.5},
    "hangs up with the effect done": {"answer": "close", "effect": True},
    "half a body": {"answer": "truncate"},
    "a web page with the effect done": {"answer": "html", "effect": True},
    "429 with a pause": {"status": 429, "headers": {"Retry-After": "1"}},
}


@pytest.mark.only("nginx")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_f98_the_journey_when_each_of_the_calls_to_stripe_fails_once(complete, sim, fault):
    calls = [("POST", "/v1/checkout/sessions"), ("GET", "/v1/checkout/sessions/*"), ("GET", "/v1/customers/*"),
             ("GET", "/v1/subscriptions/*"), ("POST", "/v1/billing_portal/sessions")]
    for method, path in calls:
        sim.fault(method=method, path=path, **fault)
    complete()
    assert sim.get("faults") == []


@pytest.mark.only("nginx")
def test_f97_when_stripe_hangs_for_good_the_form_is_back_in_time_and_works_later(complete, browser, sim, db, fresh):
    email = fresh()
    sim.fault(method="POST", path="/v1/checkout/sessions", answer="hang", effect=True, times=100)
    refused = sign_up(browser, email)
    assert refused.status == 503 and int(refused.header("Retry-After")) > 0
    assert refused.form().fields["email"] == email
    assert db.status_of(email) == "draft"
    sim.delete("faults")
    sent = browser.submit(refused, {"email": email, "plan": "starter"})
    complete(sim.pay(session_in(sent))["return_url"], email)


def test_f98_the_journey_from_ten_form_posts_at_once(complete, browser, sim, fresh):
    email = fresh()
    page = browser.get("/signup")
    answers = all_at_once(lambda: browser.submit(page, {"email": email, "plan": "starter"}), 10)
    assert {a.status for a in answers} <= {303, 503}
    session, = {session_in(a) for a in answers if a.status == 303}
    complete(sim.pay(session)["return_url"], email)


@pytest.mark.only("nginx")
def test_f99_ten_form_posts_at_once_while_stripe_is_slow(complete, browser, sim, fresh):
    """Stripe answers 409 "in progress" to all but one: some may have to press again, but there is one session."""
    email = fresh()
    page = browser.get("/signup")
    sim.fault(method="POST", path="/v1/checkout/sessions", answer="real", before=1)
    answers = all_at_once(lambda: browser.submit(page, {"email": email, "plan": "starter"}), 10)
    assert {a.status for a in answers} <= {303, 503}
    session, = {session_in(a) for a in answers if a.status == 303}
    assert session_in(browser.submit(page, {"email": email, "plan": "starter"})) == session
    complete(sim.pay(session)["return_url"], email)


def test_f72_the_same_event_fifty_times_at_once(stack, db):
    ident, customer, body = event()
    answers = all_at_once(lambda: deliver(stack, body), 50)
    assert [(a.status, a.json) for a in answers] == [(200, {"received": True})] * 50
    assert db.rows("select raw, object_id from inbox.events where id = %s", ident) == [(body, customer)]
    assert db.value("select version from sync.objects where kind = 'customer' and id = %s", customer) == 1


def test_f71_an_event_again_within_five_minutes_is_taken_and_does_nothing(stack, db):
    ident, _, body = event()
    row = "select o.version, e.received_at, e.signature_header from sync.objects o join inbox.events e " \
        "on e.object_id = o.id where e.id = %s"
    assert deliver(stack, body).status == 200
    before = db.row(row, ident)
    assert [deliver(stack, body, age).status for age in (0, 60, 290)] == [200] * 3
    assert db.row(row, ident) == before


def test_f71_a_replay_after_five_minutes_is_refused(stack, db):
    ident, _, body = event()
    answer = deliver(stack, body, age=310)
    assert (answer.status, answer.json) == (400, {"error": "Invalid signature", "code": "invalid_signature"})
    assert db.row("select 1 from inbox.events where id = %s", ident) is None


def test_f73_the_last_state_wins_whatever_order_its_events_come_in(complete, browser, sim, db, fresh):
    """A plan is changed and changed back; its events arrive newest first."""
    email = fresh()
    returned = pay(browser, sim, email)
    wait_until(lambda: heading(browser.get(returned)) == READY)
    sim.quiet()
    subscription, plan = wait_until(lambda: db.row("select id, plan from billing.subscriptions where tenant_id = %s",
                                                   db.tenant_of(email)))
    assert plan == "starter"
    sim.post("mode", reverse=0.5)
    for price in ("price_growth", "price_starter", "price_growth"):
        sim.post(f"subscriptions/{subscription}/change", price=price)
    sim.quiet()
    wait_until(lambda: db.value("select version = clean_version from sync.objects where kind = 'subscription' "
                                "and id = %s", subscription))
    assert db.value("select plan from billing.subscriptions where id = %s", subscription) == "growth"
