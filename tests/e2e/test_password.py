"""Registering with a password, signing in by it, and choosing a new one."""
import ctypes
import os
import re
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import Browser
from faults import processes
from journey import CODE, LINK, Mail, ask_for_link, code_in, new_address, press_link, token_in, wait_until

SID = "__Host-sid"
PASSWORD = "correct horse battery staple"


def register(browser, email, password=PASSWORD, at="/register"):
    return browser.submit(browser.get(at), {"email": email, "password": password})


def enter(browser, email, password=PASSWORD, at="/signin"):
    return browser.submit(browser.get(at), {"email": email, "password": password})


def ask_reset(browser, email):
    return browser.submit(browser.get("/reset"), {"email": email})


@pytest.fixture(scope="module")
def ann(stack):
    """The address of a user who has registered, with PASSWORD, on the free plan."""
    browser, email = Browser(stack["url"]), new_address("ann")
    assert register(browser, email).location == "/register/link"
    answer = press_link(browser, token_in(Mail(stack["mail_url"]).wait(email)), "/register/link")
    assert (answer.status, answer.location) == (303, "/workspace"), answer
    return email


def test_c46_who_registers_has_a_tenant_and_may_sign_in_by_password_or_link(browser, other, mail, ann):
    answer = enter(browser, ann)
    assert (answer.status, answer.location) == (303, "/workspace")
    page = browser.get("/workspace")
    assert page.status == 200 and ann.split("@")[0] in page.html.one("main").text
    assert browser.get("/settings/billing").status == 200
    seen = len(mail.to(ann))
    assert other.submit(other.get("/signin"), {"email": ann, "password": "", "way": "link"}).location == "/signin/code"
    assert press_link(other, token_in(mail.next(ann, seen, LINK))).location == "/workspace"


def test_c46_the_code_of_the_mail_registers_too(browser, mail, fresh):
    email = fresh()
    answer = register(browser, email, at="/de/register")
    assert answer.location == "/de/register/link"
    page = browser.follow(answer)
    assert browser.submit(page, {"code": "AAAA-AAAA"}).status == 422
    found = mail.wait(email)
    assert "Bestätigen" in found["subject"] and 'lang="de"' in found["html"] and "/de/register/link?t=" in found["html"]
    answer = browser.submit(page, {"code": code_in(found)})
    assert (answer.status, answer.location) == (303, "/de/workspace")


def test_c46_the_sign_in_leads_back_to_where_one_wanted_to_be(browser, ann):
    assert enter(browser, ann, at="/signin?next=/settings/billing").location == "/settings/billing"


def test_c46_a_wrong_password_says_so_and_keeps_the_address(browser, ann):
    page = enter(browser, ann, "wrong")
    assert page.status == 422 and "is not right" in page.html.one("main").text
    assert page.form().fields["email"] == ann and "wrong" not in page.text.replace('"field wrong"', "")
    assert browser.cookie(SID) is None


@pytest.mark.parametrize("typed", [
    "correct\u00a0horse battery staple", "correct horse battery staple"], ids=["no-break space", "as it was"])
def test_f46_a_password_typed_on_another_system_signs_in(browser, ann, typed):
    assert enter(browser, ann, typed).status == 303


@pytest.mark.parametrize("password, says", [
    ("", "choose a password"), ("7 chars", "too short"), ("x" * 1025, "too long"), ("pass\tword words", "control"),
    ("password", "stolen"), ("password1234", "guessed"), ("Tollgate1", "guessed")],
    ids=["none", "7", "1025", "tab", "listed", "weak", "site"])
def test_f46_f47_a_password_that_is_refused_says_why(browser, fresh, mail, password, says):
    email = fresh()
    page = register(browser, email, password)
    assert page.status == 422 and says in page.html.one("main").text.lower(), page.html.one("main").text
    assert page.form().fields["email"] == email and page.form().fields["password"] == ""
    assert mail.to(email) == []


@pytest.mark.parametrize("password", [chr(0x1f984) * 4 + "\u2764\ufe0f zebra", "Zoë liest 73 Bücher " * 12, "".join(
    chr(33 + n * n * 7 % 90) for n in range(1024))], ids=["emoji", "long", "1024"])
def test_f46_any_other_password_is_taken_whole(browser, other, mail, fresh, password):
    email = fresh()
    assert register(browser, email, password).status == 303
    assert press_link(browser, token_in(mail.wait(email)), "/register/link").location == "/workspace"
    assert enter(other, email, password[:-1]).status == 422
    assert enter(other, email, password).status == 303


def visible(page):
    """All of an answer but what is random: the tokens of forms, and the challenge for a passkey."""
    text = re.sub(r'(name="csrf" value|data-challenge)="[^"]*"', "", page.text)
    return page.status, page.location, text, sorted(name.lower() for name, _ in page.headers)


def test_f50_known_and_unknown_addresses_get_the_same_answers(new_browser, mail, ann, fresh):
    stranger, seen = fresh(), len(mail.to(ann))
    for step in (register, ask_reset, lambda b, e: enter(b, e, "a wrong password")):
        known, unknown = [visible(step(new_browser(), email)) for email in (ann, stranger)]
        assert known[:2] == unknown[:2] and known[3] == unknown[3]
        assert known[2].replace(ann, "") == unknown[2].replace(stranger, "")
    assert "/register/link" in mail.wait(stranger)["text"]
    assert len(mail.to(stranger)) == 1
    for words in ("already", "/reset/link"):    # or the next test takes them for its own
        mail.next(ann, seen, words)


def test_f50_who_registers_again_is_told_by_mail(browser, mail, ann):
    seen = len(mail.to(ann))
    register(browser, ann, "of a thief, not of ann")
    found = mail.next(ann, seen, "/reset")
    assert "already" in found["subject"] and "link?t=" not in found["text"]
    assert "/en/reset" in found["text"] and "/en/reset" in found["html"]


def test_f213_another_browser_than_the_one_that_typed_the_password_chooses_its_own(browser, other, mail, fresh):
    email = fresh()
    register(browser, email, "of a thief, not of ann")
    found = mail.wait(email)
    page = other.get(f"/register/link?t={token_in(found)}")
    assert page.status == 200 and {"code", "password"} <= set(page.form().fields)
    assert other.submit(page, {"code": "AAAA-AAAA", "password": PASSWORD}).status == 422
    page = other.submit(page, {"code": code_in(found), "password": "password"})
    assert page.status == 422 and "stolen" in page.html.one("main").text
    answer = other.submit(page, {"password": PASSWORD})
    assert (answer.status, answer.location) == (303, "/workspace")
    assert enter(browser, email, "of a thief, not of ann").status == 422
    assert enter(browser, email).status == 303


def test_f54_a_new_password_ends_every_session_and_begins_none(stack, browser, other, new_browser, mail, fresh):
    email, third = fresh(), new_browser()
    register(browser, email)
    press_link(browser, token_in(mail.wait(email)), "/register/link")
    assert browser.get("/workspace").status == 200
    assert ask_reset(other, email).location == "/reset/link"
    found = mail.wait(email, 2)
    page = other.get(f"/reset/link?t={token_in(found)}")
    assert page.html.one("input", id="email").get("value") == email
    assert other.submit(page, {"password": "short"}).status == 422
    answer = other.submit(page, {"password": "another horse, another staple"})
    assert (answer.status, answer.location) == (303, "/signin?reset=yes")
    assert ended(stack, "all")
    assert other.cookie(SID) is None and "signed out everywhere" in other.follow(answer).html.one("main").text
    assert browser.get("/workspace").status == 303
    assert "password" in mail.wait(email, 3)["subject"].lower()
    assert third.get(f"/reset/link?t={token_in(found)}").status == 410
    assert enter(third, email).status == 422
    assert enter(third, email, "another horse, another staple").status == 303


def test_f54_the_code_alone_is_nothing_in_another_browser(browser, other, mail, ann):
    seen = len(mail.to(ann))
    ask_reset(browser, ann)
    code = code_in(mail.next(ann, seen, CODE))
    page = other.submit(other.get("/reset/link"), {"code": code, "password": "another horse, another staple"})
    assert page.status == 422 and "code" in page.html.one("main").text.lower()
    assert enter(other, ann).status == 303


def test_f52_a_scanner_that_opens_the_link_uses_nothing_up(browser, other, mail, fresh):
    email = fresh()
    register(browser, email)
    token = token_in(mail.wait(email))
    page = other.get(f"/register/link?t={token}")
    assert other.submit(page).status == 422
    assert press_link(browser, token, "/register/link").location == "/workspace"


def stale(db, email):
    db.execute("update auth.sessions s set auth_at = now() - interval '11 min' from auth.users u "
               "where u.id = s.user_id and u.email_canonical = %s", email)


def has_logged(stack, *words):
    """Whether a line of signin's log has these."""
    log = Path(stack["log_dir"]) / ("signin.log" if stack["server"] == "nginx" else "error.log")
    return any(all(f'"{word}"' in line for word in words) for line in log.read_text().splitlines())


def ended(stack, which, reason="password"):
    """Whether signin has logged that it ended these sessions."""
    return has_logged(stack, "session_ended", which, reason)


def test_f36_f40_a_new_password_needs_a_proof_and_ends_the_sessions_of_other_browsers(stack, browser, other, mail, db,
                                                                                      fresh):
    email = fresh()
    register(browser, email)
    press_link(browser, token_in(mail.wait(email)), "/register/link")
    enter(other, email)
    stale(db, email)
    assert browser.get("/settings/password").location == "/signin/confirm?next=/settings/password"
    page = browser.get("/signin/confirm?next=/settings/password")
    form = next(f for f in page.forms if "password" in f.fields)
    before = browser.cookie(SID)
    page = browser.post("/signin/confirm", {**form.fields, "password": "wrong"})
    assert page.status == 422 and "not right" in page.html.one("main").text
    page = browser.post("/signin/confirm", {**form.fields, "password": PASSWORD})
    assert has_logged(stack, "session_renewed", "proof", "password")
    assert (page.status, page.location) == (303, "/settings/password") and browser.cookie(SID) != before
    page = browser.get("/settings/password")
    refused = browser.submit(page, {"password": "password"}, action="/settings/password")
    assert refused.status == 422 and "stolen" in refused.html.one("main").text
    answer = browser.submit(page, {"password": "another horse, another staple"}, action="/settings/password")
    assert (answer.status, answer.location) == (303, "/settings/password?changed=yes")
    assert "is changed" in browser.follow(answer).html.one("main").text
    assert other.get("/workspace").status == 303
    assert enter(other, email).status == 422
    assert enter(other, email, "another horse, another staple").status == 303
    assert ended(stack, "others")
    told = wait_until(lambda: [m for m in mail.to(email) if "was changed" in m["subject"]])
    assert len(told) == 1 and "/en/reset" in told[0]["text"] and "/en/reset" in told[0]["html"]


@pytest.mark.parametrize("path", ["/signin/code", "/register/link", "/reset/link"])
def test_f51_who_waits_for_a_mail_is_told_how_many_there_are(browser, path):
    assert "gets a few e-mails an hour" in browser.get(path).html.one("main").text
    assert "höchstens einige E-Mails in der Stunde" in browser.get("/de" + path).html.one("main").text


def filled(page):
    """What a password manager knows of the fields of a page: {name or id: (autocomplete, value that is there)}."""
    return {e.get("name") or e.get("id"): (e.get("autocomplete"), e.get("value", ""))
            for e in page.html.one("main").all("input") if e.get("type") not in ("hidden", "checkbox")}


def test_c46_a_password_manager_knows_each_field(browser, other, mail, db, fresh):
    """It keeps a new password under the address, which is shown where it is not typed; as a field without a name."""
    email = fresh()
    address, known, code = ("username", ""), ("username", email), ("one-time-code", "")
    new, old = ("new-password", ""), ("current-password", "")
    assert filled(browser.get("/signin")) == {"email": address, "password": old}
    assert filled(browser.get("/register")) == {"email": address, "password": new}
    assert filled(browser.get("/reset")) == {"email": address}
    for path in ("/signin/code", "/register/link"):
        assert filled(browser.get(path)) == {"code": code}
    assert filled(browser.get("/reset/link")) == {"code": code, "password": new}
    register(browser, email)
    found = mail.wait(email)
    page = other.get(f"/register/link?t={token_in(found)}")
    assert filled(page) == {"code": code, "password": new}
    page = other.submit(page, {"code": code_in(found), "password": "short"})
    assert filled(page) == {"email": known, "password": new} and "email" not in page.form().fields
    assert other.submit(page, {"password": PASSWORD}).status == 303
    assert filled(other.get("/settings/password")) == {"email": known, "password": new}
    assert filled(other.get("/settings/email")) == {"email": ("email", "")}
    stale(db, email)
    assert filled(other.get("/signin/confirm")) == {"email": known, "password": old}
    page = other.get("/signin/confirm?sent=yes")
    assert filled(page) == {"email": known, "password": old, "code": code}
    form = next(f for f in page.forms if "password" in f.fields)
    page = other.post("/signin/confirm", {**form.fields, "password": "wrong"})
    assert page.status == 422 and filled(page) == {"email": known, "password": old, "code": code}, "it still is typed"
    ask_reset(browser, email)
    page = browser.get(f"/reset/link?t={token_in(mail.wait(email, 2))}")
    assert filled(page) == {"email": known, "password": new} and "email" not in page.form().fields


def test_c50_a_signed_in_user_is_not_asked_to_register(browser, ann):
    enter(browser, ann)
    assert browser.get("/register").location == "/workspace"


def test_f36_a_session_that_the_browser_had_ends_with_the_sign_in(browser, db, ann):
    enter(browser, ann)
    first = browser.cookie(SID)
    browser.submit(browser.get("/workspace"), action="/signout")
    enter(browser, ann)
    assert browser.cookie(SID) != first


def test_f62_wrong_passwords_must_wait_and_a_link_always_works(other, limit, db, ann, fresh):
    limit("password_tries", 2)
    for email in (ann, fresh()):
        assert [enter(other, email, "wrong").status for _ in range(2)] == [422, 422]
        db.execute("update auth.tries set until = until + interval '1 min' where until > last_at")
        assert enter(other, email, "wrong").status == 429
    page = enter(other, ann)
    assert page.status == 429 and int(page.header("Retry-After")) >= 1
    assert ask_for_link(other, ann).location == "/signin/code"


def test_d25_a_network_that_tries_too_many_is_told(browser, limit, ann):
    limit("password_near", 2)
    assert [enter(browser, ann, "wrong").status for _ in range(3)] == [422, 422, 429]


def anonymous_mb(pid):
    """What a process has for itself, in MB; 0 for one that has ended."""
    try:
        return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024
    except (OSError, TypeError):
        return 0


def watch_memory(stack, over):
    """The most that all processes of signin had at a time, in MB, and how many they were."""
    most = seen = 0
    while not over.wait(0.02):
        pids = processes(stack, "signin")
        most, seen = max(most, sum(map(anonymous_mb, pids))), max(seen, len(pids))
    return most, seen


def test_f48_f223_two_hundred_at_once_are_served_in_turn_or_asked_to_come_back(stack, ann):
    """Each is answered, and no more passwords are stretched at a time than there are cores, 19 MiB each: also behind
    Apache, where each of them has a process."""
    form = (browser := Browser(stack["url"])).get("/signin")
    over = threading.Event()

    def attempt(_):
        page = browser.submit(form, {"email": ann, "password": "wrong"})
        return page.status, page.header("Retry-After")
    with ThreadPoolExecutor(201) as pool:
        watched = pool.submit(watch_memory, stack, over)
        try:
            answers = list(pool.map(attempt, range(200)))
        finally:
            over.set()
    most, seen = watched.result()
    assert {status for status, _ in answers} <= {422, 429, 503}
    assert sum(status == 422 for status, _ in answers) >= 30
    assert all(again for status, again in answers if status in (429, 503))
    assert stack["server"] == "nginx" or seen > os.cpu_count()
    assert most < 19.5 * os.cpu_count() + 6 * seen + 10, f"{most:.0f} MB in {seen} processes"


def test_f49_a_stored_password_with_absurd_parameters_signs_nobody_in(browser, mail, db, fresh):
    email = fresh()
    register(browser, email)
    press_link(browser, token_in(mail.wait(email)), "/register/link")
    browser.cookies.clear()
    for cost in ("{4194304,2,1}", "{19456,1000000,1}", "{0,0,0}", "{-1,2,1}"):
        db.execute("update auth.passwords p set cost = %s from auth.users u where u.id = p.user_id "
                   "and u.email_canonical = %s", cost, email)
        begun = time.monotonic()
        assert enter(browser, email).status == 500
        assert time.monotonic() - begun < 5 and browser.cookie(SID) is None
    db.execute("update auth.passwords p set cost = %s from auth.users u where u.id = p.user_id "
               "and u.email_canonical = %s", "{19456,2,1}", email)
    assert enter(browser, email).status == 303


def test_c46_a_password_that_costs_less_than_new_ones_is_stretched_anew(browser, mail, db, fresh):
    email = fresh()
    register(browser, email)
    press_link(browser, token_in(mail.wait(email)), "/register/link")
    browser.cookies.clear()
    key, salt = ctypes.create_string_buffer(32), b"s" * 32
    size = ctypes.c_size_t
    assert ctypes.CDLL("libargon2.so.1").argon2id_hash_raw(1, 8192, 1, PASSWORD.encode(), size(len(PASSWORD)), salt,
                                                           size(len(salt)), key, size(len(key))) == 0
    db.execute("update auth.passwords p set cost = '{8192,1,1}', salt = %s, stored_key = sha256(%s) from auth.users u "
               "where u.id = p.user_id and u.email_canonical = %s", salt, key.raw, email)
    for _ in range(2):
        assert enter(browser, email).status == 303
        browser.cookies.clear()
        assert db.value("select cost from auth.passwords p join auth.users u on u.id = p.user_id "
                        "where u.email_canonical = %s", email) == [19456, 2, 1]


def test_f50_a_wrong_password_takes_as_long_for_a_known_address(browser, ann):
    form = browser.get("/signin")
    times = {"known": [], "unknown": []}
    for n in range(40):
        for kind, address in (("known", ann), ("unknown", new_address("stranger")))[::1 if n % 2 else -1]:
            begun = time.perf_counter()
            assert browser.submit(form, {"email": address, "password": "wrong"}).status == 422
            times[kind].append(time.perf_counter() - begun)
    known, unknown = times["known"], times["unknown"]
    quarters = statistics.quantiles(known + unknown, n=4)
    error = 1.25 * (quarters[2] - quarters[0]) / 1.35 / len(known) ** 0.5 * 2 ** 0.5
    assert abs(statistics.median(known) - statistics.median(unknown)) < max(5 * error, 0.002)
