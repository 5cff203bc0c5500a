"""People: the profile, the members of a tenant, invitations, the audit log."""
import json
import re

import pytest
from journey import code_in, sign_in, wait_until
from test_sessions import SID, copy_of

INVITATION = re.compile(r"https?://\S+/invitation\?t=([A-Za-z0-9_-]{43})(?=\s|$)")


@pytest.fixture
def owner(customer, db):
    """(browser, address, tenant) of a signed-in owner."""
    browser, email = customer
    return browser, email, str(db.tenant_of(email))


def user_of(db, email):
    return str(db.value("select id from auth.users where email_canonical = %s", email))


def join(db, tenant, email, role="member"):
    """A user of that tenant: the id."""
    db.value("select auth.add_user(%s)", email)
    user = user_of(db, email)
    db.execute("insert into app.members (tenant_id, user_id, role) values (%s, %s, %s)", tenant, user, role)
    return user


def invited(mail, email, number=1):
    """The token of the number-th invitation to that address."""
    return wait_until(lambda: [INVITATION.search(m["text"])[1] for m in mail.to(email) if "/invitation?t=" in m["text"]]
                      [number - 1:number])[0]


def team(browser, at=""):
    page = browser.get("/settings/team" + at)
    assert page.status == 200, page
    return page


def form_with(page, action, **fields):
    """The form with this action and these values in its hidden fields."""
    return next(f for f in page.forms if f.action.partition("?")[0] == action
                and all(f.fields.get(name) == value for name, value in fields.items()))


def send(browser, page, action, values=None, **fields):
    form = form_with(page, action, **fields)
    return browser.post(form.action, {**form.fields, **(values or {})})


def ask(browser, method, path, body=None):
    return browser.request(method, path, None if body is None else json.dumps(body).encode(), came_from=browser.base,
                           Content_Type="application/json", Accept="application/json")


def test_c54_a_profile_is_seen_and_changed(owner):
    browser, email, _ = owner
    page = browser.get("/settings/profile")
    assert page.status == 200 and email in page.text
    assert browser.get("/dashboard/settings").location == "/settings/profile"
    wrong = send(browser, page, "/settings/profile", {"display_name": "ab"})
    assert wrong.status == 422 and wrong.html.one(id="display_name-error").text
    assert wrong.html.one(id="display_name").get("value") == "ab"
    assert send(browser, page, "/settings/profile", {"display_name": "Anna <b>"}).location == "/settings/profile"
    page = browser.get("/de/settings/profile")
    assert page.html.one(id="display_name").get("value") == "Anna <b>" and "<b>" not in page.text
    assert send(browser, page, "/de/settings/profile", {"email": "x"}).status == 422


def test_c54_the_same_as_json(owner, other):
    browser, email, _ = owner
    told = ask(browser, "GET", "/api/user").json
    assert (told["email"], told["avatar_url"]) == (email, None)
    done = ask(browser, "PATCH", "/api/user", {"display_name": "Zoë Ω"})
    assert done.status == 200 and done.json == {**told, "display_name": "Zoë Ω", "initials": "ZΩ"}
    for body in ({"display_name": "ab"}, {"display_name": 5}, {"display_name": "abc", "role": "owner"}, {}, [], None,
                 {"display_name": "abc\0def"}):
        refused = ask(browser, "PATCH", "/api/user", body)
        assert (refused.status, refused.json["field"]) == (400, "display_name"), body
    assert ask(browser, "GET", "/api/user").json == done.json
    assert ask(other, "GET", "/api/user").status == 401
    assert ask(other, "PATCH", "/api/user", {"display_name": "abc"}).status == 401


def test_c53_a_picture_is_told_to_programs_and_loaded_by_no_page(owner, db):
    browser, email, _ = owner
    picture = "https://pictures.example/of/anna.png"
    db.execute("update app.profiles set avatar_url = %s where user_id = %s", picture, user_of(db, email))
    assert ask(browser, "GET", "/api/user").json["avatar_url"] == picture
    for path in ("/settings/profile", "/settings/team", "/workspace"):
        page = browser.get(path)
        assert "pictures.example" not in page.text and "img-src 'self'" in page.header("Content-Security-Policy"), path


def test_c55_c56_roles_names_and_removal_by_forms(owner, db, fresh):
    browser, email, tenant = owner
    mia = join(db, tenant, fresh("mia"))
    page = team(browser)
    assert send(browser, page, "/settings/team/role", {"role": "admin"}, user=mia).location == "/settings/team"
    assert db.value("select role from app.members where user_id = %s", mia) == "admin"
    assert send(browser, page, "/settings/team/role", {"role": "king"}, user=mia).status == 422
    own = send(browser, page, "/settings/team/role", {"user": user_of(db, email), "role": "member"}, user=mia)
    assert own.status == 403 and own.html.one(role="alert").text
    assert send(browser, page, "/settings/team/name", {"name": "Ännas"}).status == 303
    assert "Ännas" in team(browser).html.one(id="tenant-name").text
    wrong = send(browser, page, "/settings/team/name", {"name": " "})
    assert wrong.status == 422 and wrong.html.one(id="name-error").text
    assert send(browser, page, "/settings/team/remove", user=mia).status == 303
    assert send(browser, page, "/settings/team/remove", user=mia).status == 404
    assert "Nobody else" in team(browser).text


def test_f210_the_last_owner_stays(owner, db, fresh):
    browser, email, tenant = owner
    page = team(browser)
    alone = send(browser, page, "/settings/team/leave")
    assert alone.status == 409 and "at least one owner" in alone.html.one(role="alert").text
    mia = join(db, tenant, fresh("mia"))
    page = team(browser)
    db.execute("update auth.users set disabled_at = now() where id = %s", mia)
    kept_out = send(browser, page, "/settings/team/handover", user=mia)
    assert kept_out.status == 409 and "cannot take" in kept_out.html.one(role="alert").text
    db.execute("update auth.users set disabled_at = null where id = %s", mia)
    assert send(browser, page, "/settings/team/handover", user=mia).status == 303
    assert send(browser, page, "/settings/team/leave").location == "/workspace"
    assert "do not belong to an account" in team(browser).text


def test_f208_a_form_of_a_team_that_one_has_left(owner, db, fresh):
    browser, email, tenant = owner
    join(db, tenant, fresh("mia"), "owner")
    page = team(browser)
    db.execute("delete from app.members where tenant_id = %s and user_id = %s", tenant, user_of(db, email))
    for action in ("/settings/team/name", "/settings/team/leave"):
        gone = send(browser, page, action)
        assert gone.status == 409 and "no longer belong" in gone.text
    assert browser.get(f"/settings/team?tenant={tenant}").status == 404


def test_f209_an_unknown_address_is_invited_and_gets_in(owner, other, mail, db, fresh):
    browser, email, tenant = owner
    page = team(browser)
    for wrong in ("", "nobody"):
        again = send(browser, page, "/settings/team/invitation", {"email": wrong, "role": "admin"})
        assert again.status == 422 and again.html.one(id="email-error").text
        assert form_with(again, "/settings/team/invitation").fields["role"] == "admin", "what was chosen is kept"
    new = fresh("new")
    assert send(browser, page, "/settings/team/invitation", {"email": new, "role": "admin"}).status == 303
    assert new in team(browser).text
    token = invited(mail, new)
    sent = mail.to(new)[0]
    assert token in sent["html"] and "Administrator" in sent["text"] and "invitation" in sent["subject"]
    seen = other.get(f"/invitation?t={token}")
    assert seen.status == 200 and new in seen.text
    assert db.value("select count(*) from auth.users where email_canonical = %s", new) == 0, "a GET changes nothing"
    assert other.submit(seen, action="/invitation").location == "/signin/code"
    signed = other.submit(other.get("/signin/code"), {"code": code_in(mail.wait(new, 2))})
    assert signed.location == "/workspace"
    assert "administrator" in team(other).text
    assert other.get(f"/invitation?t={token}").status == 410
    assert other.get("/invitation?t=x").status == other.get("/invitation").status == 404


def test_f36_who_accepts_while_signed_in_goes_on_in_a_session_of_its_own(owner, other, mail, db, fresh):
    member = fresh("member")
    db.value("select auth.add_user(%s)", member)
    sign_in(other, mail, member)
    send(owner[0], team(owner[0]), "/settings/team/invitation", {"email": member, "role": "admin"})
    page = other.get(f"/invitation?t={invited(mail, member)}")
    former = copy_of(other)
    assert other.submit(page, action="/invitation").location == "/workspace"
    before, now = former.cookie(SID), other.cookie(SID)
    assert now != before and now[:43] == before[:43], "open forms stay good"
    assert former.get("/workspace").status == 200, "until its browser has the new one"
    assert "administrator" in team(other).text
    assert former.get("/workspace").location.startswith("/signin")


def test_f209_too_many_invitations_say_when_to_come_back(owner, fresh, limit):
    waits = limit("invite_tenant", 2)
    browser, new = owner[0], fresh("new")
    page = team(browser)
    assert send(browser, page, "/settings/team/invitation", {"email": new, "role": "member"}).status == 303
    assert send(browser, page, "/settings/team/invitation", {"email": fresh("b"), "role": "member"}).status == 303
    full = send(browser, page, "/settings/team/invitation", {"email": new, "role": "admin"})
    assert full.status == 429 and waits(full)
    assert "in five hours" in full.html.one(role="alert").text


def test_f208_c63_the_team_page_of_a_tenant_that_keeps_the_user_out(owner, db):
    browser, _, tenant = owner
    db.execute("update app.tenants set demands_factor = true where id = %s", tenant)
    for at in ("", f"?tenant={tenant}"):
        main = team(browser, at).html.one("main")
        assert "demands a second factor" in main.text and "do not belong" not in main.text
        assert main.all("a", href="/settings/two-factor") and not main.all("a", href="/signup")


def test_c46_who_has_no_plan_is_led_to_one(browser, mail, db, fresh):
    email = fresh()
    db.value("select auth.add_user(%s)", email)
    db.value("select billing.found_tenant(%s, %s)", user_of(db, email), email)
    sign_in(browser, mail, email)
    page = browser.get("/de/workspace")
    assert page.html.one("span", **{"class": "badge warn"}).text == "Noch nicht gewählt"
    billing = browser.get(page.html.one("main").one("a", **{"class": "button"}).get("href"))
    assert billing.html.one(id="status").text == "Noch nicht gewählt" and billing.html.all("input", name="plan")


def test_c54_the_settings_say_where_one_is(owner):
    browser = owner[0]
    for path, current in (("profile", "Profile"), ("email", "Address"), ("password", "Password"),
                          ("security", "Security"), ("two-factor", "Security"), ("sessions", "Sessions"),
                          ("team", "Team"), ("audit", "Team")):
        head, tabs = browser.get("/settings/" + path).html.all("nav")
        assert [e.text for e in head.all("a") if e.get("aria-current")] == ["Settings"], path
        assert [e.text for e in tabs.all("a") if e.get("aria-current")] == [current], path
    head, = browser.get("/settings/billing").html.all("nav")
    assert [e.text for e in head.all("a") if e.get("aria-current")] == ["Billing"]


def test_f209_signed_in_as_another(owner, other, new_browser, mail, db, fresh):
    browser, email, tenant = owner
    invitee, third = fresh("known"), fresh("third")
    for address in (invitee, third):
        db.value("select auth.add_user(%s)", address)
    page = team(browser)
    assert send(browser, page, "/settings/team/invitation", {"email": invitee, "role": "member"}).status == 303
    token = invited(mail, invitee)
    sign_in(other, mail, third)
    says = other.get(f"/de/invitation?t={token}")
    assert says.status == 200 and third in says.text and invitee in says.text and not any(
        f.action.endswith("/invitation") for f in says.forms)
    visitor = new_browser()
    form = form_with(visitor.get(f"/invitation?t={token}"), "/invitation")
    sign_in(visitor, mail, third)
    assert visitor.post("/invitation", form.fields).status == 409
    invited_one = new_browser()
    sign_in(invited_one, mail, invitee)
    page = invited_one.get(f"/invitation?t={token}")
    for shows in (page, says):
        assert not any(f.action.endswith("/signout") for f in shows.forms), "its token would not be the session's"
    assert invited_one.submit(page, action="/invitation").location == "/workspace"
    assert db.value("select role from app.members where tenant_id = %s and user_id = %s", tenant,
                    user_of(db, invitee)) == "member"


def test_f209_revoked_and_sent_again(owner, other, mail, db, fresh):
    browser, email, tenant = owner
    new = fresh("new")
    assert send(browser, team(browser), "/settings/team/invitation", {"email": new, "role": "member"}).status == 303
    first = invited(mail, new)
    db.execute("update mail.outbox set key = key || ' earlier' where recipient = %s", new)
    row = str(db.value("select id from app.invitations where email = %s", new))
    assert send(browser, team(browser), "/settings/team/invitation", {"do": "again"}, invitation=row).status == 303
    second = invited(mail, new, 2)
    assert other.get(f"/invitation?t={first}").status == 410 and other.get(f"/invitation?t={second}").status == 200
    page = team(browser)
    assert send(browser, page, "/settings/team/invitation", {"do": "revoke"}, invitation=row).status == 303
    assert other.get(f"/invitation?t={second}").status == 410
    assert send(browser, page, "/settings/team/invitation", {"do": "revoke"}, invitation=row).status == 404
    assert new not in team(browser).text


def test_f222_owners_read_what_was_done(owner, other, mail, db, fresh):
    browser, email, tenant = owner
    mia = fresh("mia")
    user = join(db, tenant, mia)
    assert send(browser, team(browser), "/settings/team/role", {"role": "admin"}, user=user).status == 303
    page = browser.get("/settings/audit")
    assert page.status == 200 and "Role changed: " + mia.split("@")[0][:32] in page.html.one("main").text
    told = ask(browser, "GET", "/api/audit").json
    newest = told["entries"][0]
    assert (newest["kind"], newest["subject"], newest["detail"]) == ("role_changed", user,
                                                                    {"was": "member", "role": "admin"})
    assert ask(browser, "GET", f"/api/audit?before={newest['n']}").json["entries"] == told["entries"][1:]
    assert browser.get("/de/settings/audit?before=1").status == 200
    for wrong in ("x", "", "-1", "9" * 19):
        assert browser.get(f"/settings/audit?before={wrong}").status == 404
    sign_in(other, mail, mia)
    assert other.get("/settings/audit").status == 403 and ask(other, "GET", "/api/audit").status == 403
