"""Whichever answer of a journey is lost: the browser sends the same again, stays signed in, and the journey goes on."""
import pytest
from client import shown
from journey import CODE, LINK, ask_for_link, code_in, press_link, token_in
from test_address import linked
from test_disabled import are_sent
from test_factor import PLACE, SECOND, codes_of, half, oathtool
from test_password import PASSWORD, ask_reset, enter, register
from test_people import form_with, invited, send, team, user_of
from test_sessions import SID, copy_of

NEW = "another horse, another staple"


def twice(browser, step):
    """The first answer is lost with its cookies: what the same step is answered after it."""
    assert step(copy_of(browser)).status < 400
    return step(browser)


def due(db, email):
    """Lets a new token be due with the next request of each session."""
    db.execute("update auth.tokens t set issued_at = t.issued_at - interval '15 min' from auth.sessions s "
               "join auth.users u on u.id = s.user_id where s.id = t.session_id and u.email_canonical = %s", email)


def newest(mail, db, email):
    """The token of the newest mail with a link: of a browser's requests only the newest is answered for sure."""
    are_sent(db, email)
    return token_in([m for m in mail.to(email) if LINK.search(m["text"])][-1])


@pytest.fixture
def arrive(mail):
    """A function that registers an address in a browser: its session."""
    def go(browser, email):
        register(browser, email)
        assert press_link(browser, token_in(mail.wait(email)), "/register/link").location == "/workspace"
    return go


def test_f42_of_a_registration_and_a_new_password(browser, mail, db, fresh):
    email = fresh()
    for page in ("/register", "/register/link"):
        browser.get(page)       # gives it the flow cookie, which it keeps
    assert twice(browser, lambda b: register(b, email)).location == "/register/link"
    page = browser.get(f"/register/link?t={newest(mail, db, email)}")
    again = twice(browser, lambda b: b.submit(page))
    assert again.status == 410 and "sign in" in again.html.one("main").text and browser.cookie(SID) is None
    assert twice(browser, lambda b: enter(b, email)).location == "/workspace"
    assert browser.get("/workspace").status == 200

    browser.submit(browser.get("/workspace"), action="/signout")
    assert twice(browser, lambda b: ask_reset(b, email)).location == "/reset/link"
    page = browser.get(f"/reset/link?t={newest(mail, db, email)}")
    again = twice(browser, lambda b: b.submit(page, {"password": NEW}))
    assert again.status == 410 and "set a new password" in again.html.one("main").text
    assert again.html.one("main").all("a", href="/signin")
    assert twice(browser, lambda b: enter(b, email, NEW)).location == "/workspace"
    assert browser.get("/workspace").status == 200


def test_f42_of_a_second_factor(browser, new_browser, mail, db, fresh, arrive):
    email = fresh()
    arrive(browser, email)
    due(db, email)
    page = browser.get(PLACE)
    assert twice(browser, lambda b: b.submit(page, {})).location == PLACE
    page = browser.get(PLACE)
    secret = page.html.one("code").text.replace(" ", "")
    shown.add(secret)
    due(db, email)
    code = oathtool(secret)
    done = twice(browser, lambda b: b.submit(page, {"code": code}))
    codes = codes_of(done)
    shown.update(codes)
    assert done.status == 200 and len(codes) == 10 and "no longer work" in done.html.one("main").text
    assert browser.get("/workspace").status == 200
    db.execute("update auth.factors f set last_step = 0 from auth.users u where u.id = f.user_id and u.email = %s",
               email)

    other = new_browser()
    assert half(other, mail, email).location == "/signin/second"
    second = other.get("/signin/second")
    over = twice(other, lambda b: b.submit(second, {"code": codes[0]}))
    assert over.status == 410 and other.cookie(SECOND) is None and "sign in again" in over.text
    assert half(other, mail, email).location == "/signin/second"
    assert other.submit(other.get("/signin/second"), {"code": codes[1]}).status == 303
    assert other.get("/workspace").status == 200

    for action in ("renew", "remove"):
        due(db, email)
        fields = {"csrf": browser.get(PLACE).form("/signout").fields["csrf"], "action": action}
        assert twice(browser, lambda b, f=fields: b.post(PLACE, f)).status in (200, 303)
        assert browser.get("/workspace").status == 200


def test_f42_of_an_invitation(browser, new_browser, mail, db, fresh, arrive):
    email, member, stranger, one = fresh(), fresh("member"), fresh("stranger"), new_browser()
    arrive(browser, email)
    arrive(one, member)
    tenant = str(db.value("select tenant_id from app.members where user_id = %s", user_of(db, email)))
    for address in (member, stranger):
        page = team(browser)
        due(db, email)
        values = {"email": address, "role": "member"}
        asked = twice(browser, lambda b, p=page, v=values: send(b, p, "/settings/team/invitation", v))
        assert asked.location == "/settings/team" and browser.get("/workspace").status == 200
        assert db.value("select count(*) from app.invitations where email = %s", address) == 1

    due(db, member)
    page = one.get(f"/invitation?t={invited(mail, member)}")
    fields = form_with(page, "/invitation").fields
    assert twice(one, lambda b: b.post("/invitation", fields)).location == "/workspace"
    assert one.get(f"/workspace?tenant={tenant}").status == 200

    two = new_browser()
    page = two.get(f"/invitation?t={invited(mail, stranger)}")
    gone = twice(two, lambda b: b.submit(page, action="/invitation"))
    assert gone.status == 410 and "sign in" in gone.html.one("main").text
    found = mail.next(stranger, 0, CODE)
    assert two.submit(two.get("/signin/code"), {"code": code_in(found)}).location == "/workspace"
    assert two.get(f"/workspace?tenant={tenant}").status == 200


def test_f42_of_a_change_of_address(browser, new_browser, mail, db, fresh, arrive):
    email, new = fresh(), fresh("new")
    arrive(browser, email)
    page = browser.get("/settings/email")
    due(db, email)
    asked = twice(browser, lambda b: b.submit(page, {"email": new}, action="/settings/email"))
    assert asked.location == "/settings/email" and browser.get("/workspace").status == 200
    are_sent(db, new)
    link, code = linked(mail, new)
    form = browser.get(link)
    gone = twice(browser, lambda b: b.submit(form, {"code": code} if form.html.all(id="code") else {}))
    assert gone.status == 410 and new in browser.get("/workspace").text

    link, code = linked(mail, email)
    victim = new_browser()
    form = victim.get(link)
    assert twice(victim, lambda b: b.submit(form, {"code": code})).status == 410
    seen = len(mail.to(email))
    assert ask_for_link(victim, email).status == 303
    assert press_link(victim, token_in(mail.next(email, seen, LINK))).status == 303
