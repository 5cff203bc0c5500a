"""Subscribing again, and money on the billing page: invoices, payments, notices, next steps."""
import copy
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults import all_at_once, processes
from journey import session_in, wait_until
from test_billing import says, subscription  # noqa: F401 (a fixture)

pytestmark = pytest.mark.only("nginx")      # what Stripe says and the database makes of it


def page_when(browser, check, seconds=15):
    """The billing page once it passes the check."""
    def look():
        page = browser.get("/settings/billing")
        return page if page.status == 200 and check(page.html) else None
    return wait_until(look, seconds)


def subscribe(browser, plan="growth"):
    return browser.submit(browser.get("/settings/billing"), {"plan": plan}, action="/settings/billing/checkout")


@pytest.fixture
def ended(customer, sim, subscription):  # noqa: F811
    """A browser of a tenant whose subscription has ended."""
    sim.post(f"subscriptions/{subscription}/cancel")
    page_when(customer[0], lambda html: html.one(id="status").text == "Canceled")
    return customer[0]


def forget(sim, db, customer):
    """Deletes the customer at Stripe and waits until jobs has fetched it."""
    sim.delete(f"customers/{customer}")
    sim.quiet()
    wait_until(lambda: db.value("select version = clean_version from sync.objects where id = %s", customer))


@pytest.fixture
def bare(ended, customer, sim, db):
    """The same, with the Stripe customer deleted."""
    forget(sim, db, db.value("select id from billing.customers where tenant_id = %s", db.tenant_of(customer[1])))
    return ended


def session_of(sim, answer):
    """Stripe's checkout session that an answer redirects to."""
    return sim.object("checkout.session", session_in(answer))


def keys(sim, path):
    return [r["headers"]["idempotency-key"] for r in sim.requests("POST", path)]


def live(sim, email):
    """Open sessions and live subscriptions of every customer with this address."""
    customers = [c["id"] for c in sim.get("state/customer") if c.get("email") == email]
    sessions = [s for s in sim.get("state/checkout.session") if s["customer"] in customers and s["status"] == "open"]
    return customers, sessions


def test_c97_the_first_invoice_and_payment_are_shown_with_links(customer, subscription):  # noqa: F811
    page = page_when(customer[0], lambda html: html.one(id="invoices").all("li"))
    (invoice,) = page.html.one(id="invoices").all("li")
    assert "$19.00 · Paid" in invoice.text
    assert [a.get("href").startswith("http") for a in invoice.all("a")] == [True, True]
    (payment,) = page.html.one(id="payments").all("li")
    assert "Paid" in payment.text and "$19.00" in payment.text


def test_c12_no_plan_form_while_a_subscription_is_live(customer, subscription):  # noqa: F811
    page = page_when(customer[0], lambda html: html.one(id="status").text == "Active")
    assert page.html.all("form", action="/settings/billing/checkout") == []


def test_c12_checkout_with_a_live_plan_leads_to_the_portal(customer, sim, subscription):  # noqa: F811
    browser = customer[0]
    page = page_when(browser, lambda html: html.one(id="status").text == "Active")
    token = page.html.all("input", name="csrf")[0].get("value")
    answer = browser.post("/settings/billing/checkout", {"csrf": token, "plan": "growth"})
    assert answer.status == 303
    assert "/p/" in answer.location or "portal" in answer.location


def test_c16_a_tenant_comes_back_with_the_customer_it_had(ended, customer, sim, db):
    before = db.value("select count(*) from app.tenants")
    wait_until(lambda: subscribe(ended).location.startswith(sim.url))
    customers, sessions = live(sim, customer[1])
    assert len(customers) == 1 and len(sessions) == 1
    sim.pay(sessions[0]["id"])
    said = says(ended, plan="Growth", status="Active")
    assert said["class"] == "good"
    assert db.value("select count(*) from app.tenants") == before
    assert len(live(sim, customer[1])[0]) == 1


@pytest.mark.parametrize("who", ["ended", "bare"])
def test_c16_ten_checkouts_at_once_make_one_customer_and_one_live_session(who, request, customer, sim):
    browser = request.getfixturevalue(who)
    token = browser.get("/settings/billing").html.all("input", name="csrf")[0].get("value")
    answers = all_at_once(lambda: copy.copy(browser).post("/settings/billing/checkout",
                                                          {"csrf": token, "plan": "growth"}), 10)
    assert {a.status for a in answers} <= {303, 503}
    assert 303 in {a.status for a in answers}
    customers, sessions = live(sim, customer[1])
    assert len(customers) == 1 and len(sessions) == 1
    assert {a.location.split("#")[0] for a in answers if a.status == 303} == {sessions[0]["url"].split("#")[0]}


def test_s02_the_page_of_an_open_session_is_given_again_without_a_call(ended, sim, calm):
    first = wait_until(lambda: (answer := subscribe(ended)).location.startswith(sim.url) and answer)
    sim.fault(answer="hang", times=100)
    assert subscribe(ended).location == first.location


def test_s02_a_checkout_over_an_allowance_says_so(ended, sim, limit):
    wait_until(lambda: subscribe(ended).location.startswith(sim.url))
    waits = limit("call_browser", 1)
    answer = subscribe(ended, "starter")
    assert answer.status == 429 and waits(answer)
    assert "Too many requests for payment pages" in answer.html.one("p", role="alert").text


def test_c16_another_plan_closes_the_session_that_was_open(ended, customer, sim):
    first = wait_until(lambda: (answer := subscribe(ended, "growth")).location.startswith(sim.url) and answer)
    second = subscribe(ended, "starter")
    assert first.status == second.status == 303
    assert first.location != second.location
    assert len(live(sim, customer[1])[1]) == 1


def test_s12_clicks_on_two_plans_leave_one_session_that_is_recorded(ended, customer, sim, db):
    page, plans = ended.get("/settings/billing"), itertools.cycle(("growth", "starter"))

    def click():
        return ended.submit(page, {"plan": next(plans)}, action="/settings/billing/checkout")
    answers = [*all_at_once(click, 16), click()]
    assert {a.status for a in answers} <= {303, 503}, answers
    assert answers[-1].status == 303
    _, sessions = live(sim, customer[1])
    recorded = db.value("select session_id from billing.checkouts where email_canonical = %s and status = 'open'",
                        customer[1])
    assert [s["id"] for s in sessions] == [recorded] == [session_in(answers[-1])]



@pytest.mark.parametrize("fields", [{"plan": "enterprise"}, {"plan": ""}, {}, {"plan": "growth", "price": "price_x"}])
def test_c4_a_wrong_plan_asks_stripe_nothing(ended, sim, fields):
    page = ended.get("/settings/billing")
    token = page.html.all("input", name="csrf")[0].get("value")
    before = sim.changes()
    answer = ended.post("/settings/billing/checkout", {"csrf": token, **fields})
    assert answer.status == 422
    assert answer.html.one("p", role="alert").text
    assert sim.changes() == before


def test_f101_a_session_without_a_status_is_a_bad_answer(ended, sim, stack, calm):
    session = session_of(sim, subscribe(ended, "growth"))["id"]
    before = processes(stack, "billing")
    sim.fault(method="GET", path="/v1/checkout/sessions/*", answer="real", set={"status": None}, times=9)
    page = subscribe(ended, "starter")
    assert page.status == 503 and page.header("Retry-After") == "5"
    assert page.html.one("p", role="alert").text
    assert before <= processes(stack, "billing")
    sim.delete("faults")
    assert session_of(sim, subscribe(ended, "starter"))["id"] != session


def test_f98_the_spent_key_of_a_customer_is_followed_by_another(bare, sim, calm):
    """Stripe repeats a failure that it has saved."""
    before = len(keys(sim, "/v1/customers"))
    sim.fault(method="POST", path="/v1/customers", status=500, effect=True)
    assert session_of(sim, subscribe(bare))["status"] == "open"
    spent, repeated, fresh = keys(sim, "/v1/customers")[before:]
    assert spent == repeated != fresh


def test_f98_a_lost_answer_about_the_customer_is_asked_for_with_the_same_key(bare, customer, sim, calm):
    before = len(keys(sim, "/v1/customers"))
    sim.fault(method="POST", path="/v1/customers", answer="truncate", times=3)
    assert subscribe(bare).status == 503
    made, = live(sim, customer[1])[0]
    assert session_of(sim, subscribe(bare, "starter"))["customer"] == made
    assert len(set(keys(sim, "/v1/customers")[before:])) == 1


def test_f98_the_spent_key_of_an_expiry_is_followed_by_another(ended, customer, sim, calm):
    first = session_of(sim, subscribe(ended, "growth"))["id"]
    sim.fault(method="POST", path="/v1/checkout/sessions/*/expire", status=500, headers={"Idempotent-Replayed": "true"})
    second = session_of(sim, subscribe(ended, "starter"))
    assert [s["id"] for s in live(sim, customer[1])[1]] == [second["id"]] != [first]
    spent, fresh = keys(sim, f"/v1/checkout/sessions/{first}/expire")
    assert spent != fresh


def test_f102_a_customer_made_for_a_click_and_deleted_is_replaced(bare, customer, sim, db, calm):
    first = session_of(sim, subscribe(bare))
    forget(sim, db, first["customer"])
    second = session_of(sim, subscribe(bare))
    assert second["customer"] not in (None, first["customer"])
    assert live(sim, customer[1]) == ([second["customer"]], [second])
    assert sim.object("checkout.session", first["id"])["status"] == "expired"


def test_f102_so_is_one_whose_deletion_only_stripes_refusal_shows(bare, customer, sim, calm):
    first = session_of(sim, subscribe(bare, "growth"))
    sim.post("mode", hold=True)
    sim.delete(f"customers/{first['customer']}")
    second = session_of(sim, subscribe(bare, "starter"))
    assert second["customer"] not in (None, first["customer"])
    assert live(sim, customer[1]) == ([second["customer"]], [second])


def test_f102_a_bound_customer_deleted_while_a_checkout_is_open_begins_another(ended, customer, sim, db, calm):
    first = session_of(sim, subscribe(ended))
    forget(sim, db, first["customer"])
    second = session_of(sim, subscribe(ended))
    assert second["customer"] not in (None, first["customer"])
    assert live(sim, customer[1]) == ([second["customer"]], [second])
    assert sim.object("checkout.session", first["id"])["status"] == "expired"


def test_f102_stripes_refusal_of_a_bound_customer_has_jobs_look_at_it(ended, sim, db, calm):
    first = session_of(sim, subscribe(ended, "growth"))
    sim.post("mode", hold=True)
    sim.delete(f"customers/{first['customer']}")
    assert subscribe(ended, "starter").status in (303, 503)
    wait_until(lambda: db.value("select deleted from billing.customers where id = %s", first["customer"]))
    assert session_of(sim, subscribe(ended, "starter"))["customer"] not in (None, first["customer"])


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 400, "body": {"error": {
    "type": "idempotency_error",
    "message": "Keys for idempotent requests can only be used with the same parameters."}}}],
    ids=["403", "another request"])
def test_f99_f102_what_stripe_refuses_leaves_the_page(ended, sim, calm, fault):
    sim.fault(method="POST", path="/v1/checkout/sessions", times=9, **fault)
    page = subscribe(ended)
    assert page.status == 503 and page.header("Retry-After") == "5"
    assert "cannot be begun" in page.html.one("p", role="alert").text
    sim.delete("faults")
    wait_until(lambda: subscribe(ended).status == 303)      # what was refused is left alone for 10 s


def test_f82_a_failed_bank_debit_of_a_returning_tenant_is_told_by_mail_once(ended, customer, sim, db, mail, calm):
    wait_until(lambda: db.value("select count(*) from mail.outbox where recipient = %s and state = 'pending'",
                                customer[1]) == 0)
    before = len(mail.to(customer[1]))
    session = session_of(sim, subscribe(ended))["id"]
    sim.pay(session, "bank")
    sim.quiet()
    sim.post(f"checkout/{session}/settle", ok=False)
    mail.next(customer[1], before, "Your payment failed")
    sim.quiet()
    assert [m["subject"] for m in mail.to(customer[1])[before:]].count("Your payment failed") == 1


def test_f42_a_token_that_is_replaced_while_stripe_is_slow_ends_nothing(bare, customer, sim, db, calm):
    """Another tab has used the next one meanwhile: this answer is refused, and takes no cookie from the browser."""
    page = bare.get("/settings/billing")
    asked = len(sim.requests("POST", "/v1/customers"))
    sim.fault(method="POST", path="/v1/customers", answer="real", after=1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(bare.submit, page, {"plan": "growth"}, "/settings/billing/checkout")
        wait_until(lambda: len(sim.requests("POST", "/v1/customers")) > asked)
        mine = "from auth.sessions s join auth.users u on u.id = s.user_id where u.email_canonical = %s"
        db.execute("update auth.tokens set retired_at = now() - interval '31 s' where session_id in "
                   f"(select s.id {mine})", customer[1])
        answer = answer.result()
    assert (answer.status, answer.location) == (303, "/signin?next=/settings/billing/checkout")
    assert answer.header("Set-Cookie") is None
    assert db.row(f"select s.revoked_at {mine}", customer[1]) == (None,)
