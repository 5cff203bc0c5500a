"""Users of several tenants: what is bought for somebody's address, which tenant pages show, and which a form is for."""
import json
from pathlib import Path

import pytest
from journey import (catch_up, code_in, new_address, next_link, press_link, renewal_passes, session_in, sign_in,
                     sign_up, token_in, wait_until)
from test_billing import says

API = "/api/billing/session"


def buy(browser, sim, db, email, plan="growth"):
    """A purchase with this address, once it is paid and stored: (tenant, subscription)."""
    session = session_in(sign_up(browser, email, plan))
    assert sim.pay(session)["paid"]
    return wait_until(lambda: db.row("select s.tenant_id::text, s.id from billing.subscriptions s "
                                     "join billing.checkouts c on c.subscription_id = s.id join app.tenants t "
                                     "on t.id = s.tenant_id where c.session_id = %s and t.status = 'active'", session))


def offer_mail(mail, db, tenant, number=1):
    """The number-th mail that offers the tenant, once it is sent. It goes to the user as the user is called."""
    email = db.value("select u.email from app.offers o join auth.users u on u.id = o.user_id where o.tenant_id = %s",
                     tenant)
    return wait_until(lambda: [m for m in mail.to(email) if "A subscription for you" in m["subject"]]
                      [number - 1:number])[0]


def accept(browser, mail, db, tenant):
    """The mailed link in a browser that did not buy: with the code of the same mail."""
    offered = offer_mail(mail, db, tenant)
    page = browser.get("/signin/link?t=" + token_in(offered))
    answer = browser.submit(page, {"code": code_in(offered)})
    assert answer.status == 303, answer
    return answer


def ask_json(browser, body, at=API):
    return browser.request("POST", at, json.dumps(body).encode(), came_from=browser.base,
                           Content_Type="application/json", Accept="application/json")


def shown(browser, at=""):
    """The tenant that the billing page names."""
    page = browser.get("/settings/billing" + at)
    assert page.status == 200, page
    return page.html.one(id="tenant-name").text


def reads(page):
    """The main part of a page as its reader sees it."""
    assert page.status == 200, page
    return page.html.one("main").text


@pytest.fixture
def member(customer, db):
    """(browser, address, tenant) of a user who has paid and is signed in."""
    browser, email = customer
    says(browser, plan="Starter", status="Active")
    return browser, email, str(db.tenant_of(email))


@pytest.fixture
def two(member, other, mail, sim, db):
    """(browser, first tenant, second tenant): a member who has accepted a second one."""
    browser, email, first = member
    second, _ = buy(other, sim, db, email)
    accept(browser, mail, db, second)
    return browser, first, second


def portal_of(sim, answer):
    """The customer of the portal session that an answer leads to: the last that was opened."""
    assert "/p/session/" in (answer.location if answer.status == 303 else answer.json["redirectUrl"]), answer
    return sim.requests("POST", "/v1/billing_portal/sessions")[-1]["params"]["customer"]


def customer_of(db, tenant):
    return db.value("select id from billing.customers where tenant_id = %s and not deleted", tenant)


def test_s01_a_strangers_purchase_displaces_nothing(member, other, new_browser, sim, db, mail):
    browser, email, first = member
    pages = ["/settings/billing", "/workspace"]
    catch_up(sim, db)       # invoice and payment are on the page, too
    before = [reads(browser.get(path)) for path in pages]
    second, subscription = buy(other, sim, db, email.upper())

    def is_undisturbed():
        billing, workspace = (reads(browser.get(path)) for path in pages)
        assert billing == before[0]
        assert "Growth" in workspace and "not yours yet" in workspace
        assert before[1].partition("Starter")[2] == workspace.partition("Starter")[2]
        assert portal_of(sim, ask_json(browser, {})) == customer_of(db, first)
        assert db.rows("select tenant_id::text from app.members m join auth.users u on u.id = m.user_id "
                       "where u.email_canonical = %s", email) == [(first,)]

    is_undisturbed()
    sim.post(f"subscriptions/{subscription}/cancel")
    wait_until(lambda: db.value("select status from billing.subscriptions where id = %s", subscription) == "canceled")
    is_undisturbed()
    assert other.get("/workspace").status == 303     # who paid is not signed in

    # a sign-in, another one, and an address of the page that is not the member's yet
    again = new_browser()
    sign_in(again, mail, email)
    is_undisturbed()
    for path in pages:
        assert again.get(f"{path}?tenant={second}").status == 404
    form = again.get("/settings/billing").form("/settings/billing")
    assert again.post("/settings/billing", {**form.fields, "tenant": second}).status == 409
    assert ask_json(again, {"tenant": second}).status == 404
    csrf = form.fields["csrf"]
    assert again.post("/tenant", {"csrf": csrf, "tenant": second}).status == 404


def test_s01_the_mailed_link_accepts(member, other, sim, db, mail):
    browser, email, first = member
    second, _ = buy(other, sim, db, email)
    offered = offer_mail(mail, db, second)
    assert "Growth" in offered["text"] and "changes nothing of what you have" in offered["text"]
    accept(browser, mail, db, second)
    assert shown(browser) != shown(browser, f"?tenant={first}")
    says(browser, plan="Growth")
    workspace = browser.get("/workspace")
    assert "Starter" in workspace.text and "Growth" in workspace.text and "not yours yet" not in workspace.text
    assert browser.follow(browser.submit(workspace, action="/tenant")).status == 200
    says(browser, plan="Starter")
    assert "Growth" in reads(browser.get(f"/settings/billing?tenant={second}"))


def test_s01_the_member_asks_for_the_link(member, other, sim, db, mail):
    browser, email, _ = member
    second, _ = buy(other, sim, db, email)
    offer_mail(mail, db, second)
    page = browser.get("/workspace")
    tens = "select floor(extract(epoch from clock_timestamp()) / 600)::int"     # one such mail in each ten minutes
    begun = db.value(tens)
    for _ in range(3):
        sent = browser.follow(browser.submit(page, action="/workspace/offer"))
        assert sent.status == 200 and "We have sent you the link" in sent.text
    offered = offer_mail(mail, db, second, 2)
    assert 2 <= db.value("select count(*) from mail.outbox where key like %s", f"offer:{second}%") \
        <= 2 + db.value(tens) - begun
    answer = press_link(browser, token_in(offered))
    assert answer.status == 303, "the browser that asked needs no code"
    says(browser, plan="Growth")


def test_s01_an_offered_tenants_mails_carry_the_link(member, other, sim, db, mail):
    """A failed renewal of a tenant that nobody has accepted."""
    browser, email, _ = member
    second, subscription = buy(other, sim, db, email)
    sim.post(f"subscriptions/{subscription}/fail_next", times=1)
    renewal_passes(sim, db, subscription)
    told = wait_until(lambda: [m for m in mail.to(email) if "could not collect" in m["text"]])[0]
    assert "Accept it to manage it" in told["text"]
    page = browser.submit(browser.get("/signin/link?t=" + token_in(told)), {"code": code_in(told)})
    assert page.location == f"/settings/billing?tenant={second}"
    assert "Growth" in browser.follow(page).text


def test_s01_a_members_mails_name_the_tenant(member, sim, db, mail):
    browser, email, first = member
    subscription = db.value("select id from billing.subscriptions where tenant_id = %s", first)
    sim.post(f"subscriptions/{subscription}/cancel")
    told = wait_until(lambda: [m for m in mail.to(email) if "has ended" in m["subject"]])[0]
    assert f"/settings/billing?tenant={first}" in told["text"] and f"?tenant={first}" in told["html"]


def test_s01_sign_in_keeps_the_tenant(two, new_browser, mail, db):
    _, first, _ = two
    email = db.value("select email from billing.checkouts where tenant_id = %s", first)
    browser = new_browser()
    page = browser.follow(browser.get(f"/settings/billing?tenant={first}"))
    seen = len(mail.to(email))
    assert browser.submit(page, {"email": email}).status == 303
    answer = press_link(browser, next_link(mail, email, seen))
    assert answer.location == f"/settings/billing?tenant={first}"
    assert "Starter" in browser.follow(answer).text


def test_s01_the_tenant_in_the_address_stays(two, db, sim):
    """Pages of a tenant that is not the choice: their forms act for it, and come back to it."""
    browser, first, second = two
    says(browser, plan="Growth")
    page = browser.get(f"/settings/billing?tenant={first}")
    assert f"?tenant={first}" in page.html.one("a", hreflang="de").get("href")
    answer = browser.submit(page, action=f"/settings/billing?tenant={first}")
    assert portal_of(sim, answer) == customer_of(db, first)
    asked = sim.requests("POST", "/v1/billing_portal/sessions")[-1]["params"]
    assert asked["return_url"].endswith(f"/settings/billing?tenant={first}&from=portal")
    assert portal_of(sim, ask_json(browser, {"tenant": first}, f"{API}?tenant={first}")) == customer_of(db, first)
    for wrong in ("x", "", "00000000-0000-0000-0000-000000000000", first + "0"):
        assert browser.get(f"/settings/billing?tenant={wrong}").status == 404
        assert browser.get(f"/workspace?tenant={wrong}").status == 404


@pytest.mark.parametrize("path", ["/settings/billing", "/settings/team", "/settings/usage"])
def test_s01_who_switches_on_a_page_stays_there_and_it_has_one_main_button(two, path):
    browser, first, second = two
    page = browser.get(path)
    switch = page.form("/tenant")
    assert [b.get("class") for b in switch.buttons] == ["second"]
    there = browser.submit(page, {"tenant": first}, action="/tenant")
    assert (there.status, there.location) == (303, path)
    assert browser.get(path).form("/tenant").fields["tenant"] == first != switch.fields["tenant"]


def test_f208_a_form_of_a_tenant_that_is_not_shown_any_more(two, sim, db, stack):
    browser, first, second = two
    page = browser.get("/settings/billing")
    switched = browser.submit(browser.get("/workspace"), action="/tenant")
    assert switched.status == 303
    log = Path(stack["log_dir"]) / ("account.log" if stack["server"] == "nginx" else "error.log")
    wait_until(lambda: any('"tenant_chosen"' in line and first in line for line in log.read_text().splitlines()))
    before = sim.changes()
    question = browser.submit(page, action="/settings/billing")
    names = [db.value("select name from app.tenants where id = %s", tenant) for tenant in (first, second)]
    assert question.status == 409 and all(name in question.html.one("main").text for name in names)
    assert ask_json(browser, {"tenant": second}).status == 409
    assert sim.changes() == before, "nothing was asked of Stripe"
    went_on = browser.submit(question)
    assert went_on.status == 303 and portal_of(sim, went_on) == customer_of(db, second)
    back = next(a for a in question.html.one("main").all("a") if a.get("class") == "button")
    assert shown(browser) == names[0] and back.get("href") == "/settings/billing"


def test_f208_the_other_forms_too(two, sim, db):
    """A purchase and a notice: the page that asks sends the same fields again."""
    browser, first, second = two
    subscription = db.value("select id from billing.subscriptions where tenant_id = %s", second)
    sim.post(f"subscriptions/{subscription}/cancel")
    says(browser, status="Canceled")
    page = browser.get("/settings/billing")
    browser.submit(browser.get("/workspace"), action="/tenant")
    notice = browser.submit(page, action="/settings/billing/notice")
    assert notice.status == 409
    asked = browser.submit(page, {"plan": "starter"}, action="/settings/billing/checkout")
    assert asked.status == 409
    paying = browser.submit(asked)
    session = sim.object("checkout.session", session_in(paying))
    assert session["metadata"]["tenant_id"] == second and session["success_url"].endswith(f"?tenant={second}")
    assert browser.submit(notice).location == f"/settings/billing?tenant={second}"
    assert db.value("select count(*) from billing.notifications where tenant_id = %s and seen_at is null", second) == 0


def test_f208_removed_meanwhile(two, db, sim):
    browser, first, second = two
    page = browser.get("/settings/billing")
    db.execute("delete from app.members where tenant_id = %s", second)
    before = sim.changes()
    for action in ("/settings/billing", "/settings/billing/checkout"):
        gone = browser.post(action, {**page.form("/settings/billing").fields})
        assert gone.status == 409 and "no longer belong" in gone.text
        assert gone.html.one(id="tenant-name").text == db.value("select name from app.tenants where id = %s", first) \
            or action.endswith("checkout")
    assert ask_json(browser, {"tenant": second}).status == 404
    gone = browser.post(f"/settings/billing?tenant={second}", page.form("/settings/billing").fields)
    assert gone.status == 409 and shown(browser) in gone.text
    db.execute("delete from app.members where tenant_id = %s", first)
    none = browser.post("/settings/billing", page.form("/settings/billing").fields)
    assert none.status == 409 and "no longer belong" in none.text and none.html.all(id="tenant-name") == []
    assert sim.changes() == before


def test_s01_tenants_of_others_are_not_chosen(member, other, sim, db, mail):
    browser, _, first = member
    alien = new_address()
    theirs, _ = buy(other, sim, db, alien)
    csrf = browser.get("/settings/billing").form("/settings/billing").fields["csrf"]
    for wrong, status in ((theirs, 404), ("x", 422), ("", 422)):
        assert browser.post("/tenant", {"csrf": csrf, "tenant": wrong}).status == status
        assert browser.post("/workspace/offer", {"csrf": csrf, "tenant": wrong}).status == status
    assert browser.post("/tenant", {"tenant": first}).status == 403, "without its token"
    assert browser.post("/tenant", {"csrf": csrf, "tenant": first, "next": "//evil.example"}).location == "/workspace"
    assert browser.post("/settings/billing", {"csrf": csrf, "tenant": "x"}).status == 422
    assert ask_json(browser, {"tenant": 5}).status == 422
