"""A user's change of the own address, by forms and mails."""
import re
from pathlib import Path

from journey import code_in, sign_in, wait_until
from test_password import ended

LINK = re.compile(r"https?://\S+?(/settings/email/(?:link|undo)\?t=[A-Za-z0-9_-]{43})(?=\s|$)")


def linked(mail, address):
    """(path, code) of the newest mail to that address with such a link."""
    found = wait_until(lambda: [m for m in mail.to(address) if LINK.search(m["text"])])[-1]
    return LINK.search(found["text"])[1], code_in(found)


def test_f55_f212_a_change_is_proven_told_and_undone(stack, customer, new_browser, mail, fresh):
    browser, email = customer
    new = fresh("new")
    page = browser.get("/settings/email")
    assert page.status == 200 and email in page.text
    for wrong in ("", "nobody", email):
        again = browser.submit(page, {"email": wrong}, action="/settings/email")
        assert again.status == 422 and again.html.one(id="email-error").text, wrong
    assert browser.submit(page, {"email": new}, action="/settings/email").location == "/settings/email"
    assert new in browser.get("/de/settings/email").text
    log = Path(stack["log_dir"]) / ("signin.log" if stack["server"] == "nginx" else "error.log")
    line = wait_until(lambda: [x for x in log.read_text().splitlines() if '"proof_asked"' in x])[-1]
    assert '"address"' in line and new not in line
    link, code = linked(mail, new)
    phone = new_browser()
    form = phone.get("/de" + link)
    assert form.status == 200 and form.html.all(id="code")
    assert phone.submit(form, {"code": "WRONG"}).status == 422
    done = phone.submit(form, {"code": code})
    assert done.status == 200 and phone.submit(form, {"code": code}).status == 410
    assert new in browser.get("/workspace").text, "the session goes on"
    link, code = linked(mail, email)
    victim = new_browser()
    form = victim.get(link)
    assert victim.submit(form, {"code": ""}).status == 422
    assert victim.submit(form, {"code": code}).status == 200
    assert ended(stack, "all", "address")
    assert browser.get("/workspace").status == 303
    over = victim.get(link)
    assert over.status == 410 and [a.get("href") for a in over.html.one("main").all("a")] == ["/signin"]
    assert victim.get("/settings/email/undo?t=x").status == 404
    sign_in(browser, mail, email)


def test_f55_too_many_changes_say_when_to_come_back(customer, fresh, limit):
    waits = limit("address_change", 1)
    browser = customer[0]
    page = browser.get("/settings/email")
    assert browser.submit(page, {"email": fresh("one")}, action="/settings/email").status == 303
    full = browser.submit(page, {"email": fresh("two")}, action="/settings/email")
    assert full.status == 429 and waits(full)
    assert "in five hours" in full.html.one(role="alert").text


def test_f55_the_browser_that_asked_needs_no_code(customer, mail, fresh):
    browser, email = customer
    new = fresh("new")
    browser.get("/signin/code")     # gives it the flow cookie
    page = browser.get("/settings/email")
    assert browser.submit(page, {"email": new}, action="/settings/email").status == 303
    form = browser.get(linked(mail, new)[0])
    assert not form.html.all(id="code") and browser.submit(form).status == 200
    assert new in browser.get("/workspace").text
