"""Keys of a tenant's programs, on their page."""
import re

from journey import sign_in
from test_people import join, owner  # noqa: F401: the fixture

KEYS = "/settings/keys"


def made(browser, name, scope="write", prefix=""):
    """The page after a key was made, and the key."""
    page = browser.get(prefix + KEYS)
    form = next(f for f in page.forms if "scope" in f.fields)
    page = browser.post(form.action, {**form.fields, "name": name, "scope": scope})
    found = re.search(r"<code[^>]*>(tg_[A-Za-z0-9_-]{43})</code>", page.text)
    return page, found and found[1]


def test_s30_a_key_is_shown_once_and_revoked(owner, db):  # noqa: F811
    browser, email, tenant = owner
    assert KEYS in browser.get("/settings/team").text
    for prefix in ("", "/de"):
        page, key = made(browser, f"Server{prefix}", prefix=prefix)
        assert page.status == 200 and key and page.header("Cache-Control") == "no-store"
        again = browser.get(prefix + KEYS)
        assert key not in again.text and key[-4:] in again.text
    assert not db.value("select exists (select from app.keys k where k::text like '%%' || %s || '%%')", key[3:])
    page, key = made(browser, "a://b")
    assert page.status == 422 and key is None and page.html.one(id="name-error").text
    form = next(f for f in again.forms if "key" in f.fields)
    asks = form.element.parent
    assert asks.tag == "details" and asks.get("open") is None, "what a key is revoked by has to be opened first"
    says = [(e.text, e.one("span").text) for e in (asks.one("summary"), form.buttons[0])]
    assert says == [(says + "Server/de", "Server/de") for says in ("Widerrufen", "Diesen Schlüssel widerrufen")]
    assert asks.one("p").text
    assert browser.post(form.action, form.fields).location == "/de" + KEYS
    assert db.value("select count(*) from app.keys where tenant_id = %s and revoked_at is null", tenant) == 1
    assert browser.post(form.action, form.fields).status == 404
    assert browser.post(form.action, {**form.fields, "key": "1"}).status == 404


def test_s30_admins_see_no_keys_and_an_old_sign_in_makes_none(owner, db, new_browser, mail, fresh):  # noqa: F811
    browser, email, tenant = owner
    admin = fresh("admin")
    join(db, tenant, admin, "admin")
    theirs = new_browser()
    sign_in(theirs, mail, admin)
    assert theirs.get(KEYS).status == 403 and KEYS not in theirs.get("/settings/team").text
    page = browser.get(KEYS)
    db.execute("update auth.sessions set auth_at = now() - interval '1 hour' where user_id = auth.find_user(%s)", email)
    assert browser.get(KEYS).location.startswith("/signin/confirm?next=")
    form = next(f for f in page.forms if "scope" in f.fields)
    assert browser.post(form.action, {**form.fields, "name": "Late"}).location.startswith("/signin/confirm")
