"""What the billing page says will be charged, and when: what Stripe charges then."""
import pytest
from journey import days_pass, wait_until
from test_billing import at_stripe, billing, period_end, says, subscription  # noqa: F401 -- a fixture

pytestmark = pytest.mark.only("nginx")      # what Stripe says and the database makes of it

DOLLARS = {1900: "$19.00", 4900: "$49.00", 950: "$9.50", 0: "$0.00", 1400: "$14.00"}


def line(browser, ident="renews-on", language="en"):
    found = browser.get(f"/{language}/settings/billing").html.one("main").all(id=ident)
    return found[0].text if found else None


def names(browser, amount, ident="renews-on"):
    """Waits until the line names this amount."""
    return wait_until(lambda: (text := line(browser, ident)) and DOLLARS[amount] in text and text)


def charged(sim, db, subscription):
    """What the renewal comes to, a month later."""
    days_pass(sim, db, 32)
    mine = [row for row in sim.get("state/invoice")
            if row["parent"]["subscription_details"]["subscription"] == subscription]
    return mine[-1]["amount_due"]


def discount(stack, subscription, sim, **coupon):
    made = at_stripe(stack, "coupons", {"duration": "once", **coupon})
    at_stripe(stack, f"subscriptions/{subscription}", {"discounts[0][coupon]": made["id"]})


def balance(stack, subscription, sim):
    customer = sim.object("subscription", subscription)["customer"]
    at_stripe(stack, f"customers/{customer}", {"balance": -500})


CHANGES = {
    "a discount": (950, lambda *of: discount(*of, percent_off=50)),
    "a discount of all": (0, lambda *of: discount(*of, percent_off=100)),
    "a balance": (1400, balance),
}


@pytest.mark.parametrize("what", CHANGES)
def test_c97_the_page_names_what_stripe_will_charge(customer, sim, db, stack, subscription, what):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    amount, change = CHANGES[what]
    change(stack, subscription, sim)
    names(browser, amount)
    assert charged(sim, db, subscription) == amount
    names(browser, 1900)


def test_c97_after_a_change_of_plan_the_unbilled_parts_count(customer, sim, db, stack, subscription):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    days_pass(sim, db, 10)
    sim.post(f"subscriptions/{subscription}/change", price="price_growth")
    says(browser, plan="Growth")
    text = wait_until(lambda: (text := line(browser)) and "$" in text and text)
    amount = charged(sim, db, subscription)
    assert amount > 4900 and f"for ${amount / 100:.2f}." in text


def test_c97_no_amount_while_stripe_does_not_say_it(calm, customer, sim, stack, subscription):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    sim.fault(method="POST", path="/v1/invoices/create_preview", answer="status", status=400, times=20)
    discount(stack, subscription, sim, percent_off=50)
    wait_until(lambda: "$" not in line(browser) and any(subscription in one["body"] for one in sim.requests(
        "POST", "/v1/invoices/create_preview")))
    assert line(browser).startswith("Your plan renews on ") and "$" not in line(browser)
    assert "$" not in line(browser, language="de")


def test_c45_a_schedule_says_what_comes_next_and_when(customer, sim, db, stack, subscription):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    end = period_end(sim, subscription)
    plan = at_stripe(stack, "subscription_schedules", {"from_subscription": subscription})
    at_stripe(stack, f"subscription_schedules/{plan['id']}", {
        "phases[0][items][0][price]": "price_starter", "phases[0][end_date]": end,
        "phases[1][items][0][price]": "price_growth"})
    names(browser, 4900, "changes-on")
    said = billing(browser)
    assert (said["changes-on"], said["plan"], said.get("renews-on")) == (end, "Starter", None)
    assert line(browser, "changes-on").startswith("Your plan changes to Growth on ")
    assert "wechselt am" in line(browser, "changes-on", "de") and "Growth" in line(browser, "changes-on", "de")
    at_stripe(stack, f"subscription_schedules/{plan['id']}/release", {})
    says(browser, changes_on=None, renews_on=end)
    names(browser, 1900)


def test_c45_a_schedule_comes_true(customer, sim, db, stack, subscription):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    plan = at_stripe(stack, "subscription_schedules", {"from_subscription": subscription})
    at_stripe(stack, f"subscription_schedules/{plan['id']}", {
        "phases[0][items][0][price]": "price_starter", "phases[0][end_date]": period_end(sim, subscription),
        "phases[1][items][0][price]": "price_growth"})
    names(browser, 4900, "changes-on")
    assert charged(sim, db, subscription) == 4900
    says(browser, plan="Growth", changes_on=None)


def test_c45_a_change_that_waits_for_its_payment_is_said(customer, sim, subscription):  # noqa: F811
    browser, _ = customer
    says(browser, status="Active")
    sim.post(f"subscriptions/{subscription}/pending", price="price_growth")
    until = sim.object("subscription", subscription)["pending_update"]["expires_at"]
    says(browser, waits_on=until, plan="Starter", status="Active")
    assert "Growth" in line(browser, "waits-on") and "Growth" in line(browser, "waits-on", "de")
