"""The end of a user's account, by its page and as JSON; and the copy of the own data."""
import json

from journey import sign_in, wait_until
from test_people import ask, join, owner, send, team  # noqa: F401 (a fixture)

PAGE = "/settings/account"


def subscription_of(sim, tenant):
    return next(row for row in sim.get("state/subscription") if row["metadata"].get("tenant_id") == tenant)


def age(db, tenant):
    """The proofs of its members are too old."""
    db.execute("update auth.sessions set auth_at = now() - interval '11 min' where user_id in "
               "(select user_id from app.members where tenant_id = %s)", tenant)


def test_f211_c57_an_account_is_deleted_and_kept_by_forms(owner, sim, mail):  # noqa: F811
    browser, email, tenant = owner
    page = browser.get(PAGE)
    assert page.status == 200 and email in page.text and email.partition("@")[0] in page.html.one(id="delete").text
    for wrong in ("", "nobody@example.org"):
        again = browser.submit(page, {"confirm": wrong}, action=PAGE)
        assert again.status == 422 and again.html.one(id="confirm-error").text, wrong
    seen = len(mail.to(email))
    done = browser.submit(page, {"confirm": f" {email.upper()} "}, action=PAGE)
    assert (done.status, done.location) == (303, "/signin?signed_out=deletion")
    assert not browser.cookie("__Host-sid") and "30 days" in browser.get(done.location).text
    told = mail.next(email, seen, "going to be deleted")
    assert "going to be deleted" in told["subject"] and PAGE in told["text"] and "?t=" not in told["text"]
    wait_until(lambda: subscription_of(sim, tenant)["status"] == "canceled")
    assert sign_in(browser, mail, email).location == PAGE
    assert "can still keep" in browser.get("/workspace").text and browser.get("/settings/billing").status == 200
    page = browser.get("/de" + PAGE)
    assert "Ihr Zugang wird gelöscht" in page.text and not page.html.all(id="delete")
    kept = send(browser, page, f"/de{PAGE}/keep")
    assert kept.location == f"/de{PAGE}?kept=yes"
    assert "bleibt" in browser.get(kept.location).html.one(role="status").text
    assert send(browser, page, f"/de{PAGE}/keep").status == 303, "pressed twice"
    assert email.partition("@")[0] in team(browser).html.one(id="tenant-name").text


def test_f210_f211_who_owns_what_others_use_hands_over_first(owner, other, db, fresh, sim):  # noqa: F811
    browser, email, tenant = owner
    mia = join(db, tenant, fresh("mia"))
    page = browser.get(PAGE)
    assert page.html.one(id="delete").one("a").get("href") == "/settings/team?tenant=" + tenant
    held = ask(browser, "DELETE", "/api/user")
    assert (held.status, held.json["code"]) == (409, "last_owner")
    assert held.json["tenants"] == [{"id": tenant, "name": email.partition("@")[0]}]
    refused = browser.post(PAGE, {**browser.get("/signout").form().fields, "confirm": email})
    assert refused.status == 409 and "Hand over first" in refused.html.one(role="alert").text
    assert send(browser, team(browser), "/settings/team/handover", user=mia).status == 303
    assert ask(other, "DELETE", "/api/user").status == 401
    assert browser.request("DELETE", "/api/user", None, came_from=browser.base, Origin="https://evil.example",
                           Accept="application/json").status == 403
    age(db, tenant)
    assert ask(browser, "DELETE", "/api/user").json["code"] == "confirm"
    db.execute("update auth.sessions set auth_at = now()")
    assert ask(browser, "DELETE", "/api/user", {"confirm": "x"}).status == 400
    done = ask(browser, "DELETE", "/api/user")
    assert done.status == 202 and set(done.json) == {"until"}
    assert ask(browser, "GET", "/api/user").status == 401
    subscription = subscription_of(sim, tenant)
    asked = db.rows("select id from sync.objects where kind = 'cancellation' and id = %s", subscription["id"])
    assert (asked, subscription["status"]) == ([], "active"), "the tenant of another owner goes on"


def test_f210_a_member_is_told_that_the_owner_of_the_tenant_is_leaving(owner, db, fresh):  # noqa: F811
    browser, email, tenant = owner
    mia = join(db, tenant, fresh("mia"))
    assert send(browser, team(browser), "/settings/team/handover", user=mia).status == 303
    assert "Its owner is leaving" not in browser.get(PAGE).text
    db.execute("update app.tenants set closes_at = now() + interval '1 day' where id = %s", tenant)
    assert "Its owner is leaving" in browser.get(PAGE).html.one("main").text


def test_c57_a_copy_of_the_own_data(owner, other, db):  # noqa: F811
    browser, email, tenant = owner
    wait_until(lambda: db.value("select exists (select from billing.subscriptions where tenant_id = %s "
                                "and status = 'active')", tenant))
    link = browser.get(PAGE).html.one("a", download="").get("href")
    page, api = browser.get(link), ask(browser, "GET", "/api/user/export")
    for answer in (page, api):
        assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
        assert answer.header("Content-Disposition") == 'attachment; filename="account.json"'
    told = json.loads(page.body)
    assert told["user"]["email"] == email and told["memberships"][0]["tenant"] == tenant
    assert told["billing"]["subscriptions"][0]["status"] == "active" and told["mails"] and told["audit"]
    assert browser.cookie("__Host-sid") not in page.text
    age(db, tenant)
    assert ask(browser, "GET", "/api/user/export").status == 403
    assert browser.get(link).location == "/signin/confirm?next=/settings/account/export"
    assert ask(other, "GET", "/api/user/export").status == 401
