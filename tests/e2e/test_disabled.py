"""A user who is disabled: each program refuses the sessions there are, and no way in leads to another one."""
import pytest
from client import Browser
from journey import LINK, ask_for_link, code_in, press_link, token_in, wait_until
from test_factor import add_factor, half, oathtool, show
from test_password import PASSWORD, ask_reset, enter, register

SID = "__Host-sid"
PAGES = ["/workspace", "/settings/billing", "/settings/profile", "/settings/team", "/settings/sessions",
         "/settings/two-factor", "/settings/password", "/settings/email", "/settings/passkeys", "/settings/connections",
         "/settings/account", "/signin/confirm", "/signout"]
API = ["/api/user", "/api/user/export", "/api/auth/session", "/api/auth/sessions", "/api/audit", "/api/billing/plan"]


def disable(db, email, disabled=True):
    db.execute("update auth.users set disabled_at = case when %s then now() end where email_canonical = %s", disabled,
               email)


def sessions_of(db, email):
    return db.value("select count(*) from auth.sessions s join auth.users u on u.id = s.user_id "
                    "where u.email_canonical = %s", email)


def mailed(mail, email, ask):
    """The mail with a link that comes of this."""
    seen = len(mail.to(email))
    assert ask().status == 303
    return mail.next(email, seen, LINK)


def are_sent(db, email):
    """Waits for the mails that wait."""
    wait_until(lambda: db.value("select count(*) from mail.outbox where recipient = %s and state = 'pending'",
                                email) == 0)


@pytest.fixture
def person(stack, mail, fresh):
    """(a browser that is signed in, address) of a user with PASSWORD."""
    browser, email = Browser(stack["url"]), fresh()
    register(browser, email)
    assert press_link(browser, token_in(mail.wait(email)), "/register/link").location == "/workspace"
    return browser, email


def test_f44_the_sessions_of_who_is_disabled_end_at_their_next_request(person, db):
    browser, email = person
    page = browser.get("/workspace")
    cookies = dict(browser.cookies)
    for path in PAGES + API:
        assert browser.get(path).status == 200, path
    disable(db, email)
    for path in PAGES:
        browser.cookies = dict(cookies)
        answer = browser.get(path)
        assert (answer.status, browser.cookie(SID)) == (303, None), path
        assert answer.location.startswith("/signin?next="), path
    for path in API:
        browser.cookies = dict(cookies)
        assert browser.get(path, Accept="application/json").status == 401, path
    csrf = page.form("/signout").fields["csrf"]
    for path, fields in (("/settings/profile", {"display_name": "somebody"}), ("/settings/team/name", {"name": "Mine"}),
                         ("/settings/password", {"password": "another horse, another staple"}),
                         ("/settings/email", {"email": "x@example.com"}), ("/settings/billing", {})):
        browser.cookies = dict(cookies)
        answer = browser.post(path, {"csrf": csrf, **fields})
        assert answer.status == 303 and answer.location.startswith("/signin"), (path, answer)
    browser.cookies = dict(cookies)
    assert browser.get("/signin").status == browser.get("/signup").status == 200, "as for any visitor"
    disable(db, email, False)
    browser.cookies = dict(cookies)
    assert browser.get("/workspace").status == 200, "so it was no other fault"


def test_f44_nobody_who_is_disabled_gets_in(person, new_browser, mail, db):
    """By what was sent before and by what is asked for now, in a browser that is known and in another one."""
    known, email = person
    by_link, by_code, by_reset, by_factor, stranger = [new_browser() for _ in range(5)]
    link = mailed(mail, email, lambda: ask_for_link(by_link, email))
    code = mailed(mail, email, lambda: ask_for_link(by_code, email))
    reset = by_reset.get(f"/reset/link?t={token_in(mailed(mail, email, lambda: ask_reset(by_reset, email)))}")
    code_form = by_code.get("/signin/code")
    secret, _ = add_factor(known)
    db.execute("update auth.factors f set last_step = 0 from auth.users u where u.id = f.user_id and u.email = %s",
               email)
    assert half(by_factor, mail, email).location == "/signin/second"
    second = by_factor.get("/signin/second")
    known.cookies = {k: v for k, v in known.cookies.items() if k[1] != SID}     # the device's cookie stays
    are_sent(db, email)
    sessions, mails = sessions_of(db, email), len(mail.to(email))

    disable(db, email)
    assert press_link(by_link, token_in(link)).status == 410
    assert by_code.submit(code_form, {"code": code_in(code)}).status == 422
    assert by_reset.submit(reset, {"password": "another horse, another staple"}).status == 410
    assert by_factor.submit(second, {"code": oathtool(secret)}).status == 410
    for browser in (known, stranger):
        assert enter(browser, email, PASSWORD).status == 422
        assert ask_for_link(browser, email).location == "/signin/code"
        assert ask_reset(browser, email).location == "/reset/link"
    are_sent(db, email)
    assert len(mail.to(email)) == mails and sessions_of(db, email) == sessions
    assert all(b.cookie(SID) is None for b in (known, by_link, by_code, by_reset, by_factor, stranger))
    disable(db, email, False)
    assert enter(stranger, email, PASSWORD).location == "/signin/second"
    assert show(stranger, oathtool(secret)).status == 303, "so it was no other fault"
