"""The journey in Chromium with JavaScript off, on a phone and on a desk, by day and by night.

Screenshots of every state are kept in build/screens/ for people to look at.
"""
import os
import re
from pathlib import Path

import pytest
from journey import CODE, LINK, become_customer, code_in, new_address, sign_in, token_in, wait_until
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from test_tenants import buy, offer_mail
from test_usage_page import busy_month  # noqa: F401 (fixture)

SCREENS = Path(__file__).resolve().parents[2] / "build/screens"
SIZES = {"phone": (390, 844), "desk": (1280, 900)}
COLOURS = ("light", "dark")
same_page = pytest.mark.only("nginx")       # looks and words come from a page, whichever server sends it


def start_chromium(*more, scripts=False):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
                 "--lang=en", "--force-device-scale-factor=1", *more):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {
        "profile.managed_default_content_settings.javascript": 1 if scripts else 2, "intl.accept_languages": "en"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def start_chromium_anywhere(**more):
    """Its sandbox does not work for root, nor in every container."""
    if os.getuid() == 0:
        return start_chromium("--no-sandbox", **more)
    try:
        return start_chromium(**more)
    except WebDriverException:
        return start_chromium("--no-sandbox", **more)


def is_gone(element):
    """Chromium reports an element of a page that has gone in several ways."""
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False


class Person:
    """A user of Chromium."""

    def __init__(self, driver, stack):
        self.driver, self.url, self.shots = driver, stack["url"], None

    def open(self, address):
        self.driver.get(address if "://" in address else self.url + address)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, selector):
        """Clicks, and waits for the next page."""
        before = self.find("html")
        self.find(selector).click()
        wait_until(lambda: is_gone(before))

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="main"):
        return self.find(selector).text

    def reads(self, selector, text):
        """Whether it is there with that text; no, while one page gives way to the next."""
        try:
            return self.text(selector) == text
        except WebDriverException:
            return False

    def path(self):
        return self.driver.current_url.removeprefix(self.url)

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def colours(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def shoot(self, name):
        """The whole page in both colours."""
        if self.shots is None:
            return
        SCREENS.mkdir(parents=True, exist_ok=True)
        for scheme in COLOURS:
            self.colours(scheme)
            (SCREENS / f"{self.shots}-{name}-{scheme}.png").write_bytes(self.driver.get_screenshot_as_png())
        self.colours("light")

    def outer(self, script):
        """What DevTools computes; the page itself runs no script."""
        return self.driver.execute_cdp_cmd("Runtime.evaluate",
                                           {"expression": script, "returnByValue": True})["result"].get("value")


@pytest.fixture(scope="module")
def driver():
    started = start_chromium_anywhere()
    yield started
    started.quit()


@pytest.fixture
def person(driver, stack):
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    someone = Person(driver, stack)
    someone.size(*SIZES["desk"])
    someone.colours("light")
    return someone


@pytest.fixture
def signed_in(person, new_browser, sim, db, mail, fresh):
    """(person, address): the session was made elsewhere and its cookie brought here."""
    browser, email = new_browser(), fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    person.open("/signup")
    person.driver.add_cookie({"name": "__Host-sid", "value": browser.cookie("__Host-sid"), "path": "/", "secure": True,
                              "httpOnly": True, "sameSite": "Lax"})
    return person, email


def test_javascript_is_off(person):
    person.driver.get("data:text/html,<title>off</title><p>x</p><script>document.title='on'</script>")
    assert person.driver.title == "off"


@pytest.mark.parametrize("size", SIZES)
def test_c03_the_whole_journey_without_javascript(person, db, sim, mail, stack, size):
    """Every click is one that a person makes; the welcome page has to refresh itself."""
    email = new_address(f"chromium-{size}")
    person.size(*SIZES[size])
    person.shots = size
    person.open("/signup")
    person.shoot("01-signup")
    person.find("#email").send_keys("not an address")
    person.press("main button")
    assert "does not look like" in person.text("#email-error")
    assert person.find("#email").get_attribute("value") == "not an address"
    person.shoot("02-signup-wrong")
    person.find("#email").clear()
    person.find("#email").send_keys(email)
    person.find("label[for=plan-starter]").click()
    person.press("main button")

    assert person.driver.current_url.startswith(stack["stripe_url"] + "/c/pay/cs_")
    person.shoot("03-checkout")
    person.press("#pay-declined")
    assert "declined" in person.text("#notice")
    sim.post("mode", hold=True)
    try:
        person.press("#pay-good")
        assert person.path().startswith("/en/welcome?session_id=cs_")
        assert person.text("h1") == "Confirming your payment"
        person.shoot("04-welcome-processing")
        sim.post("mode", hold=False)
        wait_until(lambda: person.reads("h1", "You are all set"), 40, 0.1)
    finally:
        sim.post("mode", reset=True)
    person.shoot("05-welcome-ready")
    assert person.all("#sent-to.whole") and person.outer(BROKEN) == []

    found = mail.wait(email)
    person.open(LINK.search(found["text"])[0])
    assert person.text("h1") == "One click to sign in"
    person.shoot("06-link")
    person.press("main button")
    assert person.path() == "/en/workspace"
    assert email in person.text() and "Starter" in person.text()
    person.shoot("07-workspace")

    person.press("nav a[href='/en/settings/billing']")
    assert person.path() == "/en/settings/billing"
    wait_until(lambda: person.driver.refresh() or person.reads("#status", "Active"))
    person.shoot("08-billing")
    person.press("#manage")
    assert person.driver.current_url.startswith(stack["stripe_url"] + "/p/session/")
    person.shoot("09-portal")
    person.press("#cancel-at-period-end")
    assert "Ends on" in person.text("body")
    portal = person.driver.current_url
    person.press("#return")
    assert person.path() == "/en/settings/billing?from=portal", "still signed in after Stripe's page"
    wait_until(lambda: person.driver.refresh() or person.all("#ends-on"))
    assert "does not renew" in person.text("#ends-on") and not person.all("#renews-on")
    person.shoot("10-billing-ending")
    person.open(portal)
    person.press("#renew")
    person.press("#return")
    wait_until(lambda: person.driver.refresh() or person.all("#renews-on"))
    assert not person.all("#ends-on")

    person.press("nav form button")
    assert person.path() == "/en/signin?signed_out=yes"
    person.shoot("11-signin")
    person.open("/settings/billing")
    assert person.path() == "/signin?next=/settings/billing"
    seen = len(mail.to(email))
    person.find("#email").send_keys(email)
    person.press("main button")
    assert person.path() == "/signin/code"
    person.shoot("12-code")
    person.find("#code").send_keys("0000-0000")
    person.press("main button")
    assert "does not fit" in person.text("#code-error")
    person.shoot("13-code-wrong")
    asked = wait_until(lambda: [m for m in mail.to(email)[seen:] if CODE.search(m["text"])])    # others too
    person.find("#code").send_keys(code_in(asked[0]).lower())
    person.press("main button")
    assert person.path() == "/settings/billing"


def test_c03_a_phone_of_another_persons_needs_the_code(person, new_browser, sim, db, mail, fresh):
    email = fresh()
    become_customer(new_browser(), sim, db, email)
    person.shots = "phone"
    person.size(*SIZES["phone"])
    found = mail.wait(email)
    person.open(f"/signin/link?t={token_in(found)}")
    assert "not the browser that asked" in person.text()
    person.shoot("14-link-elsewhere")
    person.find("#code").send_keys(code_in(found))
    person.press("main button")
    assert person.path() == "/workspace"


def test_c50_back_after_signing_out_shows_nothing(signed_in):
    """F45: the page before is not kept."""
    person, email = signed_in
    person.open("/workspace")
    assert email in person.text()
    person.press("nav form button")
    person.driver.back()
    assert email not in person.driver.page_source
    assert person.path().startswith("/signin")


STATES = ["/signup", "/de/signup", "/signin", "/signin/code", "/register", "/reset", "/reset/link",
          "/signin/link?t=" + "A" * 43, "/welcome", "/nothing-here"]
PRIVATE = ["/workspace", "/settings/billing", "/settings/sessions", "/settings/password",
           "/de/signin/confirm?sent=yes", "/signout",
           "/de/settings/billing", "/de/workspace",
           "/settings/profile", "/settings/security", "/settings/team", "/de/settings/team", "/settings/audit",
           "/de/settings/email", "/de/settings/account", "/de/settings/passkeys",
           "/settings/keys", "/de/settings/usage"]


def no_wider_than(person, width):
    found = person.outer("[document.documentElement.scrollWidth, window.innerWidth]")
    return found[0] <= width and found[1] == width


@same_page
@pytest.mark.parametrize("path", STATES)
def test_no_page_scrolls_sideways_at_320_pixels(person, path):
    person.size(320, 640)
    person.open(path)
    assert no_wider_than(person, 320)


@same_page
@pytest.mark.parametrize("path", PRIVATE)
def test_no_private_page_scrolls_sideways_at_320_pixels(signed_in, db, path):
    person, email = signed_in
    long = "a" * 60 + "@" + "b" * 60 + ".example.com"
    db.execute("update auth.users set email = %s where email_canonical = %s", long, email)
    person.size(320, 640)
    person.open(path)
    assert no_wider_than(person, 320)


# Run on every page: faults for users who see badly or not at all.
FAULTS = r"""(() => {
  const faults = [];
  for (const e of document.querySelectorAll('details')) e.open = true;
  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title) faults.push('no title');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!e.labels.length || !e.labels[0].textContent.trim()) faults.push('no label: ' + e.outerHTML);
  for (const e of document.querySelectorAll('button, a'))
    if (!e.textContent.trim()) faults.push('no text: ' + e.outerHTML);
  for (const e of document.querySelectorAll('[aria-describedby]'))
    if (!document.getElementById(e.getAttribute('aria-describedby'))) faults.push('describes nothing: ' + e.outerHTML);
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) faults.push('an id twice');
  const rgb = t => t.match(/[\d.]+/g).map(Number);
  const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.slice(0, 3).map(linear);
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
                        if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.matches('progress')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faults.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
  }
  for (const e of document.querySelectorAll('main button, main .button, main input:not([type=hidden]), main select'))
    if (e.getClientRects().length &&
        Math.max(...[e, ...(e.type === 'checkbox' ? e.labels : [])].map(l => l.getBoundingClientRect().height)) < 40)
      faults.push('hard to hit: ' + e.outerHTML);
  for (const e of document.querySelectorAll('a:not(.skip), button, input:not([type=hidden]), select')) {
    const r = e.getBoundingClientRect();
    if (!e.getClientRects().length) continue;
    if (r.width < 24 || r.height < 24) faults.push(`${r.width} by ${r.height}: ` + e.outerHTML);
  }
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
                            return (x + 0.05) / (y + 0.05); };
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, label')) {
    const style = getComputedStyle(e);
    if (!parseFloat(style.borderTopWidth)) continue;
    const least = Math.min(ratio(rgb(style.borderTopColor), ground(e)),
                           ratio(rgb(style.borderTopColor), ground(e.parentElement)));
    if (least < 3) faults.push('border ' + least.toFixed(2) + ': ' + e.outerHTML);
    const placeholder = ratio(rgb(getComputedStyle(e, '::placeholder').color), ground(e));
    if (e.placeholder && placeholder < 4.5) faults.push('placeholder ' + placeholder.toFixed(2) + ': ' + e.outerHTML);
  }
  return faults; })()"""


def faults_of(person):
    found = []
    for scheme in COLOURS:
        person.colours(scheme)
        found += [f"{scheme}: {fault}" for fault in person.outer(FAULTS)]
    return found


@same_page
@pytest.mark.parametrize("path", STATES)
def test_pages_are_readable_by_everybody(person, path):
    person.open(path)
    assert faults_of(person) == []
    person.shots = "desk"
    person.shoot("20" + re.sub(r"\W+", "-", path)[:24])


@same_page
@pytest.mark.parametrize("path", PRIVATE)
def test_private_pages_are_readable_by_everybody(signed_in, path):
    person, _ = signed_in
    person.open(path)
    assert faults_of(person) == []
    person.shots = "phone"
    person.size(*SIZES["phone"])
    person.shoot("30" + re.sub(r"\W+", "-", path))


def test_c17_a_plan_is_chosen_by_keyboard(person, db):
    email = new_address("keyboard")
    person.open("/signup")
    person.find("#email").send_keys(email, Keys.TAB, Keys.SPACE)
    assert person.outer("document.activeElement.id") == "plan-starter"
    person.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert person.all("input[name=plan]:checked") == person.all("#plan-growth")
    before = person.find("html")
    person.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(lambda: is_gone(before))
    assert "$49.00" in person.text("#price")
    assert db.value("select plan from billing.checkouts where email_canonical = %s", email) == "growth"


@pytest.mark.parametrize("size", SIZES)
def test_c17_a_click_anywhere_on_a_card_chooses_its_plan(person, size):
    person.size(*SIZES[size])
    person.open("/signup")
    for selector, plan in (("label[for=plan-growth] .about", "growth"), ("#plan-starter", "starter"),
                           ("#plan-growth", "growth"), ("label[for=plan-starter] .price", "starter")):
        person.find(selector).click()
        assert [e.get_attribute("value") for e in person.all("input[name=plan]:checked")] == [plan]


@same_page
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("size", SIZES)
def test_c56_a_team_is_readable_by_everybody(signed_in, db, busy_month, size, language):  # noqa: F811
    person, email = signed_in
    tenant = db.tenant_of(email)
    for role, who in (("admin", "ada"), ("member", "m" * 60)):
        address = f"{who}@{new_address().partition('@')[0]}.example.com"
        db.value("select auth.add_user(%s)", address)
        db.execute("insert into app.members (tenant_id, user_id, role) values (%s, auth.find_user(%s), %s)", tenant,
                   address, role)
    db.execute("insert into app.invitations (tenant_id, user_id, email, email_canonical, role, expires_at) select "
               "%s, auth.find_user(%s), v, v, 'member', now() + n * interval '1 day' "
               "from unnest(%s::text[]) with ordinality u (v, n)", tenant, email,
               ["new@example.com", "w" * 60 + "@" + "x" * 60 + ".example.com"])
    db.execute("select audit.note('role_changed', %s, auth.find_user(%s), auth.find_user(%s), "
               "'{\"was\": \"member\", \"role\": \"admin\"}')", tenant, email, address)
    db.execute("insert into app.keys (tenant_id, user_id, name, hint, hash, scopes, used_at, revoked_at) select %s,"
               " auth.find_user(%s), repeat('W', n), 'abcd', sha256(%s::text::bytea || n::text::bytea), '{read}',"
               " case n when 2 then now() end, case n when 3 then now() end from unnest('{1,2,3,64}'::int[]) u (n)",
               tenant, email, email)
    busy_month(tenant, db.value("select auth.find_user(%s)", email))
    person.size(*SIZES[size])
    person.shots = f"{size}-{language}"
    for path in ("team", "audit", "keys", "usage", "profile", "email"):
        person.open(f"/{language}/settings/{path}")
        assert no_wider_than(person, SIZES[size][0])
        assert faults_of(person) == []
        person.shoot("40-" + path)


@same_page
def test_errors_in_a_form_are_readable_by_everybody(person):
    person.open("/signup")
    person.press("main button")
    assert person.text("#email-error")
    assert faults_of(person) == []
    assert person.outer("document.activeElement.id") == "email", "the wrong field has the focus"


@same_page
@pytest.mark.parametrize("status", ["past_due", "canceled", "trialing", "paused"])
def test_every_colour_of_a_status_is_readable(signed_in, db, status):
    person, email = signed_in
    wait_until(lambda: db.value("select count(*) from billing.subscriptions where tenant_id = %s", db.tenant_of(email)))
    db.execute("update billing.subscriptions set status = %s where tenant_id = %s", status, db.tenant_of(email))
    person.open("/settings/billing")
    assert person.find("#status").text
    assert faults_of(person) == []
    person.shots = "desk"
    person.shoot(f"40-billing-{status}")


def test_s01_an_offer_and_a_switch_on_a_phone(signed_in, new_browser, sim, db, mail):
    """Bought by somebody else, accepted by the mailed link and code, and back to the first tenant."""
    person, email = signed_in
    person.size(*SIZES["phone"])
    person.shots = "phone"
    second, _ = buy(new_browser(), sim, db, email)
    person.open("/workspace")
    person.shoot("60-workspace-offered")
    assert faults_of(person) == []
    person.press("form[action='/workspace/offer'] button")
    assert "We have sent you the link" in person.text()
    person.shoot("61-workspace-link-sent")
    assert faults_of(person) == []
    offered = offer_mail(mail, db, second, 2)
    (SCREENS / "offer.html").write_text(offered["html"])
    person.open(f"/signin/link?t={token_in(offered)}")
    person.press("main button")
    assert person.path() == "/workspace"
    person.shoot("62-workspace-two-tenants")
    person.size(*SIZES["desk"])
    assert len({right for _, right, _, _ in person.outer(BOXES % "main > .card .badge")}) == 1, "they line up"
    person.size(*SIZES["phone"])
    assert faults_of(person) == []
    person.open("/settings/billing")
    person.shoot("63-billing-two-tenants")
    assert faults_of(person) == []
    member = db.value("select id from auth.users where email_canonical = %s", email)
    db.execute("update app.profiles set tenant_id = null where user_id = %s", member)
    person.press("#manage")
    person.shoot("64-which-account")
    assert faults_of(person) == []
    person.size(320, 640)
    assert no_wider_than(person, 320)
    person.press("main a.button")
    assert person.path() == "/settings/billing" and no_wider_than(person, 320)
    Select(person.find("#tenant")).select_by_value(second)
    person.press("form[action='/tenant'] button")
    assert person.path() == "/settings/billing" and "Growth" in person.text()
    person.open(f"file://{SCREENS / 'offer.html'}")
    person.shoot("65-mail-offer")
    assert no_wider_than(person, 320)
    for scheme in COLOURS:
        person.colours(scheme)
        assert [f for f in person.outer(FAULTS) if f.startswith(("contrast", "no l", "no t"))] == []


ADDRESS = "anna-maria.schmidt-mueller@example-company.com"
BOXES = """[...document.querySelectorAll('%s')].map(e => { const r = e.getBoundingClientRect();
           return [r.left, r.right, r.top, r.bottom].map(Math.round); })"""
BROKEN = """[...document.querySelectorAll('.whole, :not(th) > time')].filter(e => {
  const range = document.createRange(); range.selectNodeContents(e);
  const lines = new Set([...range.getClientRects()].map(r => Math.round(r.top))).size;
  e.style.whiteSpace = 'nowrap'; const needs = range.getBoundingClientRect().width; e.style.whiteSpace = '';
  const box = e.closest('.card, .alert, main'), style = getComputedStyle(box);
  return lines > 1 && needs <= box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
}).map(e => e.textContent)"""


@pytest.fixture
def busy(signed_in, db):
    """(person, address) whose billing page has two notices and three invoices, in amounts of very different length."""
    person, email = signed_in
    wait_until(lambda: db.value("select count(*) from billing.invoices where tenant_id = %s", db.tenant_of(email)))
    wait_until(lambda: db.value("select count(*) from billing.subscriptions where tenant_id = %s", db.tenant_of(email)))
    for n, (amount, status) in enumerate(((123456789, "open"), (100, "uncollectible"))):
        db.execute("insert into billing.invoices (id, tenant_id, number, status, currency, amount_due, amount_paid,"
                   " total, created_at, hosted_url, pdf_url, attempt_count, action_required, synced_at) values"
                   " (%s, %s, %s, %s, 'eur', %s, %s, %s, now(), 'https://invoice.stripe.com/i/x',"
                   " 'https://pay.stripe.com/x/pdf', 1, false, now())",
                   f"in_look{n}{email}", db.tenant_of(email), f"ABCD-EF-000{n}", status, amount, amount, amount)
        db.execute("insert into billing.notifications (tenant_id, kind, fact, payload, created_at) values"
                   " (%s, %s, %s, '{}', now())", db.tenant_of(email), ("refunded", "disputed")[n], f"look{n}{email}")
    db.execute("update auth.users set email = %s where email_canonical = %s", ADDRESS, email)
    return person, email


@same_page
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["en", "de"])
def test_boxes_keep_apart_columns_line_up_and_no_amount_breaks(busy, width, language):
    person, _ = busy
    person.size(width, 1900)
    person.open(f"/{language}/settings/billing")
    boxes = person.outer(BOXES % "main > .alert, main > .card")
    assert len(boxes) >= 5
    assert all(below[2] - above[3] >= 12 for above, below in zip(boxes, boxes[1:]))
    rows = len(person.all("#invoices li"))
    assert rows >= 3
    for column in (1, 2, 3):
        cells = person.outer(BOXES % f"#invoices li > :nth-child({column})")
        edge = 0 if column == 1 or width > 640 else 1
        assert len({cell[edge] for cell in cells}) == 1, (column, cells)
    too_narrow = "[...document.querySelectorAll('.list li > *')].some(e => e.scrollWidth > e.clientWidth)"
    assert person.outer(too_narrow) is False
    assert person.outer(BROKEN) == [] and no_wider_than(person, width)
    assert ADDRESS in person.text()
    assert faults_of(person) == []
    person.shots = f"{language}-{width}"
    person.shoot("70-billing-busy")
    person.open(f"/{language}/workspace")
    assert person.outer(BROKEN) == [] and no_wider_than(person, width)
    person.shoot("71-workspace")


@same_page
def test_mails_are_readable_by_everybody(person, new_browser, sim, db, mail, fresh):
    email = fresh()
    become_customer(new_browser(), sim, db, email)
    path = SCREENS / "mail.html"
    SCREENS.mkdir(parents=True, exist_ok=True)
    path.write_text(mail.wait(email)["html"])
    person.open(f"file://{path}")
    person.shots = "phone"
    person.size(*SIZES["phone"])
    person.shoot("50-mail-welcome")
    for scheme in COLOURS:
        person.colours(scheme)
        assert [f for f in person.outer(FAULTS) if f.startswith(("contrast", "no l", "no t"))] == []
    person.size(320, 640)
    assert no_wider_than(person, 320)


def test_pages_work_with_the_keyboard_alone(person):
    """The skip link comes first and is seen when it has the focus."""
    person.open("/signup")
    assert not person.find(".skip").rect["x"] >= 0
    person.driver.switch_to.active_element.send_keys("\ue004")
    assert person.driver.switch_to.active_element.get_attribute("class") == "skip"
    assert person.find(".skip").rect["x"] >= 0


CONTROLS = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
    .filter(e => e.checkVisibility())"""
OPENED = "document.querySelectorAll('details').forEach(e => e.open = true);"
FOCUSED = """(() => { const e = document.activeElement, r = e.getBoundingClientRect();
  return [%s.indexOf(e), r.left >= 0 && r.right <= innerWidth, getComputedStyle(e).outlineStyle != 'none']; })()"""


def tabbed(person):
    """(how many controls the page has, what Tab reaches), all around the page once."""
    person.outer(OPENED)
    n = person.outer(CONTROLS + ".length")
    reached = []
    for _ in range(n + 2):
        ActionChains(person.driver).send_keys(Keys.TAB).perform()
        reached.append(person.outer(FOCUSED % CONTROLS))
    return n, [found for found in reached if found[0] >= 0]


@same_page
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_control_of_an_account_is_reached_by_the_keyboard_alone_at_360_pixels(signed_in, language):
    person, _ = signed_in
    person.size(360, 740)
    settings = [f"/settings/{page}" for page in ("profile", "email", "password", "security", "two-factor", "sessions",
                                                 "passkeys", "team", "audit", "keys", "usage", "account")]
    for path in (*settings, "/signin/confirm?sent=yes", None, "/signin", "/register", "/reset"):
        if path is None:
            person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
            continue
        person.open(f"/{language}{path}")
        assert no_wider_than(person, 360), path
        n, reached = tabbed(person)
        order = [place for place, _, _ in reached]
        assert n > 4 and set(order) == set(range(n)), (path, order)
        assert all(then in (now + 1, 0) for now, then in zip(order, order[1:])), (path, "the order of the page", order)
        assert all(seen and marked for _, seen, marked in reached), (path, reached)
