"""The site's operators: the way to their pages, what these show, and what an operator does there."""
from datetime import date, timedelta

import pytest
from client import Browser
from journey import ask_for_link, become_customer, new_address, next_link, press_link, sign_in, wait_until
from test_browser import COLOURS, FAULTS, driver, no_wider_than, person  # noqa: F401 (fixtures)
from test_factor import SID, add_factor, oathtool
from test_people import ask, form_with, user_of


def name_operator(db, email):
    db.execute("select ops.add_operator(%s, 'test')", email)


def confirm(browser, db, email, secret, answer):
    """Shows a code where the answer leads, and is led back."""
    db.execute("update auth.factors f set last_step = 0 from auth.users u where u.id = f.user_id and u.email = %s",
               email)
    return browser.submit(browser.follow(answer), {"code": oathtool(secret)})


@pytest.fixture(scope="module")
def operator(stack, sim, db, mail):
    """(browser, address) of an operator who has shown a code; the tests of this file share the sign-in."""
    browser, email = Browser(stack["url"]), new_address("operator")
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    name_operator(db, email)
    secret, _ = add_factor(browser)
    assert confirm(browser, db, email, secret, browser.get("/admin")).location == "/admin"
    return browser, email


def act(browser, path, do, **fields):
    """Sends the form of that page that has such a button."""
    page = browser.get(path)
    form = next(f for f in page.forms if do in [b.get("value") for b in f.buttons])
    return browser.post(form.action, {**form.fields, **fields, "do": do}, came_from=page)


def person_at(db, email):
    return f"/admin/users/{user_of(db, email)}"


def test_c58_the_way_to_the_operators_pages(customer, new_browser, db):
    browser, email = customer
    paths = ["/admin", "/admin/tenants", "/admin/alerts", person_at(db, email), f"/admin/tenants/{db.tenant_of(email)}"]
    for path in paths:
        assert new_browser().get(path).location == f"/signin?next={path}"
        assert browser.get(path).status == 404 and email not in browser.get(path).html.one("main").text
    form = browser.get("/signout").form().fields
    for path in paths[-2:]:
        assert browser.post(path, {**form, "do": "suspend", "reason": "x"}).status == 404
    name_operator(db, email)
    for path in paths:
        assert browser.get("/de" + path).location == f"/de/settings/two-factor?next={path}"
    asked = ask(browser, "GET", "/admin")
    assert (asked.status, asked.json["code"]) == (403, "factor")
    secret, _ = add_factor(browser)
    for path in paths:
        assert browser.get(path).location == f"/signin/confirm?next={path}"
    assert confirm(browser, db, email, secret, browser.get("/de" + paths[-2])).location == "/de" + paths[-2]
    assert all(browser.get(path).status == 200 for path in paths)
    db.execute("select ops.remove_operator(%s)", email)
    assert browser.get("/admin").status == 404


def test_c58_people_and_accounts_are_found(operator, customer, db):
    browser, _ = operator
    email = customer[1]
    user, tenant = user_of(db, email), str(db.tenant_of(email))
    for path, wanted, found in (("/admin", email[3:], f"/admin/users/{user}"), ("/admin", user, f"/admin/users/{user}"),
                                ("/admin/tenants", tenant, f"/admin/tenants/{tenant}"),
                                ("/admin/tenants", email, f"/admin/tenants/{tenant}")):
        page = browser.submit(browser.get(path), {"q": wanted})
        assert page.status == 200 and found in [a.get("href") for a in page.html.one("main").all("a")], wanted
        assert page.html.one("input", id="q").get("value") == wanted
    assert "There is nothing here." in browser.submit(browser.get("/admin"), {"q": "<b>'%_\" nobody"}).text
    for n in range(51):
        db.value("select auth.add_user(%s)", f"page{n:02}+{user}@example.com")
    first = browser.get(f"/de/admin?q=%2B{user}")
    more, = [a.get("href") for a in first.html.one("main").all("a") if a.text == "Weitere"]
    assert more.startswith(f"/de/admin?q=%2B{user}&after=") and "page49" in first.text and "page50" not in first.text
    assert "page50" in browser.get(more).text and "page49" not in browser.get(more).text
    for wrong in ("after=x", f"after={user}x"):
        assert browser.get("/admin?" + wrong).status == 404


def test_c58_a_person_is_shown(operator, customer, db):
    browser, mine = operator
    email = customer[1]
    # The mail may be there before its row says so.
    page = wait_until(lambda: (p := browser.get(person_at(db, email))) and "signin Sent" in p.html.text and p)
    text = page.html.one("main").text
    assert page.status == 200 and all(words in text for words in (
        email, "Last seen", "Second factor", "Owner", "127.0.0.0/24", "signin Sent", "Signed in"))
    assert f"/admin/tenants/{db.tenant_of(email)}" in [a.get("href") for a in page.html.all("a")]
    assert "Zweiter Faktor" in browser.get("/de" + person_at(db, email)).text
    tenant = f"/admin/tenants/{db.tenant_of(email)}"
    assert "To be deleted" not in text and "Closing date" not in browser.get(tenant).text
    db.execute("insert into app.deletions (user_id, until) values (%s, now() + interval '1 day')", user_of(db, email))
    db.execute("update app.tenants set closes_at = now() + interval '1 day', name = null where id = %s",
               db.tenant_of(email))
    assert "To be deleted on" in browser.get(person_at(db, email)).text
    assert "Schließung am" in browser.get("/de" + tenant).text
    named, = [a.text for a in browser.get(f"/admin/tenants?q={email}").html.one("main").all("a")
              if a.get("href") == tenant]
    assert named == str(db.tenant_of(email)), "one without a name is called by its id"
    own = browser.get(person_at(db, mine))
    assert "This is you." in own.text and not own.html.one("main").all("form")
    again = browser.post(person_at(db, mine), {**browser.get("/signout").form().fields, "do": "suspend", "reason": "x"})
    assert again.status == 409 and "another operator" in again.html.one("p", role="alert").text
    assert browser.get("/admin/users/00000000-0000-0000-0000-000000000000").status == 404


def test_c58_who_is_suspended_is_out_and_told(operator, customer, new_browser, mail, db):
    browser, _ = operator
    person, email = customer
    path = person_at(db, email)
    refused = act(browser, path, "suspend", reason=" ")
    assert refused.status == 422 and "a reason" in refused.html.one("p", role="alert").text
    assert person.get("/workspace").status == 200
    other = new_browser()
    seen = len(mail.to(email))
    ask_for_link(other, email)
    token = next_link(mail, email, seen)
    assert act(browser, path, "suspend", reason="Ticket <4711>").location == path
    page = browser.get(path)
    assert "Ticket &lt;4711&gt;" in page.text and "Suspended since" in page.text
    assert person.get("/workspace").location == "/signin?next=/workspace"
    assert press_link(other, token).status == 410 and other.get("/workspace").status == 303
    told = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Your access to Tollgate is suspended"])
    assert len(told) == 1 and "4711" not in told[0]["text"]
    assert act(browser, path, "lift").location == path
    wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "You can sign in to Tollgate again"])
    sign_in(new_browser(), mail, email)
    assert act(browser, path, "signout").location == path
    assert "All sessions ended by our team" in browser.get(path).text


def test_c58_an_account_is_explained_and_overridden(operator, customer, db):
    browser, mine = operator
    person, email = customer
    path = f"/admin/tenants/{db.tenant_of(email)}"
    page = browser.get(path)
    assert all(words in page.html.one("main").text for words in (email, "Allowed", "Starter", "Subscriptions", "cus_"))
    for fields in ({"last": "", "reason": "x"}, {"last": "2020-01-01", "reason": "x"},
                   {"last": str(date.today() + timedelta(3)), "reason": ""}):
        wrong = act(browser, path, "override", allow="no", plan="growth", **fields)
        assert wrong.status == 422 and wrong.html.one("input", id="reason").get("value") == fields["reason"]
        assert form_with(wrong, path, allow="no", plan="growth")
    last = str(date.today() + timedelta(3))
    for neither in ({"allow": ""}, {"allow": "maybe"}, {"allow": "Yes"}):
        assert act(browser, path, "override", **{"plan": "", "last": last, "reason": "x", **neither}).status == 422
    assert db.value("select count(*) from billing.overrides where tenant_id = %s", path.rpartition("/")[2]) == 0
    assert act(browser, path, "override", allow="no", plan="", last=last, reason="fraud").location == path
    page = browser.get(path)
    assert all(words in page.html.one("main").text for words in ("Denied", "fraud", mine, "Set by our team"))
    assert "Access stopped" in person.get("/settings/billing").text
    log = person.get("/settings/audit").html.one("main").text
    assert "Access set by our team" in log and mine not in log and "our service" in log
    assert act(browser, path, "lift").location == path
    assert "Access stopped" not in person.get("/settings/billing").text
    own = browser.get(f"/admin/tenants/{db.tenant_of(mine)}")
    assert "You belong to this account." in own.text and not own.html.one("main").all("form")


def test_c58_open_alerts_are_shown(operator, customer, db):
    browser, _ = operator
    tenant = db.tenant_of(customer[1])
    db.execute("select ops.raise_alert(%s, 'paying_twice', %s, '{\"tenants\": 2}')", tenant, customer[1])
    page = browser.get("/admin/alerts")
    assert "paying_twice" in page.text and customer[1] in page.text
    assert f"/admin/tenants/{tenant}" in [a.get("href") for a in page.html.all("a")]
    assert "Warnungen" in browser.get("/de/admin/alerts").text
    db.execute("select ops.end_alert('paying_twice', %s)", customer[1])


def test_c58_f37_an_act_needs_the_token_of_a_form(operator, customer, db):
    browser, _ = operator
    path = person_at(db, customer[1])
    assert browser.post(path, {"do": "suspend", "reason": "x"}).status == 403
    assert form_with(browser.get(path), path).fields.keys() == {"csrf", "reason"}
    token = browser.get("/signout").form().fields
    for fields in ({}, {"do": "delete"}, {"do": "suspend", "reason": "x", "more": "x"}):
        assert browser.post(path, {**token, **fields}).status == 422
        assert browser.post(f"/admin/tenants/{db.tenant_of(customer[1])}", {**token, **fields}).status == 422
    assert customer[0].get("/workspace").status == 200


@pytest.mark.only("nginx")
def test_c58_the_pages_fit_a_small_screen_and_have_no_faults(operator, customer, person, db):  # noqa: F811
    browser, email = operator[0], "a" * 60 + "@" + "b" * 60 + ".example.com"
    tenant, user = f"/admin/tenants/{db.tenant_of(customer[1])}", person_at(db, customer[1])
    db.execute("select ops.raise_alert(%s, 'orphan', %s, '{}')", db.tenant_of(customer[1]), "x" * 200)
    db.execute("update auth.users set email = %s, email_canonical = %s where email_canonical = %s", email, email,
               customer[1])
    db.execute("update app.tenants set closes_at = now(), name = null where id = %s", tenant.rpartition("/")[2])
    person.open("/signin")
    person.driver.add_cookie({"name": SID, "value": browser.cookie(SID), "path": "/", "secure": True})
    for n, path in enumerate((f"/de/admin?q={email}", "/admin/tenants", "/de/admin/alerts", user, "/de" + tenant)):
        person.size(320, 640)
        person.colours(COLOURS[n % len(COLOURS)])
        person.open(path)
        assert person.outer(FAULTS) == [] and no_wider_than(person, 320), path
    db.execute("select ops.end_alert('orphan', %s)", "x" * 200)
    db.execute("update auth.users set email = %s, email_canonical = %s where email_canonical = %s", customer[1],
               customer[1], email)
