"""Second factors: adding one, signing in with it or a recovery code, and what happens without the key of the seeds."""
import re
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from client import read_cookie, shown
from faults import settings
from journey import ask_for_link, become_customer, next_link, press_link, sign_in, wait_until
from test_browser import driver, person  # noqa: F401 (fixtures)

SID, SECOND = "__Host-sid", "__Host-second"
PLACE = "/settings/two-factor"


def oathtool(secret, steps=0):
    """What a device shows, so many steps of thirty seconds from now."""
    return subprocess.run(["oathtool", "--totp", "--base32", "--now", f"now {steps * 30:+} seconds", secret],
                          capture_output=True, text=True, check=True).stdout.strip()


def begin(browser, at=PLACE):
    """The key that the page offers."""
    page = browser.follow(browser.submit(browser.get(at), {}))
    return page, page.html.one("code").text.replace(" ", "")


def codes_of(page):
    return [e.text for e in page.html.one("ul", **{"class": "codes"}).all("code")]


def add_factor(browser):
    """(secret, recovery codes) of a factor that is added on the page."""
    page, secret = begin(browser)
    done = browser.submit(page, {"code": oathtool(secret)})
    assert done.status == 200, done
    shown.update([secret, *codes_of(done)])
    return secret, codes_of(done)


def half(browser, mail, email):
    """The answer to a first proof."""
    seen = len(mail.to(email))
    assert ask_for_link(browser, email, "/settings/billing").status == 303
    return press_link(browser, next_link(mail, email, seen))


def show(browser, code):
    return browser.submit(browser.get("/signin/second"), {"code": code})


@pytest.fixture
def guarded(customer, new_browser, mail, db):
    """(a browser with the first proof, address, secret, codes), of a factor whose codes may be used again."""
    browser, email = customer
    secret, codes = add_factor(browser)
    db.execute("update auth.factors f set last_step = 0 from auth.users u where u.id = f.user_id and u.email = %s",
               email)
    one = new_browser()
    assert half(one, mail, email).location == "/signin/second"
    return one, email, secret, codes


def seed_key(stack):
    return (Path(stack["config"]).parent / "seed.key").read_text().strip()


def subject_of(mail, email, subject):
    return wait_until(lambda: [m for m in mail.to(email) if m["subject"] == subject])[0]


def test_f200_f54_a_factor_is_added_and_asked_for(customer, new_browser, mail, db):
    browser, email = customer
    assert "Add a second factor" in browser.get(PLACE).text
    page, secret = begin(browser)
    assert len(secret) == 32
    wrong = browser.submit(page, {"code": "000000"})
    assert wrong.status == 422 and wrong.html.one("p", id="code-error") and secret in wrong.text.replace(" ", "")
    enrolled = oathtool(secret)
    done = browser.submit(page, {"code": enrolled[:3] + " " + enrolled[3:]})
    assert done.status == 200 and len(set(codes_of(done))) == 10
    assert "A second factor was added" in subject_of(mail, email, "A second factor was added")["html"]
    assert browser.submit(page, {"code": oathtool(secret, 1)}).location == PLACE    # that page is out of date
    assert "Unused codes left: 10." in browser.get(PLACE).text

    other = new_browser()
    answer = half(other, mail, email)
    assert (answer.status, answer.location, other.cookie(SID)) == (303, "/signin/second", None)
    cookie, = [read_cookie(line) for line in answer.header_all("Set-Cookie") if line.startswith(SECOND)]
    assert cookie[2] == {"path": "/", "secure": "", "httponly": "", "samesite": "Lax", "max-age": "600"}
    other.set_cookie(SID, other.cookie(SECOND))
    for path in ("/workspace", "/settings/billing", PLACE, "/signout"):
        assert other.get(path).location.startswith("/signin?next="), path
    assert other.get("/api/billing/plan").status == 401
    assert show(other, enrolled).status == 422      # it has added the factor
    assert show(other, oathtool(secret, 1)).location == "/settings/billing"
    assert other.cookie(SECOND) is None and other.get("/workspace").status == 200
    assert db.value("select amr from auth.sessions s join auth.users u on u.id = s.user_id where u.email = %s "
                    "order by s.created_at desc limit 1", email) == ["link", "totp"]


def test_f201_five_wrong_codes_end_the_sign_in(guarded):
    browser, _, secret, _ = guarded
    assert browser.get("/signin/second").status == 200
    assert [show(browser, "12345").status for _ in range(4)] == [422] * 4
    form = browser.get("/signin/second")
    assert show(browser, "").status == 422
    over = browser.submit(form, {"code": "12345"})
    assert over.status == 410 and browser.cookie(SECOND) is None and "Please sign in again" in over.text
    assert browser.submit(form, {"code": oathtool(secret)}).status == 410
    assert browser.get("/signin/second").location == "/signin"


@pytest.mark.only("nginx")
def test_f203_who_has_lost_device_and_codes_is_told_whom_to_ask(stack, guarded):
    browser = guarded[0]
    assert [a.get("href") for a in browser.get("/signin/second").html.one("main").all("a")] == ["/signin"]
    with settings(stack, "signin", site_help='"help@example.com"'):
        links = browser.get("/signin/second").html.one("main").all("a")
        assert [a.get("href") for a in links] == ["mailto:help@example.com", "/signin"]


def test_f201_wrong_codes_of_a_user_are_counted(guarded, limit):
    browser, _, secret, codes = guarded
    waits = limit("second_totp", 1)
    assert show(browser, "000000").status == 422
    refused = show(browser, oathtool(secret))
    assert refused.status == 429 and waits(refused) and "recovery code" in refused.text
    assert show(browser, codes[0]).status == 303


def assert_refused(browser, secret, codes):
    for code in (oathtool(secret), codes[0]):
        answer = show(browser, code)
        assert answer.status == 503 and browser.cookie(SID) is None
    assert browser.get("/workspace").status == 303


@pytest.mark.only("nginx")
def test_f202_a_site_without_a_key_says_that_it_offers_no_factor(stack, customer):
    browser, _ = customer
    with settings(stack, "signin", auth_seed_key_file='""'):
        for at, says in ((PLACE, "does not offer a second factor"), ("/de" + PLACE, "bietet keinen zweiten Faktor an")):
            page = browser.get(at)
            assert page.status == 200 and says in page.html.one("main").text and not page.html.one("main").all("form")


@pytest.mark.only("nginx")
def test_f202_without_the_key_nobody_is_let_in(stack, guarded, db):
    browser, email, secret, codes = guarded
    with settings(stack, "signin", auth_seed_key_file='""'):
        assert_refused(browser, secret, codes)
    mine = "from auth.users u where u.id = f.user_id and u.email = %s"
    kept = db.value("select seed from auth.factors f join auth.users u on u.id = f.user_id where u.email = %s", email)
    db.execute(f"update auth.factors f set seed = auth.seal_seed('another seed', repeat('f', 64)) {mine}", email)
    assert_refused(browser, secret, codes)
    db.execute(f"update auth.factors f set seed = %s {mine}", kept, email)
    assert show(browser, oathtool(secret)).status == 303


def test_f203_recovery_codes(stack, guarded, customer, new_browser, mail, db):
    browser, email, secret, codes = guarded
    owner = customer[0]
    assert show(browser, codes[0].lower().replace("-", " ")).status == 303
    again = new_browser()
    half(again, mail, email)
    assert show(again, codes[0]).status == 422
    assert "Unused codes left: 9." in owner.get(PLACE).text
    db.execute("delete from auth.recovery_codes c using auth.users u where u.id = c.user_id and u.email = %s "
               "and c.used_at is null and c.hash <> auth.recovery_hash(u.id, %s, %s)", email, codes[1], seed_key(stack))
    assert show(again, codes[1]).status == 303
    assert PLACE in subject_of(mail, email, "Your last recovery code was used")["text"]


def test_f203_a_new_set_ends_the_old_and_removing_ends_all(guarded, customer, new_browser, mail, db):
    browser, email, secret, codes = guarded
    owner = customer[0]
    page = owner.get("/de" + PLACE)
    newer = owner.post("/de" + PLACE, {**page.forms[1].fields, "action": "renew"}, came_from=page)
    assert newer.status == 200 and not set(codes) & set(codes_of(newer))
    assert show(browser, codes[1]).status == 422
    assert show(browser, codes_of(newer)[1]).status == 303
    subject_of(mail, email, "New recovery codes were made")
    db.execute("update app.profiles p set language = 'de' from auth.users u where u.id = p.user_id and u.email = %s",
               email)
    removed = owner.post("/de" + PLACE, {"csrf": page.forms[1].fields["csrf"], "action": "remove"}, came_from=page)
    assert "ist entfernt" in owner.follow(removed).text
    assert "kein Code" in subject_of(mail, email, "Ihr zweiter Faktor wurde entfernt")["text"]
    assert half(new_browser(), mail, email).location == "/settings/billing"


def test_f200_the_code_on_the_page_is_read_by_a_camera(person, customer, tmp_path):  # noqa: F811
    """Chromium draws it and zbar reads it, by day and by night, on a phone and on a desk."""
    browser, email = customer
    begin(browser)
    person.open("/signin")
    person.driver.add_cookie({"name": SID, "value": browser.cookie(SID), "path": "/", "secure": True})
    for width, scheme in ((360, "light"), (1280, "dark")):
        person.size(width, 900)
        person.colours(scheme)
        person.open(PLACE)
        shot = tmp_path / "shot.png"
        person.find("svg.qr").screenshot(str(shot))
        read = subprocess.run(["zbarimg", "--quiet", "--raw", shot], capture_output=True, text=True, check=True).stdout
        parts, secret = urlsplit(read.strip()), person.text("code.secret").replace(" ", "")
        assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", f"/Tollgate:{email}")
        assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["Tollgate"]}
        assert person.find('a[href^="otpauth:"]').get_attribute("href").strip() == read.strip()
    person.find("#code").send_keys(oathtool(secret))
    person.press("form.card button")
    assert len(person.all(".codes li")) == 10
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", person.text(".codes li"))


def test_c63_a_tenant_demands_a_factor_of_its_members(customer, new_browser, sim, db, mail, fresh):
    owner, email = customer
    page = owner.get("/settings/security")
    assert not page.html.all("main")[0].all("form") and "add one for yourself first" in page.text
    add_factor(owner)
    member, address = new_browser(), fresh("member")
    become_customer(member, sim, db, address)
    db.execute("insert into app.members (tenant_id, user_id, role) select %s, id, 'admin' from auth.users "
               "where email = %s", db.tenant_of(email), address)
    sign_in(member, mail, address)
    closed = db.value("select name from app.tenants where id = %s", db.tenant_of(email))
    assert closed in member.get("/workspace").text and "demands a second" not in member.get("/workspace").text
    page = owner.get("/settings/security")
    assert "Members without one now: 1." in page.text
    assert "members without a second factor are kept out" in owner.follow(owner.submit(page)).text
    for neither in ("", "maybe", "No"):
        assert owner.submit(page, {"on": neither}).status == 422
    assert db.value("select demands_factor from app.tenants where id = %s", db.tenant_of(email))

    for path in ("/workspace", f"/workspace?tenant={db.tenant_of(email)}"):
        page = member.get(path)
        assert page.status == 200 and closed in page.text and "demands a second factor" in page.text
    assert member.get(f"/settings/billing?tenant={db.tenant_of(email)}").location == "/workspace"
    assert closed not in member.get("/settings/billing").text
    refused = member.post("/settings/security", {**member.get("/signout").form().fields, "on": "no",
                                                 "tenant": str(db.tenant_of(email))})
    assert refused.status == 403
    add_factor(member)
    assert "demands a second" not in member.get("/workspace").text
    assert member.get(f"/settings/billing?tenant={db.tenant_of(email)}").status == 200


def test_f36_f54_who_has_a_factor_proves_it_again_by_a_code(guarded, db):
    browser, email, secret, _ = guarded
    wait_until(lambda: time.time() % 30 < 25)      # or the code is two steps old when it comes
    assert show(browser, oathtool(secret, -1)).status == 303
    was = browser.cookie(SID)
    assert browser.get(PLACE).status == 200
    db.execute("update auth.sessions s set auth_at = now() - interval '1 hour' from auth.users u "
               "where u.id = s.user_id and u.email = %s", email)
    page = browser.follow(browser.get(PLACE))
    assert "authenticator app" in page.text and email not in page.html.one("main").text
    assert browser.submit(page, {"code": ""}).status == 422
    wrong = browser.submit(page, {"code": "000000"})
    assert wrong.status == 422 and "Wait for the next one" in wrong.html.one("p", id="code-error").text
    assert browser.submit(page, {"code": oathtool(secret)}).location == PLACE
    assert browser.cookie(SID) != was and browser.get(PLACE).status == 200
