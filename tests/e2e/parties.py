"""parties: what tests of accounts elsewhere have in common: the stand-in of all parties, and the way there and back."""
import json
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from journey import new_address, stack_command

SID = "__Host-sid"
PLACE = "/settings/connections"


class Parties:
    """The control API of tests/identity/provider."""

    def __init__(self, url):
        self.url = url

    def tell(self, name=None, user=None, **lie):
        told = {} if name is None else {name: {**({"user": user} if user else {}), "lie": lie}}
        requests.post(self.url + "/_tell", json=told, timeout=10).raise_for_status()

    def seen(self, path=""):
        return [s for s in requests.get(self.url + "/_seen", timeout=10).json() if s["path"].endswith(path)]


@pytest.fixture
def parties(stack, db):
    db.execute("delete from auth.flows")
    told = Parties(stack["identity_url"])
    told.tell()
    told.seen()
    yield told
    told.tell()


def renew(stack):
    """Programs that have asked nobody yet."""
    stack_command("restart", "--dir", stack["dir"], "authn" if stack["server"] == "nginx" else "apache")


@pytest.fixture(scope="module")
def published(stack):
    """All keys are there before anybody asks for them."""
    parties = Parties(stack["identity_url"])
    for alg in ("RS256", "PS256", "ES256", "EdDSA"):
        parties.tell("work", alg=alg)
    renew(stack)


def log_of(stack):
    return Path(stack["log_dir"]) / ("authn.log" if stack["server"] == "nginx" else "error.log")


@pytest.fixture
def reason(stack):
    """A function that answers why a party was refused, as the log has it, since the last call."""
    at = log_of(stack).stat().st_size

    def latest():
        nonlocal at
        text = log_of(stack).read_bytes()[at:].decode(errors="replace")
        at += len(text.encode())
        found = [line[line.index('{"'):] for line in text.splitlines() if "provider_refused" in line]
        return json.loads(found[-1])["reason"] if found else None
    return latest


def someone(**more):
    email = new_address("elsewhere")
    return {"sub": email.split("@")[0], "email": email, "email_verified": True, "name": "Grace Hopper",
            "picture": "https://pictures.example.org/grace", **more}


def press_button(browser, name="work", prefix="", next=None, **fields):
    page = browser.get(prefix + "/signin" + (f"?next={next}" if next else ""))
    form, = [f for f in page.forms if any(b.get("formaction", "").endswith("/with/" + name) for b in f.buttons)]
    button, = [b for b in form.buttons if b.get("formaction").endswith("/with/" + name)]
    return browser.post(urljoin(page.url, button.get("formaction")), {**form.fields, **fields}, came_from=page)


def way_back(answer):
    """Where the party sends the browser."""
    assert answer.status == 303, answer
    there = requests.get(answer.location, allow_redirects=False, timeout=10)
    assert there.status_code == 302, there.text
    return there.headers["Location"]


def come_back(browser, answer):
    return browser.get(way_back(answer), came_from=answer.location)


def enter(browser, name="work", **more):
    return come_back(browser, press_button(browser, name, **more))


def connect(browser, name):
    page = browser.get(PLACE)
    form, = [f for f in page.forms if f.fields.get("provider") == name]
    return browser.post(PLACE, form.fields, came_from=page)


def is_in(browser):
    return browser.get("/workspace").status == 200


def assert_refused(page, browser, status=400):
    """The one neutral page, and no session."""
    assert page.status == status and "did not work" in page.html.one("h1").text, page
    assert browser.cookie(SID) is None


@pytest.fixture
def user(parties, browser):
    """(browser, claims) of somebody who has signed in with the party "work"."""
    claims = someone()
    parties.tell("work", user=claims)
    assert enter(browser).location == "/workspace"
    return browser, claims
