"""Cookies that are none, and those that others set."""
import base64
import secrets

import pytest
from client import raw
from journey import sign_up
from test_requests import FLOW, SID, ask  # noqa: F401: the fixture


def test_f03_two_cookie_headers_are_read_as_one(customer, stack):
    """HTTP/2 splits them and nginx passes both. Apache joins those of HTTP/1.1, which no browser sends, by a comma."""
    browser, _ = customer
    pair = f"{SID}={browser.cookie(SID)}"
    lines = ["GET /workspace HTTP/1.1", "Cookie: theme=dark", f"Cookie: {pair}"]
    assert raw(stack["url"], lines).status == (303 if stack["server"] == "apache" else 200)


@pytest.mark.parametrize("value", ["a,{0}", "a, {0}", '"{0}"', ",,,{0},"])
def test_s20_a_sibling_domains_cookie_smuggles_no_session(customer, stack, value):
    """What a sibling domain can set beside a visitor's own cookies: any other name, with a value of its choice."""
    attacker, _ = customer
    smuggled = "pref=" + value.format(f"{SID}={attacker.cookie(SID)}")
    page = raw(stack["url"], ["GET /workspace HTTP/1.1", f"Cookie: {smuggled}"])
    assert page.status == 303 and page.location.startswith("/signin")
    assert raw(stack["url"], ["GET /signup HTTP/1.1", f"Cookie: {smuggled}"]).status == 200


@pytest.mark.parametrize("others", ["pref=" + "," * 70, "; ".join(f"c{i}=1" for i in range(64)),
                                    "; ".join(f"c{i}=1" for i in range(500)), "pref=caf\xe9", 'pref="'])
def test_s20_cookies_of_a_sibling_domain_sign_nobody_out(customer, stack, others):
    pair = f"{SID}={customer[0].cookie(SID)}"
    for line in (f"Cookie: {others}; {pair}", f"Cookie: {pair}; {others}"):
        page = raw(stack["url"], ["GET /workspace HTTP/1.1", line])
        assert page.status == 200 and page.header_all("Set-Cookie") == []


@pytest.mark.parametrize("lines", [["Cookie: {0}; {1}"], ["Cookie: {0}, {1}"], ["Cookie: {0}", "Cookie: {1}"]])
def test_f03_two_session_cookies_are_no_session(customer, stack, lines):
    browser, _ = customer
    pairs = [f"{SID}={browser.cookie(SID)}", f"{SID}={secrets.token_urlsafe(32)}"]
    for order in (pairs, pairs[::-1]):
        page = raw(stack["url"], ["GET /workspace HTTP/1.1", *[line.format(*order) for line in lines]])
        assert page.status == 303 and page.location.startswith("/signin")
        assert any(c.startswith(SID + "=;") and "Max-Age=0" in c for c in page.header_all("Set-Cookie"))

BAD_SESSIONS = ["", "x", "A" * 42, "A" * 44, "A" * 43 + "=", "A" * 42 + "!", "A" * 42 + "B", "A" * 8000, "%41" * 14,
                "A" * 85, "A" * 85 + "B", "A" * 42 + "B" + "A" * 43, "A" * 87, "A" * 86 + "=", "A" * 129,
                "\"" + "A" * 41 + "\"", "A" * 21 + " " + "A" * 21]


@pytest.mark.parametrize("value", BAD_SESSIONS)
def test_f35_a_session_cookie_that_is_none(ask, value):
    page = ask(f"Cookie: {SID}={value}", path="/workspace")
    if len(value) > 7000 and page.status in (400, 431):
        return  # more than the web server takes
    assert page.status == 303 and page.location == "/signin?next=/workspace"
    assert any(c.startswith(SID + "=;") and "Max-Age=0" in c for c in page.header_all("Set-Cookie"))


def test_f35_an_unknown_session_is_cleared(browser):
    browser.set_cookie(SID, base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="))
    assert browser.get("/workspace").status == 303
    assert browser.cookie(SID) is None


def test_f35_a_bad_flow_cookie_is_replaced(browser, fresh):
    for value in BAD_SESSIONS[:7]:
        browser.set_cookie(FLOW, value)
        assert sign_up(browser, fresh()).status == 303
