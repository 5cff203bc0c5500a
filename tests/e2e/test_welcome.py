"""The page that buyers come back to from Stripe, and what it says until the purchase has arrived."""
import re

import pytest
from journey import press_link, session_in, sign_up, token_in, wait_until


@pytest.mark.parametrize("query", ["", "?session_id=", "?session_id=cs_test_nothing", "?session_id=cs_%0d%0aX:%20y",
                                   "?session_id=1'%20or%20'1'='1", "?session_id=" + "cs_" + "a" * 300, "?other=1"])
def test_c13_an_unknown_session_grants_nothing(browser, db, query):
    before = db.row("select (select count(*) from auth.users), (select count(*) from auth.requests)")
    page = browser.get("/welcome" + query)
    assert page.status == 404
    assert page.html.one("h1").text == "We do not know this checkout"
    assert page.html.all("meta", **{"http-equiv": "refresh"}) == []
    assert browser.cookie("__Host-sid") is None
    assert db.row("select (select count(*) from auth.users), (select count(*) from auth.requests)") == before


def test_c13_the_session_id_given_twice_is_refused(browser):
    assert browser.get("/welcome?session_id=cs_test_a&session_id=cs_test_b").status == 400


def test_f82_before_the_webhook_the_page_says_processing_and_refreshes_itself(browser, db, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.post("mode", hold=True)
    try:
        returned = sim.pay(session)["return_url"]
        page = browser.get(returned, came_from=sim.url)
        assert page.status == 200
        assert page.html.one("h1").text == "Confirming your payment"
        assert (page.html.one("meta", **{"http-equiv": "refresh"}).get("content")
                == f"2; url=/en/welcome?session_id={session}")
        assert db.status_of(email) == "draft"
    finally:
        sim.post("mode", reset=True)
    page = wait_until(lambda: (p := browser.get(returned)).html.one("h1").text == "You are all set" and p)
    assert page.html.all("meta", **{"http-equiv": "refresh"}) == []


def test_f82_refreshing_slows_down_and_ends(browser, db, sim, fresh):
    session = session_in(sign_up(browser, fresh()))
    url = f"/welcome?session_id={session}"

    def refresh(age):
        browser.get(url)
        db.execute("update billing.checkouts set returned_at = now() - %s::interval, opened_at = now() - %s::interval, "
                   "created_at = now() - %s::interval where session_id = %s", age, age, age, session)
        found = browser.get(url).html.all("meta", **{"http-equiv": "refresh"})
        return found[0].get("content").split(";")[0] if found else None
    assert [refresh(age) for age in ("10 s", "5 min", "2 hours")] == ["2", "10", None]
    assert "takes longer than usual" in browser.get(url).html.one("main").text


def test_f82_the_page_reveals_nothing_private(browser, other, db, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.pay(session)
    wait_until(lambda: db.status_of(email) == "active")
    text = other.get(f"/welcome?session_id={session}").text
    assert email.split("@")[0] not in text and str(db.tenant_of(email)) not in text
    assert not re.search(r"\b(cus|sub|evt|price)_", text)


def bought(browser, db, sim, email):
    """The path of the welcome page of what was bought, once it is ready."""
    session = session_in(sign_up(browser, email))
    sim.pay(session)
    wait_until(lambda: db.status_of(email) == "active")
    return f"/welcome?session_id={session}"


def test_c14_a_mistyped_address_is_corrected_once_in_the_browser_that_bought(browser, other, db, sim, mail, fresh):
    wrong, right = fresh("wrong"), fresh("right")
    url = bought(browser, db, sim, wrong)
    mail.wait(wrong)
    page = browser.get(url)
    assert page.html.one(id="sent-to").text == wrong
    assert other.get(url).html.all(id="sent-to") == []
    assert other.get(url + "&correct=yes").html.one("h1").text == "You are all set"
    link, = [a.get("href") for a in page.html.all("a") if a.text == "Mistyped?"]
    page = browser.get(link, came_from=page)
    for email, why in (("", "Please enter"), ("no address", "does not look like"), (wrong, "went to that address")):
        again = browser.submit(page, {"email": email})
        assert again.status == 422 and why in again.html.one(id="email-error").text
    answer = browser.submit(page, {"email": right})
    assert (answer.status, answer.location) == (303, url)
    page = browser.get(url)
    assert page.html.one(id="sent-to").text == right and "correct=yes" not in page.text
    assert press_link(browser, token_in(mail.wait(right))).status == 303
    assert browser.get("/workspace").status == 200


def test_f37_a_correction_that_was_open_too_long_keeps_what_was_typed(browser, db, sim, fresh):
    wrong, right = fresh("wrong"), fresh("right")
    page = browser.get(bought(browser, db, sim, wrong) + "&correct=yes")
    again = browser.submit(page, {"email": right, "csrf": "of an hour ago"})
    assert again.status == 403 and "open for too long" in again.html.one("p", role="alert").text
    assert again.html.one("input", id="email").get("value") == right
    assert browser.submit(again).status == 303 and again.html.one(id="sent-to").text == wrong


def test_c13_another_browser_corrects_nothing(browser, other, db, sim, fresh):
    email = fresh()
    url = bought(browser, db, sim, email)
    form, mine = browser.get(url + "&correct=yes").form(), other.get(url)
    fields = {**form.fields, "csrf": mine.form().fields["csrf"], "email": "eve@example.com"}
    assert other.post("/welcome", fields, came_from=mine).status == 303
    assert browser.get(url).html.one(id="sent-to").text == email


def test_f82_an_unpaid_bank_debit_is_not_ready(browser, db, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.pay(session, "bank")
    url = f"/welcome?session_id={session}"
    wait_until(lambda: browser.get(url).html.one("h1").text == "Waiting for your bank")
    assert db.status_of(email) == "draft"
    sim.post(f"checkout/{session}/settle", ok=True)
    wait_until(lambda: browser.get(url).html.one("h1").text == "You are all set")
    assert db.status_of(email) == "active"


def test_f82_an_expired_checkout_says_so(browser, sim, fresh):
    session = session_in(sign_up(browser, fresh()))
    sim.post(f"checkout/{session}/expire")
    wait_until(lambda: browser.get(f"/welcome?session_id={session}").html.one("h1").text == "This checkout has expired")


def failed_debit(browser, sim, email):
    """A session whose bank debit did not come through, as /welcome says."""
    session = session_in(sign_up(browser, email))
    sim.pay(session, "bank")
    url = f"/welcome?session_id={session}"
    wait_until(lambda: browser.get(url).html.one("h1").text == "Waiting for your bank")
    sim.post(f"checkout/{session}/settle", ok=False)
    return session, wait_until(lambda: (p := browser.get(url)).html.one("h1").text == "The payment failed" and p)


def test_f82_a_failed_bank_debit_says_so_and_leads_back_to_the_form(browser, db, sim, fresh):
    email = fresh()
    _, page = failed_debit(browser, sim, email)
    assert page.html.one("main").one("a").get("href") == "/en/signup"
    assert db.status_of(email) == "draft"


def test_f82_after_a_failed_bank_debit_the_same_plan_may_be_paid_again(browser, db, sim, fresh):
    email = fresh()
    first, _ = failed_debit(browser, sim, email)
    second = session_in(sign_up(browser, email))
    assert second != first and db.drafts_of(email) == [(db.tenant_of(email), 2, second)]
    sim.pay(second)
    wait_until(lambda: browser.get(f"/welcome?session_id={second}").html.one("h1").text == "You are all set")


def test_f82_a_failed_bank_debit_is_told_by_mail_once(browser, sim, mail, stack, fresh):
    email = fresh()
    session, _ = failed_debit(browser, sim, email)
    told = mail.wait(email)
    assert f"{stack['url']}/en/signup" in told["text"] and "did not carry out the payment" in told["text"]
    event, = [e["id"] for e in sim.get("events", type="checkout.session.async_payment_failed")
              if e["data"]["object"]["id"] == session]
    sim.post("resend", event=event, times=2)
    sim.quiet()
    assert len(mail.to(email)) == 1
