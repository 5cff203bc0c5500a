"""Drafts over an allowance wait for their mailed link, and one browser causes only so many calls."""
import re

import pytest
from journey import session_in, sign_up, wait_until
from test_signup import untouched


def test_d24_too_many_drafts_of_one_network_are_refused(browser, db, sim, fresh, limit):
    email = fresh()
    limit("draft_near", 1)
    assert sign_up(browser, fresh()).status == 303
    before = untouched(db, sim)
    page = sign_up(browser, email)
    assert page.status == 429
    assert int(page.header("Retry-After")) > 0
    assert "Too many sign-ups" in page.html.one("p", role="alert").text
    assert page.form().fields["email"] == email
    assert untouched(db, sim) == before
    limit("draft_near", 1000000)
    assert browser.submit(page).status == 303


def continued(browser, mail, email, at="en"):
    """The page of the link that was mailed to the address."""
    text = mail.wait(email)["text"]
    return browser.get(re.search(rf"https?://\S+/{at}/signup/continue\?t=[\w-]{{43}}(?=\s)", text)[0])


@pytest.mark.parametrize("kind", ["draft_address", "draft_global"])
def test_s03_a_draft_over_an_allowance_waits_for_its_mailed_link(browser, other, db, sim, mail, fresh, limit, kind):
    email = fresh()
    limit(kind, 1)
    assert sign_up(other, email if kind == "draft_address" else fresh()).status == 303
    before = sim.changes()
    page = sign_up(browser, email)
    assert (page.status, page.html.one("h1").text) == (200, "Look into your mail")
    assert email in page.html.one("main").text
    assert sign_up(browser, email).html.one("h1").text == "Look into your mail"
    link = continued(other, mail, email)
    assert link.status == 200 and "Starter" in link.form().element.text
    assert sign_up(browser, email).html.one("h1").text == "Look into your mail", "looking changes nothing"
    assert sim.changes() == before and len(mail.to(email)) == 1
    paying = other.submit(link)
    assert other.submit(link).location == paying.location == sign_up(browser, email).location
    sim.pay(session_in(paying))
    wait_until(lambda: "is confirmed, you can sign in" in other.get(link.url).html.one("main").text)


def test_s03_the_waiting_pages_and_the_mail_in_german(browser, mail, fresh, limit):
    email = fresh()
    limit("draft_global", 1)
    sign_up(browser, fresh())
    assert sign_up(browser, email, at="/de/signup").html.one("h1").text == "Bitte sehen Sie in Ihr Postfach"
    assert "Weiter bei" in mail.wait(email)["subject"]
    page = continued(browser, mail, email, "de")
    assert page.html.one("h1").text == "Weiter zur Kasse"
    assert browser.submit(page).status == 303


def test_s03_mails_about_drafts_of_one_address_are_limited_and_the_page_is_the_same(new_browser, db, mail, fresh,
                                                                                   limit):
    email = fresh()
    limit("draft_mail", 2)
    limit("draft_address", 1)
    pages = [sign_up(new_browser(), email) for _ in range(5)]
    assert [p.status for p in pages] == [303, 200, 200, 200, 200]
    assert len({p.html.one("main").text for p in pages[1:]}) == 1
    wait_until(lambda: len(mail.to(email)) == 2)
    assert db.value("select count(*) from mail.outbox where lower(recipient) = %s and template <> 'paying'", email) == 2


def test_s03_a_link_that_is_not_good_says_so(browser, db, mail, fresh, limit):
    assert browser.get("/signup/continue").status == 404
    gone = browser.get("/signup/continue?t=" + 43 * "A")
    assert gone.status == 410 and gone.html.one("h1").text == "This link no longer works"
    email = fresh()
    limit("draft_address", 1)
    sign_up(browser, email)
    sign_up(browser, email, "growth")
    page = continued(browser, mail, email)
    assert browser.post("/signup/continue", {**page.form().fields, "csrf": "x"}).form().fields["t"] \
        == page.form().fields["t"], "a form that was too old is shown again"
    db.execute("update auth.links set expires_at = now() where user_id is null")
    assert browser.submit(page).status == 410
    assert browser.submit(page, {"t": "x"}).status == 422


def test_s03_a_link_to_checkout_signs_nobody_in(customer, other, db, mail, fresh, limit):
    _, email = customer
    limit("draft_address", 1)
    sign_up(other, email)
    sign_up(other, email, "growth")     # of which a payer is told by another mail too
    token = wait_until(lambda: [found[1] for m in mail.to(email)
                                if (found := re.search(r"continue\?t=([\w-]{43})", m["text"]))])[0]
    page = other.get(f"/signin/link?t={token}")
    answer = other.post("/signin/link", {"csrf": other.get("/signin").form().fields["csrf"], "t": token})
    assert page.status in (200, 410) and answer.status in (410, 422)
    assert other.cookie("__Host-sid") is None


def test_s02_the_page_of_an_open_session_is_given_again_without_a_call(browser, sim, fresh, calm):
    email = fresh()
    first = sign_up(browser, email)
    sim.fault(answer="hang", times=100)
    assert sign_up(browser, email).location == first.location


def test_s02_a_browser_causes_only_so_many_calls(browser, other, sim, fresh, limit, calm):
    email = fresh()
    limit("call_browser", 2)
    sim.fault(method="POST", path="/v1/checkout/sessions", times=100, status=400)
    before = sim.changes()
    pages = [sign_up(browser, email) for _ in range(3)]
    assert [p.status for p in pages] == [503, 503, 429]
    assert int(pages[2].header("Retry-After")) > 0 and pages[2].form().fields["email"] == email
    assert sim.changes() == before + 2
    sim.delete("faults")
    assert sign_up(other, email).status == 303
