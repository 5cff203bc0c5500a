"""axe-core on the states of every page: in both languages, on a phone by day and on a desk by night.

npm installs axe-core from the lock file in tests/e2e/axe into build/. The pages themselves run no script: DevTools runs
it beside them.
"""
import json
import sys
from pathlib import Path

import pytest
from journey import code_in, next_link, press_link, session_in, sign_in, sign_up, token_in, wait_until
from selenium.webdriver.common.keys import Keys
from test_address import linked
from test_browser import OPENED, busy, driver, is_gone, person, signed_in  # noqa: F401 (fixtures)
from test_factor import SID, oathtool
from test_operators import operator, person_at  # noqa: F401 (fixture)
from test_people import invited, join
from test_tenants import buy, offer_mail
from test_usage_page import busy_month  # noqa: F401 (fixture)

SOURCE = Path(__file__).resolve().parent / "axe"
sys.path.insert(0, str(SOURCE.parents[1] / "harness"))
import npm  # noqa: E402

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """axe.run(document, {preload: false, runOnly: %s}).then(r => JSON.stringify(
  [r.passes.length, r.violations.map(v => [v.id, v.nodes.map(n => n.html)])]))""" % json.dumps(RULES)
LOOKS = ((360, "light"), (1280, "dark"))
pytestmark = pytest.mark.only("nginx")      # the pages are the same behind Apache
# With scripts off promises are kept, and timers never ring: those that only give way to others ring at once.
TIMERS = """window.setTimeout = (f, ms, ...more) => {
  if (!(ms > 50)) Promise.resolve().then(() => f(...more));
  return 1; };"""
PUBLIC = ["/signup", "/signin", "/signin/code", "/register", "/reset", "/reset/link",
          "/signin/link?t=" + "A" * 43, "/signup/continue?t=x", "/welcome", "/nothing-here",
          "/status", "/signin/with/google", "/signin/connect", "/signin/connect?t=x", "/signin/callback/work?state=x"]
STATUSES = ["past_due", "canceled", "trialing", "paused", "unpaid", "incomplete"]


@pytest.fixture(scope="session")
def axe():
    """The text of the script."""
    built = npm.installed(SOURCE, SOURCE.parents[2] / "build/axe")
    return (built / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture
def look(axe, person):  # noqa: F811
    """Says what axe finds wrong with the page that is shown."""
    def run():
        found = []
        person.outer(TIMERS + axe + "; 0")
        for width, scheme in LOOKS:
            person.size(width, 900)
            person.colours(scheme)
            answer = person.driver.execute_cdp_cmd("Runtime.evaluate", {
                "expression": RUN, "awaitPromise": True, "returnByValue": True})
            passed, violations = json.loads(answer["result"]["value"])
            assert passed > 10
            found += [(width, scheme, *violation) for violation in violations]
        return found
    return run


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_public_pages(person, look, language):  # noqa: F811
    for path in PUBLIC:
        person.open(f"/{language}{path}")
        assert look() == [], path
    for path in ("/signup", "/signin"):
        person.open(f"/{language}{path}")
        person.press("main button")
        assert person.text(".error") and look() == [], path


def return_was(db, session, age):
    """Who has paid came back from Stripe so long ago."""
    db.execute("update billing.checkouts set returned_at = x, opened_at = x, created_at = x"
               " from (select now() - %s::interval) l (x) where session_id = %s", age, session)


def held(person, look):  # noqa: F811
    """What axe finds on a page that refreshes itself, which would be gone before axe ends: the next page's answer is
    held back. That it refreshes itself is what axe finds. The page has nothing to fill in, and stops after an hour."""
    person.driver.execute_cdp_cmd("Fetch.enable", {"patterns": [{"urlPattern": "*/welcome?*"}]})
    try:
        return look()
    finally:
        person.driver.execute_cdp_cmd("Fetch.disable", {})


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_where_a_password_is_chosen(person, look, new_browser, mail, fresh, language):  # noqa: F811
    email, browser, password = fresh(), new_browser(), "correct horse battery staple"
    browser.submit(browser.get("/register"), {"email": email, "password": password})
    token = token_in(mail.wait(email))
    person.open(f"/{language}/register/link?t={token}")
    assert person.all("#code") and person.all("#password") and look() == []
    assert press_link(browser, token, "/register/link").status == 303
    person.open(f"/{language}/reset")
    person.find("#email").send_keys(email)
    person.press("main button")
    assert person.all("#code") and look() == []
    person.open(f"/{language}/reset/link?t={token_in(mail.wait(email, 2))}")
    person.find("#password").send_keys("password")
    person.press("main button")
    assert person.text("#password-error") and look() == []
    assert person.find("#email").get_attribute("value") == email
    person.open(f"/{language}/signin")
    person.find("#email").send_keys(email)
    person.find("#password").send_keys(password)
    person.press("main .primary")
    person.open(f"/{language}/settings/password")
    person.find("#password").send_keys("password")
    person.press("main button")
    assert person.text("#password-error") and look() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_the_way_in(person, look, new_browser, sim, db, mail, fresh, language):  # noqa: F811
    email, browser = fresh(), new_browser()
    session = session_in(sign_up(browser, email))
    sim.post("mode", hold=True)
    try:
        sim.pay(session)
        new_browser().get(f"/welcome?session_id={session}")
        return_was(db, session, "5 min")
        person.open(f"/{language}/welcome?session_id={session}")
        found = held(person, look)
        assert person.all("meta[http-equiv=refresh]") and {rule for _, _, rule, _ in found} <= {"meta-refresh"}
        return_was(db, session, "2 hours")
        person.open(f"/{language}/welcome?session_id={session}")
        assert look() == []
    finally:
        sim.post("mode", reset=True)
    wait_until(lambda: db.status_of(email) == "active")
    person.open(f"/{language}/welcome?session_id={session}")
    assert person.all("#code") and look() == []
    found = mail.wait(email)
    person.open(f"/{language}/signin/link?t={token_in(found)}")
    assert person.all("#code") and look() == []
    person.find("#code").send_keys("0000-0000")
    person.press("main button")
    assert person.text("#code-error") and look() == []
    person.find("#code").send_keys(code_in(found))
    person.press("main button")
    assert person.path() == f"/{language}/workspace" and look() == []
    person.open(f"/{language}/signout")
    assert look() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_billing(busy, look, db, language):  # noqa: F811
    person, email = busy  # noqa: F811
    person.open(f"/{language}/settings/billing")
    assert look() == []
    for status in STATUSES:
        db.execute("update billing.subscriptions set status = %s where tenant_id = %s", status, db.tenant_of(email))
        person.open(f"/{language}/settings/billing")
        assert look() == [], status


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_pages_of_several_tenants(signed_in, look, new_browser, sim, db, mail,  # noqa: F811
                                                       language):
    person, email = signed_in  # noqa: F811
    second, _ = buy(new_browser(), sim, db, email)
    person.open(f"/{language}/workspace")
    assert person.all(".offer") and look() == []
    person.press(".offer button")
    assert person.all(".notice") and look() == []
    person.open(f"/{language}/signin/link?t={token_in(offer_mail(mail, db, second, 2))}")
    assert look() == []
    person.press("main button")
    assert len(person.all(f"form[action='/{language}/tenant']")) == 1 and look() == []
    person.open(f"/{language}/settings/billing")
    wait_until(lambda: person.driver.refresh() or person.all("#manage"))
    assert look() == []
    first_tab = person.driver.current_window_handle
    person.driver.switch_to.new_window("tab")
    person.open(f"/{language}/workspace")
    person.press(f"form[action='/{language}/tenant'] button")
    person.driver.close()
    person.driver.switch_to.window(first_tab)
    person.press("#manage")
    assert len(person.all("main a.button")) == 1 and look() == [], "the form was another tenant's"


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_the_second_factor(signed_in, look, mail, language):  # noqa: F811
    person, email = signed_in  # noqa: F811
    place = f"/{language}/settings/two-factor"
    person.open(place)
    assert look() == []
    person.press("form.card button")
    assert person.all("svg.qr") and look() == []
    secret = person.text("code.secret").replace(" ", "")
    for code in ("000000", oathtool(secret)):
        person.find("#code").send_keys(code)
        person.press("form.card button")
        assert person.all("#code-error, .codes") and look() == []
    others = [f"/{language}/{page}" for page in ("settings/security", "settings/account", "signin/confirm")]
    for path in (place, *others):
        person.open(path)
        assert look() == [], path
    person.open(place)
    person.press("section form button")
    assert person.all(".codes") and look() == []
    person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    seen = len(mail.to(email))
    person.open(f"/{language}/signin")
    person.find("#email").send_keys(email)
    person.press("main button[name=way]")
    person.open(f"/{language}/signin/link?t={next_link(mail, email, seen)}")
    person.press("main button")
    assert person.path() == f"/{language}/signin/second" and look() == []
    for _ in range(5):
        person.find("#code").send_keys("000000")
        person.press("main button")
    assert person.all("main a.button") and look() == [], "five wrong codes end it"


def prove(person, code):  # noqa: F811
    """Presses the button, with the code where the page asks for it."""
    for field in person.all("#code"):
        field.send_keys(code)
    person.press("main form button")


def looked_at(person, look, language, *paths):  # noqa: F811
    for path in paths:
        person.open(f"/{language}{path}")
        person.outer(OPENED)
        assert look() == [], path


def refused(person, look, selector, value=""):  # noqa: F811
    """The form in which that field was wrong."""
    field = person.find(selector)
    field.clear()
    field.send_keys(value, Keys.ENTER)
    wait_until(lambda: is_gone(field))
    assert person.all(".error, [role=alert]") and look() == [], selector


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_pages_of_people(signed_in, look, new_browser, db, mail, fresh, limit,  # noqa: F811
                                              busy_month, language):  # noqa: F811
    person, email = signed_in  # noqa: F811
    new, guest = fresh("new"), fresh("guest")
    busy_month(db.tenant_of(email), join(db, db.tenant_of(email), fresh("mia")))
    sign_in(new_browser(), mail, email)
    looked_at(person, look, language, "/signin/confirm", "/signin/confirm?sent=yes", "/settings/sessions",
              "/settings/audit", "/settings/usage", "/settings/keys")
    person.find("#name").send_keys("Server", Keys.ENTER)
    wait_until(lambda: person.all("main code"))
    assert look() == [], "a key just made"
    looked_at(person, look, language, "/settings/keys", "/settings/connections", "/settings/profile")
    refused(person, look, "#display_name", "x")
    looked_at(person, look, language, "/settings/team")
    refused(person, look, "#email")
    person.find("#email").send_keys(guest, Keys.ENTER)
    token = invited(mail, guest)
    looked_at(person, look, language, "/settings/team", f"/invitation?t={token}")
    limit("invite_tenant", 1)
    person.open(f"/{language}/settings/team")
    for n in range(2):
        person.find("#email").send_keys(fresh(f"more-{n}"))
        person.press("form[action$='/settings/team/invitation'] button")
    assert person.all("[role=alert]") and look() == [], "too many invitations"
    looked_at(person, look, language, "/settings/email")
    refused(person, look, "#email", "x")
    person.find("#email").clear()
    person.find("#email").send_keys(new, Keys.ENTER)
    link, code = linked(mail, new)
    looked_at(person, look, language, "/settings/email", link)
    prove(person, code)
    assert look() == [], "the address is changed"
    looked_at(person, look, language, link)
    link, code = linked(mail, email)
    looked_at(person, look, language, link)
    refused(person, look, "#code", "WRONG")
    prove(person, code)
    assert look() == [], "the change is undone"
    looked_at(person, look, language, f"/invitation?t={token}")
    person.press("main form button")
    assert person.path() == f"/{language}/signin/code"
    looked_at(person, look, language, f"/invitation?t={token}")


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_the_pages_of_nginx(person, look, stack, language):  # noqa: F811
    for status in (413, 429, 503):
        person.driver.get(f"file://{Path(stack['config']).parent}/tollgate-pages/{language}/{status}.html")
        assert person.all("main h1") and look() == [], status


@pytest.mark.only("nginx")
@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_on_pages_of_operators(operator, person, customer, look, db, language):  # noqa: F811
    person.open("/signin")
    person.driver.add_cookie({"name": SID, "value": operator[0].cookie(SID), "path": "/", "secure": True})
    db.execute("select ops.raise_alert(%s, 'paying_twice', %s, '{}')", db.tenant_of(customer[1]), customer[1])
    tenant = f"/admin/tenants/{db.tenant_of(customer[1])}"
    looked_at(person, look, language, "/admin?q=zzz", "/admin", "/admin/tenants", "/admin/alerts", tenant,
              person_at(db, operator[1]))
    looked_at(person, look, language, person_at(db, customer[1]))
    refused(person, look, "#reason")
    person.find("#reason").send_keys("a reason", Keys.ENTER)
    wait_until(lambda: person.all("button[value=lift]"))
    assert look() == []
    db.execute("select ops.end_alert('paying_twice', %s)", customer[1])
