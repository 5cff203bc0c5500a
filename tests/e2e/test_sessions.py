"""Sessions: tokens that rotate, a proof that is asked for again, and what a user sees and ends of them."""
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import Browser, read_cookie
from journey import CODE, become_customer, code_in, sign_in, wait_until

SID = "__Host-sid"
ROUNDS = 1000 if os.environ.get("PROPERTY_RUNS") == "full" else 3
PLAN = "/api/billing/plan"


@pytest.fixture(scope="module")
def known(stack, sim, db, mail):
    """The address of a user who has paid."""
    email = "sessions@example.com"
    if db.tenant_of(email) is None:
        become_customer(Browser(stack["url"]), sim, db, email)
    return email


@pytest.fixture
def person(browser, mail, known):
    """(browser, address) of that user, signed in."""
    sign_in(browser, mail, known)
    return browser, known


def age(db, email, time="15 min"):
    """Lets time pass for the sessions of a user."""
    mine = "(select s.id from auth.sessions s join auth.users u on u.id = s.user_id where u.email_canonical = %s)"
    db.execute("update auth.tokens set issued_at = issued_at - %s::interval, confirmed_at = confirmed_at "
               f"- %s::interval, retired_at = retired_at - %s::interval where session_id in {mine}", time, time, time,
               email)
    db.execute("update auth.sessions set auth_at = auth_at - %s::interval, seen_at = seen_at - %s::interval "
               f"where id in {mine}", time, time, email)


def codes_after(mail, email, seen, n=1):
    """The codes of the mails that came after the first seen ones, once there are n: other mails have none."""
    def found():
        codes = [code_in(m) for m in mail.to(email)[seen:] if CODE.search(m["text"])]
        return codes if len(codes) >= n else None
    return wait_until(found)


def copy_of(browser):
    """Another browser with the same cookies, as they are now."""
    copy = Browser(browser.base)
    copy.cookies = dict(browser.cookies)
    return copy


def given(page):
    """The session cookies that an answer sets."""
    return [c for c in map(read_cookie, page.header_all("Set-Cookie")) if c[0] == SID]


def tokens_of(db, email):
    return db.value("select count(*) from auth.tokens t join auth.sessions s on s.id = t.session_id "
                    "join auth.users u on u.id = s.user_id where u.email_canonical = %s", email)


def test_f41_fifty_requests_on_a_token_that_is_due_get_one_candidate(person, db):
    browser, email = person
    with ThreadPoolExecutor(50) as pool:
        for _ in range(ROUNDS):
            age(db, email)
            before = tokens_of(db, email)
            pages = list(pool.map(lambda _: copy_of(browser).get("/workspace"), range(50)))
            assert {page.status for page in pages} == {200}
            new = [value for page in pages for _, value, _ in given(page)]
            assert len(new) == 1 and tokens_of(db, email) == before + 1
            old = copy_of(browser)
            browser.set_cookie(SID, new[0])
            assert {b.get("/workspace").status for b in (browser, old)} == {200}, "who is late is taken for 30 s"


@pytest.mark.parametrize("path", ["/workspace", "/settings/billing", "/settings/sessions", PLAN, "/api/auth/session"])
def test_c49_a_new_cookie_comes_with_any_answer_that_nothing_stores(person, db, path):
    browser, email = person
    age(db, email)
    page = browser.get(path)
    (_, value, attributes), = given(page)
    assert page.status == 200 and page.header("Cache-Control") == "no-store"
    assert value[:43] == page.sent["Cookie"].split(SID + "=")[1][:43], "the first part stays"
    assert "max-age" not in attributes and attributes["samesite"] == "Lax"
    again = browser.get(path)
    assert again.status == 200 and given(again) == [], "the new one is young"


def test_c49_a_form_and_an_error_carry_one_too(person, db):
    browser, email = person
    page = browser.get("/settings/billing")
    age(db, email)
    answer = browser.post("/tenant", {"csrf": page.form("/signout").fields["csrf"], "tenant": str(db.tenant_of(email))})
    assert answer.status == 303 and len(given(answer)) == 1
    assert browser.get("/workspace").status == 200
    age(db, email)
    answer = browser.post("/api/auth/sessions/revoke", json.dumps({"session": "x"}).encode(),
                          Content_Type="application/json")
    assert answer.status == 404
    assert browser.get("/workspace").status == 200


def test_f207_an_open_form_outlives_its_token(person, db):
    browser, email = person
    page = browser.get("/workspace")
    for _ in range(2):
        age(db, email)
        assert len(given(browser.get("/workspace"))) == 1
        assert given(browser.get("/workspace")) == [], "its first use"
    assert browser.get("/workspace").form("/signout").fields["csrf"] == page.form("/signout").fields["csrf"]
    assert browser.submit(page, action="/signout").location == "/signin?signed_out=yes"


def test_f42_whichever_response_is_lost_nobody_is_signed_out(person, db, mail):
    """Each step's first answer is lost while its token is due; the browser goes on with the cookies that it has."""
    browser, email = person
    sent = len(mail.to(email))
    form = browser.get("/signin/confirm?next=/settings/sessions")
    steps = [lambda b: b.get("/workspace"), lambda b: b.get("/settings/billing"), lambda b: b.get(PLAN),
             lambda b: b.get("/settings/sessions"), lambda b: b.get("/signout"),
             lambda b: b.post("/tenant", {"csrf": form.form("/signout").fields["csrf"],
                                          "tenant": str(db.tenant_of(email))})]
    for step in steps:
        age(db, email)
        lost = step(copy_of(browser))
        assert lost.status < 400
        assert step(browser).status == lost.status
    age(db, email)
    assert copy_of(browser).submit(form, action="/signin/confirm").status == 303
    code, = codes_after(mail, email, sent)
    page = browser.get("/signin/confirm?sent=yes")
    lost = copy_of(browser).post("/signin/confirm", {**page.forms[1].fields, "code": code})
    assert lost.status == 303
    assert browser.get("/workspace").status == 200, "what was lost was the proof"


def test_f35_a_token_that_is_unknown_ends_no_session(person):
    browser, _ = person
    stranger = copy_of(browser)
    stranger.set_cookie(SID, browser.cookie(SID)[:43] + "A" * 43)
    assert stranger.get("/workspace").status == 303 and stranger.cookie(SID) is None
    assert browser.get("/workspace").status == 200


def test_c49_what_may_be_kept_carries_no_cookie(person, db):
    browser, email = person
    age(db, email)
    for path in ("/style.css", "/favicon.svg", "/login", "/signin", "/signup"):
        assert given(browser.get(path)) == []


def test_f40_a_reused_token_ends_its_session_and_the_user_is_told(person, stack, db, mail):
    browser, email = person
    thief = copy_of(browser)
    sent = len(mail.to(email))
    age(db, email)
    browser.get("/workspace")
    assert browser.get("/workspace").status == 200
    age(db, email, "31 s")
    page = thief.get("/workspace")
    assert page.status == 303 and thief.cookie(SID) is None
    assert browser.get("/workspace").status == 303 and browser.cookie(SID) is None
    found = wait_until(lambda: [m for m in mail.to(email)[sent:] if "has been ended" in m["subject"]])[0]
    assert "/en/settings/sessions" in found["text"] and "127.0.0.0/24" in found["text"]
    log = Path(stack["log_dir"]) / ("account.log" if stack["server"] == "nginx" else "error.log")
    lines = wait_until(lambda: [x for x in log.read_text().splitlines() if '"session_ended"' in x and "reuse" in x])
    assert '"session_rotated"' in log.read_text() and browser.base not in lines[-1]
    assert len([m for m in mail.to(email)[sent:] if "has been ended" in m["subject"]]) == 1


def test_c42_a_session_that_the_limit_ends_is_a_line_of_the_log(stack, customer, other, mail, db):
    db.execute("insert into auth.sessions (user_id, created_at, absolute_until, idle_until, auth_at, amr) "
               "select u.id, now() - make_interval(mins => n), now() + interval '1 h', now() + interval '1 h', now(), "
               "'{link}' from auth.users u, generate_series(1, 20) n where u.email_canonical = %s",
               customer[1])
    sign_in(other, mail, customer[1])
    ended = [str(n) for n, in db.rows("select s.id from auth.sessions s where s.revoke_reason = 'limit'")]
    log = Path(stack["log_dir"]) / ("signin.log" if stack["server"] == "nginx" else "error.log")
    lines = [x for x in log.read_text().splitlines() if '"session_ended"' in x and '"limit"' in x]
    assert ended and all(any(n in x for x in lines) for n in ended)


def test_f40_who_ticks_the_box_is_remembered(browser, db, mail, known):
    """The box stands where the session begins."""
    for ticked, seconds in (({}, None), ({"remember": "yes"}, 30 * 24 * 3600)):
        seen = len(mail.to(known))
        browser.submit(browser.get("/signin"), {"email": known})
        code, = codes_after(mail, known, seen)
        page = browser.submit(browser.get("/signin/code"), {"code": "0000-0000", **ticked})
        assert (page.html.one("input", id="remember").get("checked") is not None) == bool(ticked)
        page = browser.submit(browser.get("/signin/code"), {"code": code, **ticked})
        (_, _, attributes), = given(page)
        assert attributes.get("max-age") == (seconds and str(seconds))
        lasts = db.value("select absolute_until - created_at from auth.sessions order by created_at desc limit 1")
        assert lasts.total_seconds() == (seconds or 12 * 3600)
        if not ticked:
            browser.cookies.pop(next(k for k in browser.cookies if k[1] == SID))
    age(db, known)
    (_, _, attributes), = given(browser.get("/workspace"))
    assert seconds - 60 < int(attributes["max-age"]) <= seconds, "and no longer by a new token"


def confirm(browser, mail, email, page):
    """From the redirect that asks for a proof to the answer to the code."""
    seen = len(mail.to(email))
    asked = browser.submit(browser.follow(page), button="Send me a code", action="/signin/confirm")
    page = browser.follow(asked)
    code, = codes_after(mail, email, seen)
    return browser.post("/signin/confirm", {**page.forms[1].fields, "code": code})


def test_f36_a_proof_is_asked_for_and_renews_the_session(person, db, mail):
    browser, email = person
    age(db, email, "11 min")
    page = browser.get("/settings/sessions")
    before, ident = copy_of(browser), browser.get("/api/auth/session").json["session"]["id"]
    fields = {"csrf": page.form("/signout").fields["csrf"], "all": "yes"}
    answer = browser.post("/settings/sessions", fields)
    assert (answer.status, answer.location) == (303, "/signin/confirm?next=/settings/sessions")
    answer = confirm(browser, mail, email, answer)
    assert (answer.status, answer.location) == (303, "/settings/sessions")
    assert before.get("/workspace").status == 200, "until the new token is used"
    session = browser.get("/api/auth/session").json["session"]
    assert session["fresh"] and session["id"] != ident
    assert before.get("/workspace").status == 303
    assert browser.post("/settings/sessions", fields).location == "/settings/sessions?ended=all", "S stays"


def test_f36_a_program_is_told_that_a_proof_is_wanted(person, db):
    browser, email = person
    age(db, email, "11 min")
    page = browser.post("/api/auth/sessions/revoke", b'{"all": true}', Content_Type="application/json")
    assert (page.status, page.json["code"]) == (403, "confirm")


def test_f36_a_wrong_code_proves_nothing(person, db):
    browser, email = person
    age(db, email, "11 min")
    page = browser.get("/signin/confirm?sent=yes&next=//evil.example")
    answer = browser.post("/signin/confirm", {**page.forms[1].fields, "code": "0000-0000"})
    assert answer.status == 422 and answer.html.one(id="code-error")
    assert Browser(browser.base).get("/signin/confirm").location == "/signin?next=/signin/confirm"
    assert page.forms[1].fields["next"] == "/workspace"


def test_f36_after_too_many_codes_the_newest_one_can_be_typed(person, db, mail, limit):
    browser, email = person
    waits = limit("confirm", 1)
    age(db, email, "11 min")
    seen = len(mail.to(email))
    page = browser.get("/signin/confirm?next=/settings/security")
    assert browser.submit(page, action="/signin/confirm").status == 303
    code, = codes_after(mail, email, seen)
    page = browser.submit(page, action="/signin/confirm")
    assert page.status == 429 and waits(page) and page.html.one("input", id="code")
    answer = browser.post("/signin/confirm", {**page.forms[1].fields, "code": code})
    assert (answer.status, answer.location) == (303, "/settings/security")


def test_c140_a_user_sees_and_ends_sessions(person, other, db, mail):
    browser, email = person
    other.more["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    sign_in(other, mail, email)
    page = browser.get("/settings/sessions")
    cards = [s for s in page.html.all("section") if "card" in s.get("class", "")]
    assert "This browser" in cards[0].text and "127.0.0.0/24" in cards[0].text
    theirs, = [form for form in page.forms if "session" in form.fields
               and form.fields["session"] == other.get("/api/auth/session").json["session"]["id"]]
    assert any("Firefox, Linux" in card.text for card in cards[1:])
    answer = browser.post("/settings/sessions", theirs.fields)
    assert (answer.status, answer.location) == (303, "/settings/sessions?ended=one")
    assert "has ended" in browser.follow(answer).html.one(role="status").text
    assert other.get("/workspace").status == 303 and browser.get("/workspace").status == 200
    assert browser.post("/settings/sessions", theirs.fields).status == 404
    assert "wo Sie angemeldet sind" in browser.get("/de/settings/sessions").text.replace("Wo Sie", "wo Sie")


def test_c140_anothers_session_is_not_found(person, other, db, mail, fresh):
    browser, email = person[0], fresh()
    db.execute("insert into auth.users (email, email_canonical) values (%s, %s)", email, email)
    sign_in(other, mail, email)
    theirs = other.get("/api/auth/session").json["session"]["id"]
    for body, status in (({"session": theirs}, 404), ({"session": "x"}, 404), ({}, 422), ({"all": False}, 422),
                         ({"session": theirs, "all": True}, 422)):
        page = browser.post("/api/auth/sessions/revoke", json.dumps(body).encode(), Content_Type="application/json")
        assert page.status == status, body
    assert other.get("/workspace").status == 200


def test_c140_a_program_ends_sessions_and_signs_out(person, other, mail):
    browser, email = person
    sign_in(other, mail, email)
    me = browser.get("/api/auth/session").json
    assert me["user"]["email"] == email and me["session"]["fresh"]
    listed = browser.get("/api/auth/sessions").json["sessions"]
    assert listed[0]["id"] == me["session"]["id"] and listed[0]["current"] and len(listed) > 1
    done = browser.post("/api/auth/sessions/revoke", b'{"all": true}', Content_Type="application/json")
    assert (done.status, done.body, done.header("Content-Type")) == (204, b"", None)
    assert other.get("/workspace").status == 303
    assert len(browser.get("/api/auth/sessions").json["sessions"]) == 1
    cookie = browser.cookie(SID)
    done = browser.post("/api/auth/signout", b"", Content_Type="application/json")
    assert (done.status, done.header("Clear-Site-Data")) == (204, '"cache"')
    assert browser.cookie(SID) is None
    browser.set_cookie(SID, cookie)
    assert browser.get("/api/auth/session").status == 401


@pytest.mark.parametrize("language, subject", [("en", "A new browser signed in"), ("de", "Ein neuer Browser ist")])
def test_c141_a_browser_that_is_new_is_told_of(person, new_browser, mail, language, subject):
    _, email = person
    fox = new_browser(**{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    seen = len(mail.to(email))
    fox.submit(fox.get(f"/{language}/signin"), {"email": email})
    code, = codes_after(mail, email, seen)
    assert fox.submit(fox.get(f"/{language}/signin/code"), {"code": code}).status == 303

    def told():
        return [m for m in mail.to(email)[seen:] if subject in m["subject"] and "Firefox, Linux" in m["text"]]

    found = wait_until(told)[0]
    for part in ("html", "text"):
        assert all(f"/{language}/{path}" in found[part] for path in ("settings/sessions", "reset"))
    fox.cookies.pop(next(k for k in fox.cookies if k[1] == SID))
    sign_in(fox, mail, email)
    assert len(told()) == 1, "the same one is no news"


def test_f18_a_proof_leads_to_our_pages_only(person):
    page = person[0].get("/signin/confirm?next=https://evil.example/")
    assert page.forms[1].fields["next"] == "/workspace"
