"""The language that a visitor chose stays; and what Accept-Language means where none was chosen."""
import pytest
from client import exchange
from journey import become_customer, session_in, sign_in, wait_until


def links(page):
    """Where a page's links and forms lead on this site, without the other languages of the page itself."""
    body = page.html.one("body")
    found = [a.get("href") for a in body.all("a") if a.get("hreflang") is None]
    found += [form.get("action") for form in body.all("form")]
    return [link for link in found if link.startswith("/")]


def assert_all_german(page):
    assert page.html.one("html").get("lang") == "de"
    assert len(links(page)) > 0 and [link for link in links(page) if not link.startswith("/de/")] == []


@pytest.mark.parametrize("path", ["signup", "signin", "signin/code", "welcome?session_id=cs_1", "no/such/page",
                                  "signin/link?t=x", "signup/continue?t=x"])
def test_c59_a_visitors_links_keep_the_language_chosen(browser, path):
    assert_all_german(browser.get("/de/" + path))


@pytest.mark.parametrize("path", ["workspace", "settings/billing", "signout", "no/such/page"])
def test_c59_a_users_links_keep_the_language_chosen(customer, path):
    assert_all_german(customer[0].get("/de/" + path))


def test_c59_redirects_the_portal_and_sign_out_keep_the_language_chosen(browser, sim, stack, mail, db, fresh):
    email = fresh()
    assert browser.get("/de/settings/billing").location == "/de/signin?next=/settings/billing"
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s", db.tenant_of(email)))
    for path, leads in (("/de/", "/de/workspace"), ("/de/signup", "/de/workspace"), ("/de/dashboard", "/de/workspace"),
                        ("/de/signin?next=/settings/billing", "/de/settings/billing")):
        assert browser.get(path).location == leads
    page = browser.get("/de/workspace")
    fields = {"csrf": page.html.one("input", name="csrf").get("value"), "tenant": str(db.tenant_of(email))}
    assert browser.post("/de/tenant", {**fields, "next": "/settings/billing"}).location == "/de/settings/billing"
    page = browser.get("/de/settings/billing")
    assert browser.submit(page, action="/de/settings/billing").status == 303
    asked = sim.requests("POST", "/v1/billing_portal/sessions")[-1]["params"]
    assert (asked["return_url"], asked["locale"]) == (stack["url"] + "/de/settings/billing?from=portal", "de")
    assert browser.submit(page, action="/de/signout").location == "/de/signin?signed_out=yes"


def test_c59_buying_again_comes_back_in_the_language_chosen(customer, sim, db, stack):
    browser, email = customer
    ident = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                        db.tenant_of(email)))
    sim.post(f"subscriptions/{ident}/cancel")
    page = wait_until(lambda: (lambda p: p if p.html.all("input", name="plan") else None)(
        browser.get("/de/settings/billing")))
    session = session_in(browser.submit(page, {"plan": "growth"}, action="/de/settings/billing/checkout"))
    asked = [r["params"] for r in sim.requests("POST", "/v1/checkout/sessions")][-1]
    page = stack["url"] + "/de/settings/billing"
    assert session and (asked["success_url"], asked["cancel_url"]) == (page, page + "?from=checkout&plan=growth")


def test_c59_a_language_alone_leads_to_its_front_page(stack, browser):
    answer = exchange("GET", stack["url"] + "/de", {})
    assert (answer.status, answer.location) == (303, "/de/")
    assert browser.get("/xx").status == 404


@pytest.mark.parametrize("header, language", [("en;q=0", "de"), ("en;q=0, *", "de"), ("de;q=0, fr", "en")])
def test_c59_a_language_that_is_excluded_is_not_shown(new_browser, header, language):
    assert new_browser(language=header).get("/signup").html.one("html").get("lang") == language


@pytest.mark.parametrize("path, words", [
    ("signup", "Schon ein Konto?"), ("welcome?session_id=cs_none", "Zurück zur Registrierung")])
def test_c59_german_names_things_by_their_name(browser, path, words):
    assert words in browser.get("/de/" + path).html.one("main").text
