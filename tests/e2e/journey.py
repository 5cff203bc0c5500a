"""journey: steps of a user in one call each, so that a test can start where its subject starts."""
import re
import secrets
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import requests

LINK = re.compile(r"https?://\S+/(?:signin|register|reset)/link\?t=([A-Za-z0-9_-]{43})(?=\s|$)")
CODE = re.compile(r"(?<![\w-])([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})(?![\w-])")     # and no part of an id
STACK = Path(__file__).parent.parent / "stack"


def new_address(what="user"):
    return f"{what}-{secrets.token_hex(6)}@example.com"


def wait_until(check, seconds=40, every=0.03):
    """The first true value of check(); fails when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"nothing after {seconds} s: {check}"
        time.sleep(every)
    return found


class Database:
    """A superuser's connection, outside row-level security: to inspect rows and to move times."""

    def __init__(self, url):
        self.connection = psycopg.connect(url, autocommit=True)

    def rows(self, sql, *values):
        cursor = self.connection.execute(sql, values)
        return cursor.fetchall() if cursor.description else None

    def row(self, sql, *values):
        found = self.rows(sql, *values)
        assert len(found) <= 1, f"{len(found)} rows"
        return found[0] if found else None

    def value(self, sql, *values):
        found = self.row(sql, *values)
        return found[0] if found else None

    execute = rows

    def drafts_of(self, email):
        """[(tenant, attempt, session)] of an address."""
        return self.rows("select tenant_id, attempt, session_id from billing.checkouts where email_canonical = %s "
                         "order by created_at", email.lower())

    def tenant_of(self, email):
        return self.value("select tenant_id from billing.checkouts where email_canonical = %s", email.lower())

    def status_of(self, email):
        return self.value("select t.status from app.tenants t join billing.checkouts c on c.tenant_id = t.id "
                          "where c.email_canonical = %s", email.lower())


class Simulator:
    """The control API of tests/stripe."""

    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, /, **query):
        # A month of some hundred customers takes the simulator a while.
        answer = requests.request(method, f"{self.url}/_sim/{path}", json=body, params=query, timeout=180)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path="", /, **query):
        return self.call("GET", path, None, **query)

    def post(self, path, /, **body):
        return self.call("POST", path, body)

    def delete(self, path):
        return self.call("DELETE", path)

    def requests(self, method="*", path="*"):
        """The log of API calls."""
        return self.get("requests", method=method, path=path)

    def posts(self):
        """The calls that a page may have caused: those of jobs, in the background, have keys that begin with a kind."""
        kinds = ("preview-", "expiry-", "erasure-", "meter:")
        return [r for r in self.requests("POST") if not r["headers"].get("idempotency-key", "").startswith(kinds)]

    def changes(self):
        """How many calls created or changed something for a page."""
        return len(self.posts())

    def sessions_of(self, email):
        """Requests that ask for a Checkout Session for that address."""
        return [r for r in self.requests("POST", "/v1/checkout/sessions")
                if r["params"] and r["params"].get("customer_email", "").lower() == email.lower()]

    def pay(self, session, card="good"):
        return self.post(f"checkout/{session}/pay", card=card)

    def fault(self, **fault):
        return self.post("faults", **fault)

    def quiet(self, timeout=40):
        assert self.get("quiet", timeout=timeout)["quiet"]

    def object(self, kind, ident):
        return self.get(f"state/{kind}/{ident}")


def catch_up(sim, db, seconds=40):
    """Waits until Stripe has told all that has happened, and jobs has fetched it, also what is still settling."""
    sim.quiet(seconds)
    wait_until(lambda: db.value("select count(*) from sync.objects where version > clean_version and dead_at is null "
                                "and next_at <= now() + interval '2 s'") == 0, seconds)


def time_passes(sim, db, seconds):
    """Moves Stripe's clock, and waits until jobs has fetched what that did to every customer of this stack. With some
    hundred of them that takes a while, and what the next test does would wait behind it."""
    sim.post("clock", advance=seconds)
    catch_up(sim, db, 300)


def days_pass(sim, db, days):
    time_passes(sim, db, days * 86400)


def renewal_passes(sim, db, subscription):
    """To a day after the next renewal, however long the month is: a payment that failed then is tried again two days
    later."""
    item = sim.object("subscription", subscription)["items"]["data"][0]
    time_passes(sim, db, item["current_period_end"] - sim.get("clock")["now"] + 86400)


class Mail:
    """What the catcher caught."""

    def __init__(self, url):
        self.url = url

    def to(self, address):
        answer = requests.get(self.url + "/mails", params={"to": address}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def wait(self, address, number=1, seconds=40):
        """The number-th mail to that address, once it is there."""
        return wait_until(lambda: self.to(address)[number - 1:number], seconds)[0]

    def next(self, address, seen, having):
        """The first with that in its subject or text after the first seen mails, whatever else comes: a user with
        several browsers is told of each of them at some time."""
        return wait_until(lambda: [m for m in self.to(address)[seen:]
                                   if re.search(having, m["subject"]) or re.search(having, m["text"])])[0]

    def answer(self, **fault):
        requests.post(self.url + "/answer", json=fault, timeout=30).raise_for_status()


def token_in(mail):
    return LINK.search(mail["text"])[1]


def code_in(mail):
    return CODE.search(mail["text"])[1]


def stack_command(*arguments):
    """What a command of tests/stack prints."""
    done = subprocess.run([str(STACK), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def session_in(page):
    """The Checkout Session's id in a redirect to its page."""
    assert page.status == 303 and "/c/pay/cs_" in page.location, page
    return urlsplit(page.location).path.rpartition("/")[2]


def sign_up(browser, email, plan="starter", at="/signup"):
    """The answer to the form: a redirect to Stripe."""
    return browser.submit(browser.get(at), {"email": email, "plan": plan})


def become_customer(browser, sim, db, email, plan="starter", card="good"):
    """Signed up, paid, promoted and told so by mail; not signed in. Returns the session's id."""
    session = session_in(sign_up(browser, email, plan))
    assert sim.pay(session, card)["paid"]
    wait_until(lambda: db.value("select state from mail.outbox where key = %s",
                                f"welcome:{db.tenant_of(email)}") == "sent")
    return session


def ask_for_link(browser, email, next=None):
    """The answer to the form on /signin."""
    page = browser.get("/signin" + (f"?next={next}" if next else ""))
    return browser.submit(page, {"email": email})


def press_link(browser, token, at="/signin/link"):
    """Opens the link and presses its button: the answer."""
    return browser.submit(browser.get(f"{at}?t={token}"))


def next_link(mail, email, seen):
    """The token of the first mail with a link that comes after the first seen ones."""
    return token_in(mail.next(email, seen, LINK))


def sign_in(browser, mail, email):
    """Signs in a user who exists, by a link."""
    seen = len(mail.to(email))
    assert ask_for_link(browser, email).status == 303
    answer = press_link(browser, next_link(mail, email, seen))
    assert answer.status == 303 and browser.cookie("__Host-sid"), answer
    return answer


def query_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}
