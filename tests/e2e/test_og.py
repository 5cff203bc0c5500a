"""The images of pages, behind a web server: tags, the address that a page signs, caches."""
import html
import re
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from faults import settings

PAGES = {
    "/en/signup": ("Create your account", "en_US", "Choose a plan"), "/de/signup": ("Konto anlegen", "de_DE", "Tarif"),
    "/en/signin": ("Sign in", "en_US", "Sign in to Tollgate"), "/de/signin": ("Anmelden", "de_DE", "Melden Sie sich"),
}


def tags(page):
    """{property or name: content}; each is there once."""
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page.body.decode())
    assert len(found) == len(dict(found))
    return {name: html.unescape(content) for name, content in found}


def image(browser, path="/en/signup"):
    """The path and query of the page's image."""
    parts = urlsplit(tags(browser.get(path))["og:image"])
    return "%s?%s" % (parts.path, parts.query)


def drawn(stack):
    """How many requests have reached og."""
    return (Path(stack["log_dir"]) / "og.log").read_text().count('"route":"/api/og","status":200')


def settled(stack):
    """drawn, once og has written the line of every request: it writes it after the answer."""
    known, until = drawn(stack), time.monotonic() + 1
    while time.monotonic() < until:
        time.sleep(0.1)
        if drawn(stack) != known:
            known, until = drawn(stack), time.monotonic() + 1
    return known


@pytest.mark.parametrize("path", PAGES)
def test_c89_a_public_page_tells_of_itself_in_its_language(stack, browser, path):
    title, locale, begins = PAGES[path]
    found = tags(browser.get(path + "?utm_source=x"))
    assert found["og:title"] == found["twitter:title"] == title and found["og:locale"] == locale
    assert found["description"] == found["og:description"] == found["twitter:description"]
    assert found["description"].startswith(begins)
    assert found["og:url"] == stack["url"] + path
    assert found["og:image"] == found["twitter:image"] and found["og:image"].startswith(stack["url"] + "/api/og?")
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert found["og:image:alt"] == found["twitter:image:alt"] == title + " · Tollgate"
    assert found["twitter:card"] == "summary_large_image"
    assert parse_qs(urlsplit(found["og:image"]).query)["heading"] == [title]


def test_c89_a_page_with_a_token_or_a_session_tells_nothing(browser):
    for path in ("/signin/code", "/signin/link?t=x", "/signup/continue?t=x", "/welcome", "/nowhere"):
        assert not [name for name in tags(browser.get(path)) if name.startswith(("og:", "twitter:"))], path


@pytest.mark.parametrize("path", PAGES)
def test_c89_the_address_on_a_page_is_drawn(browser, path):
    answer = browser.get(image(browser, path))
    assert (answer.status, answer.header("Content-Type")) == (200, "image/png")
    assert answer.body.startswith(b"\x89PNG") and answer.header("Set-Cookie") is None


def test_c89_an_address_that_no_page_signed_is_403(browser):
    asked = image(browser)
    for other in (asked.partition("&signature")[0], asked.replace("Create", "Delete"),
                  asked.replace("light", "dark"), "/api/og"):
        assert browser.get(other).status == 403
    assert browser.get("/api/og?mode=sepia").status == 400


def test_c89_conditional_requests_and_head(browser):
    asked = image(browser)
    first = browser.get(asked)
    again = browser.get(asked, If_None_Match=first.header("ETag"))
    assert (again.status, again.body, again.header("ETag")) == (304, b"", first.header("ETag"))
    assert browser.get(asked, If_None_Match='"x"').status == 200
    head = browser.request("HEAD", asked)
    assert (head.status, head.body, head.header("ETag")) == (200, b"", first.header("ETag"))
    assert browser.get(asked).body == first.body


@pytest.mark.only("nginx")
def test_c89_nginx_keeps_what_was_drawn(stack, browser):
    with settings(stack, "og", og_key_file='""'):
        asked = "/api/og?heading=" + uuid.uuid4().hex
        before, head, first = settled(stack), browser.request("HEAD", asked), browser.get(asked)
        # nginx asks og for the whole image on HEAD too, and keeps it or does not.
        asked_of_og = settled(stack)
        assert asked_of_og - before in (1, 2) and first.body.startswith(b"\x89PNG") and head.body == b""
        for answer in (browser.get(asked), browser.get(asked, Cookie="a=b", Accept_Language="de", Accept="text/html")):
            assert (answer.body, answer.header("ETag")) == (first.body, first.header("ETag"))
        assert browser.get(asked, If_None_Match=first.header("ETag")).status == 304
        assert settled(stack) == asked_of_og


@pytest.mark.only("nginx")
def test_c89_nginx_keeps_no_refusal(stack, browser):
    asked = image(browser)
    assert browser.get(asked + "x").status == 403
    with settings(stack, "og", og_key_file='""'):
        assert browser.get(asked + "x").status == 200


@pytest.mark.only("nginx")
def test_c89_without_a_key_any_heading_is_drawn(stack, browser):
    with settings(stack, "og", og_key_file='""'):
        answer = browser.get("/api/og?heading=Anything&type=blog&mode=dark")
        assert answer.status == 200 and answer.body.startswith(b"\x89PNG")
