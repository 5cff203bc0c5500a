"""What every page says of itself: its title and the error in it, a description, where its reader is."""
import pytest
from client import raw

TITLES = {
    "/signup": (200, "Create your account"), "/signin": (200, "Sign in"), "/signin/code": (200, "Check your mail"),
    "/nothing-here": (404, "There is no such page"), "/%ff": (400, "We could not read that request"),
    "/welcome": (404, "We do not know this checkout"), "/signin/link": (404, "This link no longer works"),
    "/signup/continue": (404, "This link no longer works"), "/de/signup": (200, "Konto anlegen"),
    "/de/nothing-here": (404, "Diese Seite gibt es nicht"), "/signin/link?t=%": (400, "We could not read that request"),
    "/de/signin/link": (404, "Dieser Link gilt nicht mehr"),
}


def title_of(page):
    return page.html.one("title").text


@pytest.mark.parametrize("path", TITLES)
def test_c59_a_title_tells_the_page_and_its_error(stack, path):
    status, title = TITLES[path]
    page = raw(stack["url"], [f"GET {path} HTTP/1.1"])
    assert (page.status, title_of(page)) == (status, title + " · Tollgate")
    assert page.html.one("h1").text == title
    assert len(page.html.one("meta", name="description").get("content")) > 30


def test_c59_no_two_errors_have_one_title(browser, ask_method):
    pages = [browser.get("/nothing-here"), browser.post("/signup", b"a" * 20000),
             browser.post("/signin", b"x", Content_Type="a/b"), ask_method("PUT"),
             ask_method("BREW"), browser.get("/signin", Host="evil.example")]
    assert [p.status for p in pages] == [404, 413, 415, 405, 501, 421]
    assert len({title_of(p) for p in pages}) == len(pages)
    assert not any("Error:" in title_of(p) or "went wrong" in title_of(p) for p in pages)


@pytest.fixture
def ask_method(stack):
    return lambda method: raw(stack["url"], [f"{method} /signup HTTP/1.1"], method=method)


@pytest.mark.parametrize("prefix, word, signup, signin", [("", "Error:", "Create your account", "Sign in"),
                                                          ("/de", "Fehler:", "Konto anlegen", "Anmelden")])
def test_c04_the_title_of_a_form_that_comes_back_begins_with_it(browser, prefix, word, signup, signin):
    """It is the first thing that a screen reader says."""
    for path, title in ((prefix + "/signup", signup), (prefix + "/signin", signin)):
        form = browser.get(path)
        assert title_of(form) == title + " · Tollgate"
        assert title_of(browser.submit(form, {"email": "none"})) == f"{word} {title} · Tollgate"
        assert title_of(browser.submit(form, {"csrf": "none"})) == f"{word} {title} · Tollgate"


def test_the_menu_says_which_of_its_pages_is_shown(customer):
    for path, text in (("/workspace", "Workspace"), ("/settings/billing", "Billing")):
        links = customer[0].get(path).html.one("nav").all("a")
        assert [(e.text, e.get("aria-current")) for e in links if e.get("aria-current")] == [(text, "page")]
    assert customer[0].get("/signout").html.one("nav").all("a", **{"aria-current": None}) == []


def test_a_description_is_in_the_pages_language(customer):
    for path, words in (("/workspace", "Sign up, pay and look after"), ("/de/workspace", "registrieren, zahlen")):
        assert words in customer[0].get(path).html.one("meta", name="description").get("content")


def test_every_page_names_the_icon(other, customer):
    for page in (other.get("/signup"), other.get("/de/nothing-here"), customer[0].get("/workspace")):
        link = page.html.one("link", rel="icon")
        icon = other.get(link.get("href"))
        assert (icon.status, icon.header("Content-Type")) == (200, link.get("type")) == (200, "image/svg+xml")
        assert icon.text.startswith("<svg ") and "immutable" in icon.header("Cache-Control")
        assert icon.header("Set-Cookie") is None and icon.header("X-Content-Type-Options") == "nosniff"


def test_the_icon_is_where_browsers_look_for_one(browser):
    icon = browser.get("/favicon.ico")
    assert (icon.status, icon.header("Content-Type")) == (200, "image/svg+xml")
    assert icon.header("Cache-Control") == "no-cache" and icon.body == browser.get("/favicon.svg").body
