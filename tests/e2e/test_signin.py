"""Signing in by a link in a mail, sessions, and signing out."""
import base64
import json
import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from client import read_cookie
from journey import (ask_for_link, become_customer, code_in, new_address, press_link, query_of, sign_in, token_in,
                     wait_until)

SID, FLOW, DEVICE = "__Host-sid", "__Host-flow", "__Host-device"
GOOD, GONE = "One click to sign in", "This link no longer works"


def link_hash(token):
    """What the database stores of a link's token."""
    return sha256(sha256(base64.urlsafe_b64decode(token + "=")).digest()).digest()


@pytest.fixture
def member(browser, sim, db, fresh):
    """The address of a user who is not signed in."""
    email = fresh()
    become_customer(browser, sim, db, email)
    browser.cookies.clear()
    return email


@pytest.fixture
def asked(browser, mail, member):
    """(address, token, code) of a link that was just asked for in this browser."""
    ask_for_link(browser, member)
    found = mail.wait(member, 2)
    return member, token_in(found), code_in(found)


def sessions_of(db, email):
    return db.value("select count(*) from auth.sessions s join auth.users u on u.id = s.user_id "
                    "where u.email_canonical = %s and s.revoked_at is null", email)


def state_of(db, token):
    return db.row("select r.used_at, r.attempts, l.expires_at, r.token_hash from auth.links l "
                  "join auth.requests r on r.id = l.request_id where l.hash = %s", link_hash(token))


def enter_code(browser, code, at="/signin/code"):
    return browser.submit(browser.get(at), {"code": code})


@pytest.mark.parametrize("path", ["/workspace", "/settings/billing", "/signout", "/de/workspace"])
def test_c50_a_visitor_is_sent_to_sign_in(browser, path):
    page = browser.get(path)
    plain = path.removeprefix("/de")
    assert (page.status, page.location) == (303, path.removesuffix(plain) + "/signin?next=" + plain)


@pytest.mark.parametrize("path, leads", [("/workspace", "/workspace"), ("/settings/billing", "/settings/billing"),
                                         ("/signout", "/workspace")])
def test_c50_after_signing_in_one_is_back_where_one_wanted_to_be(browser, mail, member, path, leads):
    form = browser.follow(browser.get(path))
    assert browser.submit(form, {"email": member}).status == 303
    assert press_link(browser, token_in(mail.wait(member, 2))).location == leads


@pytest.mark.parametrize("path, leads", [("/signin", "/workspace"), ("/signup", "/workspace"), ("/", "/workspace"),
                                         ("/signin?next=/settings/billing", "/settings/billing")])
def test_c50_a_signed_in_user_is_not_asked_to_sign_in(customer, path, leads):
    page = customer[0].get(path)
    assert (page.status, page.location) == (303, leads)


@pytest.mark.parametrize("alias, leads", [("/login", "/signin"), ("/dashboard", "/workspace"),
                                          ("/dashboard/billing", "/settings/billing"), ("/de/login", "/de/signin"),
                                          ("/", "/signup"), ("/de/", "/de/signup")])
def test_c47_aliases_lead_to_the_pages(browser, alias, leads):
    page = browser.get(alias)
    assert (page.status, page.location) == (303, leads)


def test_c96_the_mail_has_a_text_and_an_html_part_with_link_and_code(browser, mail, stack, asked):
    email, token, code = asked
    sent = mail.to(email)[1]
    link = f"{stack['url']}/en/signin/link?t={token}"
    assert link in sent["text"] and code in sent["text"]
    assert link in sent["html"] and code in sent["html"]
    assert sent["to"] == [email] and sent["subject"]
    assert "\n" not in sent["subject"] and token not in sent["subject"] and code not in sent["subject"]


def test_c96_the_mail_speaks_the_language_of_the_form(browser, mail, stack, member):
    browser.submit(browser.get("/de/signin"), {"email": member})
    sent = mail.wait(member, 2)
    assert f"{stack['url']}/de/signin/link?t=" in sent["text"]
    assert "Code" in sent["text"] and 'lang="de"' in sent["html"]


def test_c48_the_session_is_looked_up_on_every_request(customer, db):
    browser, email = customer
    assert browser.get("/workspace").status == 200
    db.execute("update auth.sessions s set revoked_at = now(), revoke_reason = 'admin' from auth.users u "
               "where u.id = s.user_id and u.email_canonical = %s", email)
    assert browser.get("/workspace").status == 303
    assert browser.cookie(SID) is None


@pytest.mark.parametrize("change", ["absolute_until = now()", "idle_until = now()"])
def test_c48_an_expired_session_is_no_session(customer, db, change):
    browser, email = customer
    db.execute(f"update auth.sessions s set {change} from auth.users u where u.id = s.user_id "
               "and u.email_canonical = %s", email)
    assert browser.get("/settings/billing").status == 303


def test_f40_a_disabled_user_is_out_at_once(customer, db):
    browser, email = customer
    db.execute("update auth.users set disabled_at = now() where email_canonical = %s", email)
    assert browser.get("/workspace").status == 303


def test_c53_a_profile_row_came_with_the_user(db, member):
    assert db.row("select p.display_name, p.avatar_url from app.profiles p join auth.users u on u.id = p.user_id "
                  "where u.email_canonical = %s", member) == (member.split("@")[0][:32], None)


def test_c59_a_program_gets_401_where_a_person_is_sent_on(browser):
    page = browser.get("/workspace", Accept="application/json")
    assert page.status == 401
    assert page.json == {"error": "Authentication required", "code": "auth"}
    scheme, realm = page.header("WWW-Authenticate").split(" ", 1)
    assert (scheme, realm) == ("Cookie", f'realm="{browser.base}", form-action="/signin", cookie-name="__Host-sid"')
    assert page.header("Content-Type") == "application/json"
    assert browser.get("/workspace", Accept="text/html, application/json;q=0.5").status == 303


def test_cookies_are_host_only_secure_http_only_and_lax(browser, mail, member):
    flow, = browser.get("/signin").header_all("Set-Cookie")
    name, value, attributes = read_cookie(flow)
    assert (name, len(base64.urlsafe_b64decode(value + "="))) == (FLOW, 32)
    assert attributes == {"path": "/", "secure": "", "httponly": "", "samesite": "Lax", "max-age": "3600"}
    sid = [read_cookie(line) for line in sign_in(browser, mail, member).header_all("Set-Cookie")]
    (name, value, attributes), = [c for c in sid if c[0] == SID]
    assert [len(base64.urlsafe_b64decode(part + "=")) for part in (value[:43], value[43:])] == [32, 32]
    assert attributes == {"path": "/", "secure": "", "httponly": "", "samesite": "Lax"}
    assert browser.refused == []


def test_the_database_never_holds_what_the_cookie_holds(customer, db):
    browser, _ = customer
    s, t = (base64.urlsafe_b64decode(part + "=") for part in (browser.cookie(SID)[:43], browser.cookie(SID)[43:]))
    d = sha256(b"db1" + t).digest()
    assert db.value("select count(*) from auth.tokens where hash = %s", sha256(d).digest()) == 1
    of_s = sha256(sha256(b"db1" + s).digest()).digest()
    assert db.value("select count(*) from auth.tokens where hash in (%s, %s, %s, %s)", t, d, s, of_s) == 0


def test_f207_a_cookie_of_before_there_was_a_stable_part_is_taken(customer, new_browser):
    earlier = new_browser()
    earlier.set_cookie(SID, customer[0].cookie(SID)[43:])
    page = earlier.get("/workspace")
    assert page.status == 200
    assert earlier.submit(page, action="/signout").location == "/signin?signed_out=yes"


def visible(page):
    """Everything by which answers can be told apart, without what is random in every answer."""
    headers = [(k, v.split("=")[0] if k.lower() == "set-cookie" else v) for k, v in page.headers if k.lower() != "date"]
    return page.status, headers, page.body


def test_f50_known_and_unknown_addresses_get_the_same_answer(new_browser, mail, member, fresh):
    known, unknown = new_browser(), new_browser()
    stranger = fresh("stranger")
    answers = [visible(ask_for_link(known, member)), visible(ask_for_link(unknown, stranger))]
    assert answers[0] == answers[1]
    assert answers[0][0] == 303
    pages = [b.get("/signin/code") for b in (known, unknown)]
    assert [p.text.replace(p.form().fields["csrf"], "") for p in pages][0] == \
        [p.text.replace(p.form().fields["csrf"], "") for p in pages][1]
    mail.wait(member, 2)
    assert mail.to(stranger) == []


def test_f50_a_wrong_code_looks_the_same_for_both(new_browser, member, fresh):
    def wrong(address):
        browser = new_browser()
        ask_for_link(browser, address)
        page = enter_code(browser, "0000-0000")
        return page.status, page.text.replace(page.form().fields["csrf"], "")
    assert wrong(member) == wrong(fresh("stranger"))


def test_f50_known_and_unknown_addresses_take_the_same_time(browser, member):
    """Alternates between the two, so that other load on the machine affects both. The medians may differ by five times
    their own spread, or by less than can be measured across a network."""
    form = browser.get("/signin")
    times = {"known": [], "unknown": []}
    for n in range(200):
        for kind, address in (("known", member), ("unknown", new_address("stranger")))[::1 if n % 2 else -1]:
            begun = time.perf_counter()
            assert browser.submit(form, {"email": address}).status == 303
            times[kind].append(time.perf_counter() - begun)
    known, unknown = times["known"][10:], times["unknown"][10:]
    quarters = statistics.quantiles(known + unknown, n=4)
    error = 1.25 * (quarters[2] - quarters[0]) / 1.35 / len(known) ** 0.5 * 2 ** 0.5
    difference = abs(statistics.median(known) - statistics.median(unknown))
    assert difference < max(5 * error, 0.0003), (difference, error)


@pytest.fixture
def limit(db):
    """A function that sets how many of a kind may be asked for, until the test is over."""
    kinds = []

    def run(kind, allowed):
        kinds.append(kind)
        db.execute("update auth.limits set allowed = %s where kind = %s", allowed, kind)
    yield run
    db.execute("delete from auth.hits where kind = any(%s)", kinds)
    db.execute("update auth.limits set allowed = 1000000 where kind = any(%s)", kinds)


def requests_for(db, email):
    return db.value("select count(*) from auth.requests where email_canonical = %s and purpose = 'signin'", email)


def test_f51_s03_too_many_mails_are_not_sent_and_the_answer_stays(new_browser, db, mail, limit, member, fresh):
    limit("link_stranger", 2)
    answers = [visible(ask_for_link(new_browser(), address)) for address in 4 * [member] + 4 * [fresh("nobody")]]
    assert all(a == answers[0] for a in answers) and answers[0][0] == 303
    mail.wait(member, 3)
    assert requests_for(db, member) == 2


def test_s03_f62_a_device_that_has_signed_in_gets_its_mail_whatever_strangers_ask(new_browser, browser, db, mail, limit,
                                                                                 member):
    sign_in(browser, mail, member)
    browser.submit(browser.get("/signout"))
    assert browser.cookie(SID) is None and browser.cookie(DEVICE)
    limit("link_stranger", 1)
    for _ in range(3):
        ask_for_link(new_browser(), member)
    mail.wait(member, 3)
    unseen = new_browser()
    assert ask_for_link(unseen, member).status == 303
    answer = ask_for_link(browser, member)
    token = token_in(mail.wait(member, 4))
    assert visible(answer)[0] == 303 and press_link(browser, token).status == 303
    assert requests_for(db, member) == 3        # with the first sign-in; the unseen device waits


def test_s03_links_of_strangers_end_none_of_the_owner(new_browser, browser, mail, asked):
    email, token, _ = asked
    for n in range(3):
        ask_for_link(new_browser(), email)
    mail.wait(email, 5)
    assert press_link(browser, token).status == 303


def test_s03_the_device_is_set_by_a_sign_in_alone_and_kept(browser, other, db, asked):
    email, token, code = asked
    assert browser.cookie(DEVICE) is None
    page = enter_code(browser, "0000-0000")
    assert page.status == 422 and browser.cookie(DEVICE) is None
    answer = press_link(browser, token)
    (name, value, attributes), = [c for c in map(read_cookie, answer.header_all("Set-Cookie")) if c[0] == DEVICE]
    device = base64.urlsafe_b64decode(value + "=")
    assert len(device) == 32 and attributes["max-age"] == str(400 * 24 * 3600) and "domain" not in attributes
    stored = sha256(sha256(device).digest() + email.encode()).digest()
    assert db.value("select count(*) from auth.devices where hash = %s", stored) == 1
    browser.submit(browser.get("/signout"))
    other.set_cookie(DEVICE, browser.cookie(DEVICE))
    assert other.get("/workspace").status == 303 and other.get("/settings/billing").status == 303


def test_s03_signing_in_again_keeps_the_device(browser, mail, member):
    sign_in(browser, mail, member)
    device = browser.cookie(DEVICE)
    browser.submit(browser.get("/signout"))
    sign_in(browser, mail, member)
    assert browser.cookie(DEVICE) == device


@pytest.mark.parametrize("address", ["member", "nobody"])
def test_f51_s08_what_a_network_may_not_ask_is_refused_openly_and_leaves_no_row(browser, db, limit, request, fresh,
                                                                                address):
    email = request.getfixturevalue("member") if address == "member" else fresh()
    limit("link_near", 1)
    db.execute("delete from auth.hits where kind = 'link_near'")
    assert ask_for_link(browser, fresh("first")).status == 303
    before = db.value("select count(*) from auth.requests"), db.value("select count(*) from mail.outbox")
    page = ask_for_link(browser, email)
    assert page.status == 429 and 3540 <= int(page.header("Retry-After")) <= 3600
    assert "from your network" in page.html.one(role="alert").text
    assert page.form().fields["email"] == email
    assert (db.value("select count(*) from auth.requests"), db.value("select count(*) from mail.outbox")) == before


def lines_of(stack, event):
    with open(f"{stack['log_dir']}/signin.log", encoding="utf-8") as file:
        return [json.loads(line) for line in file if f'"event":"{event}"' in line.replace(" ", "")]


@pytest.mark.only("nginx")
def test_s03_a_refusal_for_the_network_is_logged_with_the_network(stack, browser, db, limit, fresh):
    limit("link_near", 1)
    db.execute("delete from auth.hits where kind = 'link_near'")
    before = len(lines_of(stack, "throttled"))
    assert [ask_for_link(browser, fresh(str(n))).status for n in range(2)] == [303, 429]
    line, = lines_of(stack, "throttled")[before:]
    assert (line["what"], line["network"]) == ("link", "127.0.0.0/24")


@pytest.mark.parametrize("allowed", [1, 5])
def test_f50_the_hint_that_an_address_gets_few_mails_is_there_for_every_address(browser, limit, member, fresh, allowed):
    limit("link_stranger", allowed)
    pages = []
    for email in (member, member, fresh("nobody"), fresh("nobody")):
        answer = ask_for_link(browser, email)
        pages.append((answer.status, answer.location, browser.get(answer.location).html.one("main").text))
    assert len(set(pages)) == 1 and "a few e-mails an hour" in pages[0][2]


def test_f52_looking_at_the_link_changes_nothing(browser, other, db, asked):
    _, token, _ = asked
    before = state_of(db, token)
    for agent in (browser, other):
        for method in ("GET", "HEAD", "GET"):
            page = agent.request(method, f"/signin/link?t={token}")
            assert page.status == 200
            assert agent.cookie(SID) is None
    assert state_of(db, token) == before


def test_f52_the_button_signs_in_the_browser_that_asked(browser, db, asked):
    email, token, _ = asked
    page = browser.get(f"/signin/link?t={token}")
    assert page.html.one("h1").text == GOOD
    assert [e.get("name") for e in page.form().element.all("input")] == ["csrf", "t", "remember"]
    answer = browser.submit(page)
    assert (answer.status, answer.location) == (303, "/workspace")
    assert email in browser.follow(answer).text
    assert sessions_of(db, email) == 1


def test_f52_a_scanner_that_presses_the_button_burns_nothing(browser, other, db, asked):
    """It has the link but not the browser: without the code the link stays as it is."""
    email, token, _ = asked
    page = other.get(f"/signin/link?t={token}")
    assert page.form().element.one("input", name="code")
    assert other.submit(page, {"code": None}).status in (410, 422)
    assert other.submit(page, {"code": ""}).status in (410, 422)
    assert sessions_of(db, email) == 0
    assert press_link(browser, token).status == 303


def test_f52_another_browser_signs_in_with_link_and_code(other, db, asked):
    email, token, code = asked
    page = other.get(f"/signin/link?t={token}")
    assert "not the browser that asked" in page.html.one("main").text
    assert other.submit(page, {"code": code.lower().replace("-", " ")}).status == 303
    assert sessions_of(db, email) == 1


def test_f52_the_browser_that_asked_signs_in_with_the_code_alone(browser, db, asked):
    email, token, code = asked
    assert enter_code(browser, code).status == 303
    assert sessions_of(db, email) == 1
    assert browser.get(f"/signin/link?t={token}").status in (303, 410)


def test_f52_the_code_alone_is_nothing_in_another_browser(other, db, asked):
    email, _, code = asked
    assert enter_code(other, code).status == 422
    assert sessions_of(db, email) == 0


def test_f52_five_wrong_codes_are_the_end_of_the_link(browser, other, db, asked):
    email, token, code = asked
    page = other.get(f"/signin/link?t={token}")
    answers = [other.submit(page, {"code": "0000-000%d" % n}) for n in range(5)]
    assert [a.status for a in answers] == [422, 422, 422, 422, 410]
    assert "does not fit" in answers[0].html.one(id="code-error").text
    assert other.submit(page, {"code": code}).status == 410
    assert browser.get(f"/signin/link?t={token}").status == 410
    assert enter_code(browser, code).status == 422
    assert sessions_of(db, email) == 0


def test_f52_wrong_codes_in_the_asking_browser_count_too(browser, db, asked):
    email, token, code = asked
    for n in range(5):
        assert enter_code(browser, "1111-111%d" % n).status == 422
    assert enter_code(browser, code).status == 422
    assert browser.get(f"/signin/link?t={token}").status == 410


def test_f52_an_empty_code_is_asked_for_and_costs_nothing(browser, db, asked):
    _, token, code = asked
    page = enter_code(browser, "")
    assert page.status == 422 and "Please enter the code" in page.html.one(id="code-error").text
    assert state_of(db, token)[1] == 0
    assert browser.submit(page, {"code": code}).status == 303


def test_f53_a_link_works_once(browser, db, asked):
    email, token, _ = asked
    page = browser.get(f"/signin/link?t={token}")
    assert browser.submit(page).status == 303
    first = browser.cookie(SID)
    assert browser.submit(page).status == 410
    assert browser.cookie(SID) == first
    assert browser.get(f"/signin/link?t={token}").status == 410
    assert sessions_of(db, email) == 1


def test_f53_pressed_fifty_times_at_once_it_makes_one_session(browser, db, asked):
    email, token, _ = asked
    page = browser.get(f"/signin/link?t={token}")
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: browser.submit(page).status, range(50)))
    assert sorted(answers) == [303] + [410] * 49
    assert db.value("select count(*) from auth.sessions s join auth.users u on u.id = s.user_id "
                    "where u.email_canonical = %s", email) == 1


def test_f53_after_ten_minutes_it_is_over(browser, db, asked):
    email, token, code = asked
    page = browser.get(f"/signin/link?t={token}")
    lifetime = db.value("select expires_at - created_at from auth.links where hash = %s", link_hash(token))
    assert lifetime.total_seconds() == 600
    db.execute("update auth.links set expires_at = now() where hash = %s", link_hash(token))
    assert browser.submit(page).status == 410
    expired = browser.get(f"/signin/link?t={token}")
    assert expired.status == 410 and expired.html.one("h1").text == GONE
    assert enter_code(browser, code).status == 422
    assert sessions_of(db, email) == 0


def test_f53_a_newer_link_replaces_the_older(browser, mail, member):
    ask_for_link(browser, member)
    old = token_in(mail.wait(member, 2))
    ask_for_link(browser, member)
    new = token_in(mail.wait(member, 3))
    assert browser.get(f"/signin/link?t={old}").status == 410
    assert press_link(browser, new).status == 303


def test_f53_two_tabs_of_one_browser(browser, db, asked):
    """Both are open; the second finds the link used and its reader signed in."""
    email, token, _ = asked
    one, two = (browser.get(f"/signin/link?t={token}") for _ in range(2))
    assert browser.submit(one).status == 303
    assert browser.submit(two).status == 410
    assert browser.get("/workspace").status == 200
    assert sessions_of(db, email) == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "!" * 43, "A" * 42 + "%00", "A" * 4000])
def test_f53_what_is_no_link_says_so(browser, token):
    page = browser.get(f"/signin/link?t={token}")
    assert page.status in (400, 404, 410)
    assert page.html.one("h1").text
    assert page.html.one("main").all("form") == []


def test_f53_a_link_of_a_disabled_user_signs_nobody_in(browser, db, asked):
    email, token, _ = asked
    db.execute("update auth.users set disabled_at = now() where email_canonical = %s", email)
    assert press_link(browser, token).status == 410
    assert sessions_of(db, email) == 0


def test_the_welcome_mail_signs_the_paying_browser_in(browser, sim, db, mail, fresh):
    email = fresh()
    become_customer(browser, sim, db, email)
    answer = press_link(browser, token_in(mail.wait(email)))
    assert (answer.status, answer.location) == (303, "/workspace")
    assert "You are the owner" in browser.follow(answer).text
    wait_until(lambda: "Starter" in browser.get("/workspace").text)     # the mail may be faster than the subscription


def test_the_welcome_page_takes_the_code(browser, sim, db, mail, fresh):
    email = fresh()
    session = become_customer(browser, sim, db, email)
    page = browser.get(f"/welcome?session_id={session}")
    assert browser.submit(page, {"code": code_in(mail.wait(email))}).location == "/workspace"


ELSEWHERE = ["//evil.example", "/\\evil.example", "/%09/evil.example", "https:evil.example", "https://evil.example/",
             "/%2F%2Fevil.example", "/workspace/../evil", "/unknown", "/settings/billing?x=1", "/workspace?tenant=x",
             "/workspace#x", "javascript:alert(1)", "\thttps://evil.example", "/workspace%0d%0aX-Evil:1", "workspace",
             "", "/admin/users/x", "/admin/tenants/", "/" + "a" * 5000]


@pytest.mark.parametrize("next", ELSEWHERE)
def test_f18_only_known_pages_are_led_to(customer, next):
    browser, _ = customer
    page = browser.request("GET", "/signin?next=" + next.replace("#", "%23").replace("\\", "%5C").replace("\t", "%09"))
    assert (page.status, page.location) == (303, "/workspace")


def test_c50_each_page_of_the_settings_is_led_back_to(customer):
    browser, _ = customer
    page = browser.get("/settings/profile")
    paths = [a.get("href") for a in page.html.one("nav", **{"class": "tabs"}).all("a")]
    for path in [*paths, "/settings/audit", "/settings/billing", "/settings/two-factor"]:
        assert browser.get("/signin?next=" + path).location == path


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example/", "/\\evil.example",
                                  "/workspace\r\nX-Evil: 1"])
def test_f18_not_from_a_hidden_field_either(browser, db, mail, member, next):
    browser.submit(browser.get("/signin"), {"email": member, "next": next})
    assert db.value("select r.next from auth.requests r where email_canonical = %s order by created_at desc limit 1",
                    member) == "/workspace"
    assert press_link(browser, token_in(mail.wait(member, 2))).location == "/workspace"


def test_f36_a_session_cookie_of_an_attacker_is_replaced(browser, mail, member):
    planted = secrets.token_urlsafe(32)
    browser.set_cookie(SID, planted)
    sign_in(browser, mail, member)
    assert browser.cookie(SID) != planted
    browser.set_cookie(SID, planted)
    assert browser.get("/workspace").status == 303


def test_f36_signing_in_again_ends_the_old_session(browser, new_browser, db, mail, member):
    sign_in(browser, mail, member)
    old = browser.cookie(SID)
    ask = new_browser()
    ask_for_link(ask, member)
    found = mail.wait(member, 3)
    page = browser.get(f"/signin/link?t={token_in(found)}")
    assert browser.submit(page, {"code": code_in(found)}).status == 303
    assert browser.cookie(SID) != old
    assert sessions_of(db, member) == 1
    thief = new_browser()
    thief.set_cookie(SID, old)
    assert thief.get("/workspace").status == 303


def test_f36_the_flow_cookie_never_becomes_a_session(browser, mail, member):
    sign_in(browser, mail, member)
    browser.set_cookie(SID, browser.cookie(FLOW))
    assert browser.get("/workspace").status == 303


def test_f38_nobody_is_signed_into_somebody_elses_account(browser, other, db, asked):
    """The attacker's form and link: the victim's browser lacks the form token and sends another Origin."""
    email, token, _ = asked
    csrf = browser.get(f"/signin/link?t={token}").form().fields["csrf"]
    other.get("/signin")
    fields = {"csrf": csrf, "t": token}
    assert other.post("/signin/link", fields, came_from="https://evil.example/").status == 403
    page = other.post("/signin/link", fields)
    assert page.status == 403 and other.cookie(SID) is None
    assert other.submit(page).status == 422, "the browser that did not ask needs the code"
    assert sessions_of(db, email) == 0


def test_f37_a_form_that_was_open_too_long_can_be_sent_again(browser, asked):
    _, token, _ = asked
    page = browser.submit(browser.get(f"/signin/link?t={token}"), {"csrf": "of an hour ago"})
    assert page.status == 403
    assert "open for too long" in page.html.one("p", role="alert").text
    assert browser.submit(page).location == "/workspace"


def test_f37_what_was_typed_into_a_form_that_was_open_too_long_stays(browser, other, asked, fresh):
    email, token, _ = asked
    for page, typed in ((browser.get("/signin?next=/settings/billing"), {"email": fresh()}),
                        (browser.get("/signin/code"), {"code": "ABCD-EFGH"}),
                        (other.get(f"/signin/link?t={token}"), {"code": "ABCD-EFGH"})):
        again = (other if "t" in page.form().fields else browser).submit(page, {**typed, "csrf": "of an hour ago"})
        assert again.status == 403 and "open for too long" in again.html.one("p", role="alert").text
        expected = {**page.form().fields, **typed}
        assert {k: v for k, v in again.form().fields.items() if k != "csrf"} == \
            {k: v for k, v in expected.items() if k != "csrf"}


def test_f39_get_shows_a_button_and_signs_nobody_out(customer):
    browser, _ = customer
    for path in ("/signout", "/de/signout"):
        page = browser.get(path)
        assert page.status == 200
        assert page.form().method == "POST"
    assert browser.request("HEAD", "/signout").status == 200
    assert browser.get("/workspace").status == 200


def test_f39_post_ends_the_session_in_the_database_first(customer, new_browser, db):
    browser, email = customer
    cookie = browser.cookie(SID)
    page = browser.submit(browser.get("/signout"))
    assert (page.status, page.location) == (303, "/signin?signed_out=yes")
    assert browser.cookie(SID) is None and page.header("Clear-Site-Data") == '"cache"'
    assert db.row("select s.revoke_reason from auth.sessions s join auth.users u on u.id = s.user_id "
                  "where u.email_canonical = %s", email) == ("logout",)
    thief = new_browser()
    thief.set_cookie(SID, cookie)
    assert thief.get("/workspace").status == 303
    assert thief.get("/settings/billing", Accept="application/json").status == 401


def test_f39_the_button_in_the_page_head_signs_out(customer):
    browser, _ = customer
    assert browser.submit(browser.get("/workspace"), action="/signout").status == 303
    assert browser.get("/workspace").status == 303


def test_f39_not_from_another_site(customer):
    browser, _ = customer
    csrf = browser.get("/signout").form().fields["csrf"]
    assert browser.post("/signout", {"csrf": csrf}, came_from="https://evil.example/").status in (303, 403)
    assert browser.get("/workspace").status == 200


@pytest.mark.parametrize("path", ["/workspace", "/settings/billing", "/signout", "/signin", "/signup"])
def test_f45_no_private_page_is_kept_by_a_cache(customer, browser, path):
    page = customer[0].get(path)
    if page.status == 200:
        assert page.header("Cache-Control") == "no-store"
        assert "Cookie" in page.header("Vary")
    else:
        assert (page.status, page.header("Cache-Control")) in ((303, None), (303, "no-store"))


def test_two_people_at_once_never_see_each_other(new_browser, sim, db, mail, fresh):
    people = []
    for n in range(3):
        browser, email = new_browser(), fresh(f"person{n}")
        become_customer(browser, sim, db, email)
        sign_in(browser, mail, email)
        people.append((browser, email))
    with ThreadPoolExecutor(12) as pool:
        seen = list(pool.map(lambda n: (people[n % 3][1], people[n % 3][0].get("/workspace").text), range(120)))
    assert all(email in text for email, text in seen)
    assert not any(other in text for email, text in seen for _, other in people if other != email)


def test_f18_the_way_back_is_named_by_us(browser):
    assert query_of(browser.get("/settings/billing").location) == {"next": "/settings/billing"}
    assert query_of(browser.get("/workspace?next=//evil.example").location) == {"next": "/workspace"}


def test_twenty_one_sessions_are_one_too_many(new_browser, db, mail, member):
    first = new_browser()
    sign_in(first, mail, member)
    owner = db.value("select id from auth.users where email_canonical = %s", member)
    db.execute("insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr) select %s, now() + "
               "interval '1 day', now() + interval '1 day', now(), '{link}' from generate_series(1, 19)", owner)
    assert first.get("/workspace").status == 200
    sign_in(new_browser(), mail, member)
    assert sessions_of(db, member) == 20
    wait_until(lambda: first.get("/workspace").status == 303, 2)
