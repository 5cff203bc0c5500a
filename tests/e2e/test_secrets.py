"""F43: no secret that was issued in any other test is in a log, an error page or a URL."""
import base64
import re
from hashlib import sha256
from pathlib import Path

import client
import pytest
import requests
from client import Browser
from faults import DAEMONS, PROGRAMS, processes
from journey import CODE, LINK, ask_for_link, become_customer, new_address, press_link, token_in, wait_until

TOKEN = 43      # base64url characters of 32 bytes
PASSWORD = "zither-oktopus-4711"


@pytest.fixture(scope="module")
def person(stack, sim, db, mail):
    """A user with a session and an unused link in the mail: (browser, token)."""
    browser, email = Browser(stack["url"]), new_address("secret")
    become_customer(browser, sim, db, email)
    press_link(browser, token_in(mail.wait(email)))
    asker = Browser(stack["url"])
    ask_for_link(asker, email)
    return browser, token_in(mail.wait(email, 2))


@pytest.fixture(scope="module")
def mails(mail, person):
    return requests.get(mail.url + "/mails", timeout=60).json()


@pytest.fixture(scope="module")
def logs(stack, person, mails):
    """{file name: its bytes}, after requests that a server may want to complain about."""
    browser, token = person
    sid = browser.cookie("__Host-sid")
    paths = [f"/signin/link?t={token}", f"/signin/link?t={token}&t={token}", f"/de/signin/link?t={token}",
             f"/signup/continue?t={token}", f"/de/signup/continue?t={token}&t={token}",
             f"/welcome?session_id={token}", f"/register/link?t={token}&t={token}", f"/de/reset/link?t={token}"]
    if stack["server"] == "nginx":
        paths.append(f"/%zz?t={token}")     # Apache quotes a path that is malformed; no link of ours has one
    for path in paths:
        browser.get(path, Referer=f"{stack['url']}/signin/link?t={token}", X_Secret=sid)
        browser.request("BREW", path)
    for page in ("/signin/link", "/signup/continue"):
        browser.post(f"{page}?t={token}", b"a" * 2_000_000)
    browser.post("/signin/link", {"t": token, "csrf": "wrong", "code": "0000-0000"})
    for page, fields in (("/signin", {"email": "a@example.com"}), ("/register", {"email": "a@example.com"}),
                         ("/reset/link", {"code": "0000-0000"}), ("/signin", {"email": "wrong"}),
                         ("/signin", {"x": "y"})):
        stranger = Browser(stack["url"])
        stranger.post(page, {**stranger.get(page).form().fields, **fields, "password": PASSWORD})
    Browser(stack["url"]).get("/workspace", Cookie=f"__Host-sid={sid}; __Host-sid={sid}")
    access = Path(stack["log_dir"]) / "access.log"
    wait_until(lambda: b"BREW" in access.read_bytes() and b'"/workspace"' in access.read_bytes())
    found = {f.name: f.read_bytes() for f in Path(stack["log_dir"]).rglob("*") if f.is_file()}
    programs = ["nginx", *PROGRAMS] if stack["server"] == "nginx" else ["error", *DAEMONS]
    assert {name + ".log" for name in ("access", *programs)} <= set(found), "or a search of them finds nothing for ever"
    assert b'"event":"request"' in found["signin.log" if stack["server"] == "nginx" else "error.log"]
    assert b'"event"' in found["jobs.log"]
    return found


def windows(data):
    """All runs of 43 characters that could be a token."""
    found = set()
    for run in re.findall(rb"[A-Za-z0-9_-]{%d,}" % TOKEN, data):
        found.update(run[i:i + TOKEN].decode() for i in range(len(run) - TOKEN + 1))
    return found


def bearer(token):
    """What the database sees of a cookie, and the hash that it keeps: in hexadecimal, the first 43 digits."""
    d = sha256(b"db1" + base64.urlsafe_b64decode(token + "=")).digest()
    return {d.hex()[:TOKEN], sha256(d).hexdigest()[:TOKEN]}


def test_f43_the_search_would_find_something():
    token = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
    assert token in windows(b'{"path":"/signin/link?t=' + token.encode() + b'&x=1"}')
    assert token in windows(b"x" * 50 + token.encode() + b"-y")


def test_f43_there_was_something_to_find(logs, mails):
    assert len(client.issued) > 4 and len(mails) > 1
    assert any(b'"event":"request"' in data for data in logs.values())
    assert any(b"/signin/link" in data for data in logs.values())


def test_f43_no_password_is_in_a_log_or_the_database(logs, db):
    for name, data in logs.items():
        assert PASSWORD.encode() not in data, name
    for table, in db.rows("select c.oid::regclass::text from pg_class c where c.relkind = 'r' "
                          "and c.relnamespace::regnamespace::text in ('auth', 'app', 'mail', 'ops')"):
        assert db.value(f"select count(*) from {table} t where t::text like %s or t::text like %s", f"%{PASSWORD}%",
                        f"%{PASSWORD.encode().hex()}%") == 0, table


def test_f43_no_cookie_and_no_form_token_is_in_a_log(logs):
    tokens = {t for t in client.issued if len(t) == TOKEN}
    assert len(tokens) > 2
    for name, data in logs.items():
        assert not windows(data) & tokens, name


def test_f43_nor_what_the_database_sees_of_a_cookie(logs):
    derived = set().union(*(bearer(t) for t in client.issued if len(t) == TOKEN))
    assert len(derived) > 4
    for name, data in logs.items():
        assert not windows(data) & derived, name


def test_f43_no_link_and_no_code_of_a_mail_is_in_a_log(logs, mails):
    tokens = {m for mail in mails for m in LINK.findall(mail["text"] or "")}
    codes = {m for mail in mails for m in CODE.findall(mail["text"] or "")}
    assert tokens and codes
    for name, data in logs.items():
        assert not windows(data) & tokens, name
        assert not set(CODE.findall(data.decode("utf-8", "replace"))) & codes, name


@pytest.mark.parametrize("what", ["stripe_key", "webhook_secret"])
def test_f43_no_key_of_ours_is_in_a_log(logs, stack, what):
    for name, data in logs.items():
        assert stack[what].encode() not in data, name


def test_f43_no_seed_and_no_recovery_code_is_in_a_log(logs, stack):
    """test_factor.py has them shown. The key is the one that the seeds are stored under."""
    key = (Path(stack["config"]).parent / "seed.key").read_text().strip()
    for name, data in logs.items():
        assert [word for word in {key, *client.shown} if word.encode() in data] == [], name


def test_f43_no_address_in_an_access_log_has_a_query(logs):
    paths = re.findall(rb'"path":"([^"]*)"', logs["access.log"])
    assert b"/signin/link" in paths and [path for path in paths if b"?" in path] == []


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/nothing?t={t}", 404), ("GET", "/signin/link?t={t}&t={t}", 400), ("PUT", "/signin/link?t={t}", 405),
    ("POST", "/nothing?t={t}", 404)])
def test_f43_an_error_page_repeats_nothing(person, method, path, status):
    browser, token = person
    page = browser.request(method, path.format(t=token), came_from=None,
                           Referer=f"{browser.base}/signin/link?t={token}")
    assert page.status == status
    everything = page.text + str(page.headers)
    sid = browser.cookie("__Host-sid")
    assert not any(secret in everything for secret in (token, sid[:43], sid[43:]))


def test_f43_a_page_with_a_token_tells_no_other_site(person):
    browser, token = person
    page = browser.get(f"/signin/link?t={token}")
    assert page.header("Referrer-Policy") == "strict-origin"
    for element in page.html.walk():
        for name in ("href", "src", "action"):
            assert token not in element.get(name, "")
            assert not element.get(name, "").startswith(("http:", "https:", "//"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_f104_a_programs_memory_is_closed_to_its_users_other_processes_and_never_dumped(stack, name):
    """/proc shows what is not dumpable as root's. Apache starts a program at its first request."""
    browser = Browser(stack["url"])
    for path in ("/signin", "/style.css", "/signup", "/settings/billing", "/webhooks/stripe", "/api/og",
                 "/settings/connections", "/admin", "/api/usage", "/chat"):
        browser.get(path)
    found = [Path("/proc", str(pid)) for pid in processes(stack, name)]
    assert found
    for process in found:
        assert (process / "environ").stat().st_uid == 0 != process.stat().st_uid
        assert re.search(r"(?m)^Max core file size +0 +0 ", (process / "limits").read_text())


def test_f43_no_redirect_carries_a_secret(person):
    browser, _ = person
    sid = browser.cookie("__Host-sid")
    for path in ("/", "/signin", "/signup", "/login"):
        location = browser.get(path).location
        assert sid[:43] not in location and sid[43:] not in location


def test_f43_the_database_holds_no_token_once_its_mail_is_sent(db, mails):
    wait_until(lambda: db.value("select count(*) from mail.outbox where state = 'sent'") > 1)
    assert db.value("select count(*) from mail.outbox where state in ('sent', 'dead', 'void') and (data ? 'token' or "
                    "data ? 'code')") == 0
