"""The journey over HTTP: each test is the next step of the same user. It starts without an account and ends signed out,
with a subscription that was changed, cancelled and renewed."""
import pytest
from client import Browser
from journey import CODE, code_in, new_address, query_of, session_in, token_in, wait_until


class Person:
    """What one step leaves for the next."""

    def __init__(self, stack):
        self.browser, self.email, self.page, self.session = Browser(stack["url"]), new_address("journey"), None, None

    def portal(self, action, **fields):
        """One of the portal's buttons, and the page after it."""
        form = next(f for f in self.page.forms if f.fields.get("action") == action)
        self.page = self.browser.follow(self.browser.post(self.page.url, {**form.fields, **fields},
                                                          came_from=self.page))


@pytest.fixture(scope="module")
def person(stack):
    return Person(stack)


def test_step_1_a_plain_form(person):
    person.page = person.browser.get("/signup")
    assert person.page.status == 200
    assert set(person.page.form().fields) == {"csrf", "email"}
    assert [r.get("value") for r in person.page.html.all("input", name="plan")] == ["starter", "growth"]


def test_step_2_sent_it_leads_to_stripe(person, db):
    answer = person.browser.submit(person.page, {"email": person.email, "plan": "starter"})
    assert answer.status == 303
    person.session = session_in(answer)
    assert db.status_of(person.email) == "draft"
    person.page = person.browser.follow(answer)
    assert "Checkout" in person.page.text and person.email in person.page.text


def test_step_3_a_declined_card_changes_nothing(person, db):
    person.page = person.browser.submit(person.page, button="Pay with a declined card")
    assert "declined" in person.page.text
    assert db.status_of(person.email) == "draft"


def test_step_3_paying_leads_back_and_sends_webhooks(person, sim, stack):
    earlier = len(sim.get("deliveries"))
    answer = person.browser.submit(person.page, button="Pay with a good card")
    assert answer.status == 303
    assert answer.location == f"{stack['url']}/en/welcome?session_id={person.session}"
    person.page = person.browser.follow(answer)
    assert person.page.status == 200
    sim.quiet()
    mine = [d for d in sim.get("deliveries")[earlier:] if d["type"].startswith("checkout.")]
    assert {d["state"] for d in mine} == {"delivered"}


def test_step_4_jobs_makes_an_account_of_the_draft(person, db, sim):
    wait_until(lambda: db.status_of(person.email) == "active")
    tenant, checkout = db.tenant_of(person.email), sim.object("checkout.session", person.session)
    assert db.row("select id from billing.customers where tenant_id = %s", tenant) == (checkout["customer"],)
    wait_until(lambda: db.row("select id, status, plan from billing.subscriptions where tenant_id = %s", tenant)
               == (checkout["subscription"], "active", "starter"))
    assert db.row("select m.role, u.email, p.display_name from app.members m join auth.users u on u.id = m.user_id "
                  "join app.profiles p on p.user_id = u.id where m.tenant_id = %s", tenant) \
        == ("owner", person.email, person.email.split("@")[0])


def test_step_5_the_welcome_page_says_so(person):
    page = wait_until(lambda: (p := person.browser.get(person.page.url)).html.one("h1").text == "You are all set" and p)
    assert page.html.one("strong", id="sent-to").text == person.email
    assert person.browser.cookie("__Host-sid") is None
    assert person.browser.get("/workspace").status == 303


def test_step_6_the_mail_brings_a_link_and_a_code(person, mail, stack):
    found = mail.wait(person.email)
    assert f"{stack['url']}/en/signin/link?t={token_in(found)}" in found["text"]
    assert code_in(found) in found["text"] and "Starter" in found["text"]
    person.page = person.browser.get(f"/en/signin/link?t={token_in(found)}")
    assert person.page.status == 200
    assert person.browser.cookie("__Host-sid") is None


def test_step_6_its_button_signs_in(person):
    answer = person.browser.submit(person.page)
    assert (answer.status, answer.location) == (303, "/en/workspace")
    page = person.browser.follow(answer)
    assert person.email in page.text and "Starter" in page.text and "You are the owner" in page.text


def test_step_6_the_session_opens_billing(person):
    page = person.browser.get("/settings/billing")
    assert page.status == 200
    assert page.html.one(id="status").text == "Active"
    assert page.html.one(id="renews-on").one("time").get("datetime")
    assert page.html.all(id="ends-on") == []


def test_step_7_manage_subscription_opens_the_portal(person):
    answer = person.browser.submit(person.browser.get("/settings/billing"))
    assert answer.status == 303
    person.page = person.browser.follow(answer)
    assert "Billing portal" in person.page.text and person.email in person.page.text


def billing_when(person, check):
    return wait_until(lambda: (p := person.browser.get("/settings/billing")).status == 200 and check(p.html) and p)


def test_step_7_a_cancellation_there_shows_as_an_end(person):
    person.portal("cancel_at_period_end")
    assert "Ends on" in person.page.text
    back = person.page.html.one(id="return").get("href")
    assert person.browser.get(back, came_from=person.page).status == 200, "the session came along from Stripe's page"
    page = billing_when(person, lambda html: html.all(id="ends-on"))
    assert page.html.one(id="ends-on").text.endswith("and does not renew.")
    assert page.html.all(id="renews-on") == [] and page.html.one(id="status").text == "Active"


def test_step_7_a_renewal_takes_it_back(person):
    person.portal("renew")
    page = billing_when(person, lambda html: html.all(id="renews-on"))
    assert page.html.all(id="ends-on") == []


def test_step_7_a_plan_change_shows(person):
    person.portal("change", price="price_growth")
    billing_when(person, lambda html: html.one("h2", id="plan-name").text == "Growth")
    assert "Growth" in person.browser.get("/workspace").text


def test_step_6_signing_out_is_the_end(person, new_browser):
    cookie = person.browser.cookie("__Host-sid")
    answer = person.browser.submit(person.browser.get("/workspace"), action="/signout")
    assert (answer.status, answer.location) == (303, "/signin?signed_out=yes")
    old = new_browser()
    old.set_cookie("__Host-sid", cookie)
    for browser in (person.browser, old):
        assert browser.get("/settings/billing").status == 303


def test_step_6_and_one_can_come_back(person, mail):
    away = person.browser.get("/settings/billing")
    assert query_of(away.location) == {"next": "/settings/billing"}
    answer = person.browser.submit(person.browser.follow(away), {"email": person.email})
    assert (answer.status, answer.location) == (303, "/signin/code")
    code = code_in(wait_until(lambda: [m for m in mail.to(person.email) if CODE.search(m["text"])][1:])[0])
    answer = person.browser.submit(person.browser.follow(answer), {"code": code})
    assert (answer.status, answer.location) == (303, "/settings/billing")
    assert person.browser.follow(answer).html.one("h2", id="plan-name").text == "Growth"


def test_all_in_all_there_is_one_of_each(person, db, sim, mail):
    tenant = db.tenant_of(person.email)
    assert db.row("select (select count(*) from billing.checkouts where tenant_id = %s), "
                  "(select count(*) from billing.customers where tenant_id = %s), "
                  "(select count(*) from billing.subscriptions where tenant_id = %s), "
                  "(select count(*) from app.members where tenant_id = %s)",
                  tenant, tenant, tenant, tenant) == (1, 1, 1, 1)
    assert len([c for c in sim.get("state/customer") if c.get("email") == person.email]) == 1
    wait_until(lambda: len(mail.to(person.email)) >= 5)
    subjects = [m["subject"] for m in mail.to(person.email)]
    assert len(subjects) == len(set(subjects)) == 5, "welcome, three about the plan, and the link that was asked for"


def test_the_whole_journey_in_german(new_browser, sim, db, mail, stack):
    browser, email = new_browser(language="de"), new_address("reise")
    answer = browser.submit(browser.get("/signup"), {"email": email, "plan": "growth"})
    session = session_in(answer)
    assert sim.sessions_of(email)[0]["params"]["locale"] == "de"
    back = sim.pay(session)["return_url"]
    assert back == f"{stack['url']}/de/welcome?session_id={session}"
    wait_until(lambda: browser.get(back).html.one("h1").text == "Alles bereit")
    found = mail.wait(email)
    assert f"{stack['url']}/de/signin/link?t=" in found["text"]
    answer = browser.submit(browser.get(f"/de/signin/link?t={token_in(found)}"))
    page = browser.follow(answer)
    assert page.html.one("html").get("lang") == "de" and "Growth" in page.text
    billing = wait_until(lambda: (page := browser.get("/settings/billing")).html.one(id="status").text == "Aktiv"
                         and page)
