"""Where a way ends: Checkout left without paying, back from the portal, signed out. Each page says what happened."""
import pytest
from faults import press
from journey import session_in, sign_up, wait_until
from test_billing import subscription  # noqa: F401 (a fixture)
from test_subscribing import ended, subscribe  # noqa: F401 (a fixture)

UNCHARGED = "You came back before paying. Nothing was charged."


def news(page):
    """The notices at the head of a page."""
    assert page.status == 200, page
    return [p.text for p in page.html.all("p", **{"class": "alert told news"})]


def chosen(page):
    return [i.get("value") for i in page.html.all("input", name="plan") if i.get("checked") is not None]


def cancel_address(sim, answer):
    """Where Checkout's "Back" leads to."""
    address = sim.object("checkout.session", session_in(answer))["cancel_url"]
    assert "@" not in address and "%40" not in address
    return address


def test_c115_who_leaves_checkout_finds_plan_and_address_and_that_nothing_was_charged(browser, sim, fresh):
    email = fresh()
    page = browser.get(cancel_address(sim, sign_up(browser, email, "growth", at="/de/signup")))
    assert news(page) == ["Sie sind vor dem Bezahlen zurückgekommen. Es wurde nichts abgebucht."]
    assert (chosen(page), page.html.one("input", name="email").get("value")) == (["growth"], email)
    assert session_in(browser.submit(page)), "and may go on"
    assert news(browser.get("/signup")) == []


def test_c115_only_the_browser_that_bought_is_told(browser, other, sim, fresh):
    left = cancel_address(sim, sign_up(browser, fresh()))
    for page in (other.get(left), browser.get(left.replace("starter", "growth"))):
        assert news(page) == []
        assert page.html.one("input", name="email").get("value") == ""
    assert chosen(other.get(left)) == ["starter"]


def test_c115_who_has_paid_is_not_told_that_nothing_was_charged(browser, sim, db, fresh):
    email = fresh()
    answer = sign_up(browser, email)
    left = cancel_address(sim, answer)
    assert news(browser.get(left)) != []
    browser.get(f"/welcome?session_id={session_in(answer)}")
    assert news(browser.get(left)) == [], "back from paying, which Stripe may not have told yet"
    sim.pay(session_in(answer))
    wait_until(lambda: db.status_of(email) == "active")
    assert news(browser.get(left)) == []


def test_c115_a_tenant_without_a_plan_is_told_on_the_billing_page(ended, customer, sim):  # noqa: F811
    answer = subscribe(ended, "growth")
    left = cancel_address(sim, answer)
    page = ended.get(left)
    assert (news(page), chosen(page)) == ([UNCHARGED], ["growth"])
    assert news(ended.get(left.replace("growth", "starter"))) == []
    sim.pay(session_in(answer))
    sim.quiet()
    wait_until(lambda: news(ended.get(left)) == [])
    assert news(ended.get("/settings/billing?from=checkout&plan=growth")) == []


def portal(browser):
    """The portal's page, by the button of ours."""
    return browser.follow(browser.submit(browser.get("/settings/billing"), action="/settings/billing"))


def back(browser, page):
    """The notices of the page that the portal's way back leads to."""
    return news(browser.get(page.html.one("a", id="return").get("href")))


def test_c116_back_from_the_portal_the_page_says_what_has_changed(customer, sim, subscription):  # noqa: F811
    browser, _ = customer
    assert news(browser.get("/settings/billing?from=portal")) == [], "nobody was there"
    page = portal(browser)
    same = "Your plan and payment method are as before. What you have just changed appears here in a moment."
    assert back(browser, page) == [same]
    press(browser, page, "cancel-at-period-end")
    said = wait_until(lambda: (lambda n: n if n != [same] else None)(back(browser, page)))
    assert len(said) == 1 and said[0].startswith("Your subscription now ends on ")
    assert news(browser.get("/settings/billing")) == []
    page = portal(browser)
    assert back(browser, page) == [same], "what an earlier visit has changed is not told again"
    sim.post(f"subscriptions/{subscription}/change", price="price_growth")
    press(browser, browser.get(page.url), "renew")
    wait_until(lambda: set(back(browser, page)) == {
        "Your plan has changed: it is Growth now.", "The cancellation is taken back: your subscription goes on."})


def test_c116_another_card_is_told(customer, sim, subscription):  # noqa: F811
    browser, _ = customer
    page = portal(browser)
    sim.post(f"customers/{sim.object('subscription', subscription)['customer']}/card", card="good")
    wait_until(lambda: back(browser, page) == ["Your payment method has changed."])


def test_c116_an_old_visit_is_not_told(customer, db, subscription):  # noqa: F811
    browser, email = customer
    page = portal(browser)
    assert back(browser, page) != []
    db.execute("update billing.customers set visited_at = now() - interval '25 hours' where tenant_id = %s",
               db.tenant_of(email))
    assert back(browser, page) == []


@pytest.mark.parametrize("prefix, said", [("", "You are signed out."), ("/de", "Sie sind abgemeldet.")])
def test_c117_who_has_signed_out_reads_it(customer, prefix, said):
    browser, _ = customer
    answer = browser.submit(browser.get(f"{prefix}/workspace"), action=f"{prefix}/signout")
    assert news(browser.follow(answer)) == [said]
    assert news(browser.get("/signin")) == []


def test_c117_who_is_signed_in_is_not_told_otherwise(customer):
    browser, _ = customer
    assert browser.get("/signin?signed_out=yes").status == 303
