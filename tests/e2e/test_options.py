"""Checkout by configuration: what is asked of Stripe, shown before, and paid in the end."""
import re
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from faults import kill, settings
from journey import session_in, sign_in, sign_up, wait_until
from test_billing import at_stripe

# Only there does a program that was ended start again before somebody asks for it.
pytestmark = pytest.mark.only("nginx")
ALWAYS = {"mode", "line_items[0][price]", "line_items[0][quantity]", "customer_email", "client_reference_id",
          "metadata[tenant_id]", "metadata[plan]", "subscription_data[metadata][tenant_id]",
          "subscription_data[metadata][plan]", "success_url", "cancel_url", "locale"}
QUANTITY = "line_items[0][adjustable_quantity]"


@contextmanager
def starter(stack, more):
    """The plan starter with these members too."""
    path = Path(stack["config"])
    before = path.read_text()
    text, n = re.subn(r'(\{ id = "starter"; price = "price_starter"; )\}', r"\g<1>%s }" % more, before)
    assert n == 1
    path.write_text(text)
    try:
        for program in ("signup", "billing"):
            kill(stack, program, 15)
        yield
    finally:
        path.write_text(before)
        for program in ("signup", "billing"):
            kill(stack, program, 15)


def card(page, plan="starter"):
    return page.html.one("label", **{"for": f"plan-{plan}"}).text


def asked_beside(sim, email):
    """What the request for a session has that it has not by default."""
    asked, = sim.sessions_of(email)
    return {k: v for k, v in parse_qsl(asked["body"]) if k not in ALWAYS}


@pytest.fixture
def terms(sim):
    sim.post("settings", terms_url="https://example.com/terms")
    yield
    sim.post("settings", terms_url=None)


@pytest.mark.parametrize("key, asked", [
    ("promotion_codes", {"allow_promotion_codes": "true"}), ("automatic_tax", {"automatic_tax[enabled]": "true"}),
    ("tax_ids", {"tax_id_collection[enabled]": "true"}),
    ("billing_address", {"billing_address_collection": "required"}),
    ("terms", {"consent_collection[terms_of_service]": "required"})])
def test_c07_what_is_configured_is_asked_of_stripe(browser, stack, sim, terms, fresh, key, asked):
    email = fresh()
    with settings(stack, "signup", **{"checkout_" + key: "true"}):
        assert sign_up(browser, email).status == 303
    assert asked_beside(sim, email) == asked


def test_c17_a_code_is_announced_and_takes_off(browser, stack, sim, fresh):
    coupon = at_stripe(stack, "coupons", {"percent_off": 50, "duration": "forever"})["id"]
    half = at_stripe(stack, "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": coupon})["code"]
    with settings(stack, "signup", checkout_promotion_codes="true"):
        page = browser.get("/signup")
        session = session_in(sign_up(browser, fresh()))
    assert "A promotion code can be entered at checkout, before you pay." in page.html.one("main").text
    assert sim.post(f"checkout/{session}/pay", promotion_code=half)["paid"]
    invoice = sim.object("invoice", sim.object("checkout.session", session)["invoice"])
    assert (invoice["subtotal"], invoice["amount_paid"]) == (1900, 950)


def test_c17_tax_is_announced_and_added(browser, stack, sim, fresh):
    assert "No tax is added." in card(browser.get("/signup"))
    with settings(stack, "signup", checkout_automatic_tax="true"):
        page = browser.get("/signup")
        session = session_in(sign_up(browser, fresh()))
    assert "$19.00 a month" in card(page) and "Tax is added, depending on your address." in card(page)
    assert sim.post(f"checkout/{session}/pay")["paid"]
    invoice = sim.object("invoice", sim.object("checkout.session", session)["invoice"])
    assert (invoice["subtotal"], invoice["amount_paid"]) == (1900, 2280)


def test_c17_a_quantity_that_is_fixed(browser, stack, sim, fresh):
    email = fresh()
    with starter(stack, "quantity_min = 5; quantity_max = 5;"):
        page = browser.get("/signup")
        session = session_in(sign_up(browser, email))
    assert "each; 5 are bought together" in card(page) and asked_beside(sim, email) == {}
    assert sim.object("checkout.session", session)["amount_total"] == 5 * 1900


def test_c17_a_quantity_within_its_limits(browser, stack, sim, db, fresh):
    email = fresh()
    with starter(stack, "quantity_min = 2; quantity_max = 9;"):
        page = browser.get("/signup")
        session = session_in(sign_up(browser, email))
    assert "each; from 2 to 9, as you say at checkout" in card(page)
    assert asked_beside(sim, email) == {f"{QUANTITY}[enabled]": "true", f"{QUANTITY}[minimum]": "2",
                                        f"{QUANTITY}[maximum]": "9"}
    assert sim.object("checkout.session", session)["amount_total"] == 2 * 1900
    assert sim.post(f"checkout/{session}/pay", quantity=5)["paid"]
    assert wait_until(lambda: db.value("select quantity from billing.subscriptions where tenant_id = %s",
                                       db.tenant_of(email))) == 5


def test_c17_a_trial_is_given_once_for_an_address_and_a_tenant(browser, new_browser, stack, sim, db, mail, fresh):
    email = fresh()
    said = "The first 14 days are free, once for each account and address."
    with starter(stack, "trial_days = 14;"):
        page = browser.get("/signup")
        assert said in card(page) and said not in card(page, "growth")
        session = session_in(sign_up(browser, email))
        assert asked_beside(sim, email) == {"subscription_data[trial_period_days]": "14"}
        assert sim.object("checkout.session", session)["amount_total"] == 0
        tenant = db.tenant_of(email)
        beside = session_in(sign_up(new_browser(), email))
        assert sim.object("checkout.session", beside)["amount_total"] == 0
        assert sim.post(f"checkout/{session}/pay")["paid"]
        ident = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s and status = "
                                            "'trialing'", tenant))
        welcome = wait_until(lambda: (p := browser.get(f"/welcome?session_id={session}")) and "all set" in p.text and p)
        assert "payment has arrived" not in welcome.text
        assert "payment has arrived" not in mail.wait(email)["text"]

        # a session that was open beside it
        wait_until(lambda: sim.object("checkout.session", beside)["status"] == "expired")

        # another tenant of the same address
        sim.post(f"subscriptions/{ident}/cancel")
        wait_until(lambda: db.value("select status from billing.subscriptions where id = %s", ident) == "canceled")
        again = session_in(sign_up(new_browser(), email.upper()))
        assert sim.object("checkout.session", again)["amount_total"] == 1900

        # the same tenant
        sign_in(browser, mail, email)
        page = browser.get("/settings/billing")
        assert said not in card(page)
        bought = session_in(browser.submit(page, {"plan": "starter"}, action="/settings/billing/checkout"))
        assert sim.object("checkout.session", bought)["amount_total"] == 1900


def test_c07_a_customer_that_is_there_gets_what_is_typed(customer, stack, sim, db):
    browser, email = customer
    ident = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                        db.tenant_of(email)))
    sim.post(f"subscriptions/{ident}/cancel")
    with settings(stack, "billing", checkout_automatic_tax="true", checkout_tax_ids="true"):
        page = wait_until(lambda: (p := browser.get("/settings/billing")).html.all("input", name="plan") and p)
        bought = session_in(browser.submit(page, {"plan": "growth"}, action="/settings/billing/checkout"))
    assert sim.post(f"checkout/{bought}/pay", tax_id="DE123456789")["paid"]
    done = sim.object("checkout.session", bought)
    assert (done["amount_total"], done["customer_details"]["tax_ids"]) == (
        5880, [{"type": "eu_vat", "value": "DE123456789"}])
