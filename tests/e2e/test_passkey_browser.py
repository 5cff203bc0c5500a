"""Passkeys in Chromium with scripts on, by its virtual authenticator."""
import pytest
from journey import LINK, press_link, token_in, wait_until
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from test_axe import axe, look  # noqa: F401 (fixtures)
from test_browser import faults_of, no_wider_than, person, signed_in, start_chromium_anywhere  # noqa: F401 (fixtures)
from test_factor import add_factor, half

PLACE = "/settings/passkeys"
# Chromium takes the first algorithm that it knows of those asked for: this leaves one.
ONLY = """{const create = navigator.credentials.create.bind(navigator.credentials);
  navigator.credentials.create = wanted => {
    wanted.publicKey.pubKeyCredParams = wanted.publicKey.pubKeyCredParams.filter(one => one.alg === %d);
    return create(wanted); }}"""


@pytest.fixture(scope="module")
def driver():
    started = start_chromium_anywhere(scripts=True)
    yield started
    started.quit()


@pytest.fixture
def device(driver):
    """Chromium's authenticator, which verifies its user and keeps its keys."""
    options = VirtualAuthenticatorOptions()
    options.protocol, options.transport = "ctap2", "internal"
    options.has_resident_key = options.has_user_verification = options.is_user_verified = True
    driver.add_virtual_authenticator(options)
    yield driver
    driver.remove_virtual_authenticator()


def leave(person):
    person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})


def wait_path(person, path):
    wait_until(lambda: person.path() == path, 20)


def add(person, name):
    person.open(PLACE)
    person.find("#name").send_keys(name)
    person.find("form[data-user] button").click()
    wait_path(person, f"{PLACE}?done=added")


def use(person):
    person.find("form[data-challenge] button").click()


@pytest.mark.parametrize("alg", [-7, -257, -8])
def test_c151_chromium_adds_a_passkey_and_signs_in_by_it(signed_in, device, db, alg):
    person, email = signed_in
    only = person.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ONLY % alg})
    try:
        add(person, f"Key {alg}")
    finally:
        person.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", only)
    assert f"Key {alg}" in person.text()
    leave(person)
    person.open("/signin?next=/settings/profile")
    use(person)
    wait_path(person, "/settings/profile")
    assert email in person.text()


def test_c151_chromium_uses_a_passkey_as_a_second_proof_and_to_prove_again(signed_in, device, new_browser, mail, db):
    person, email = signed_in
    add(person, "My phone")
    browser = new_browser()
    browser.set_cookie("__Host-sid", person.driver.get_cookie("__Host-sid")["value"])
    add_factor(browser)
    leave(person)
    seen = len(mail.to(email))
    person.open("/signin")
    person.find("#email").send_keys(email)
    person.press("button[value=link]")
    person.open(f"/signin/link?t={token_in(mail.next(email, seen, LINK))}")
    person.press("main button")
    assert person.path() == "/signin/second"
    use(person)
    wait_path(person, "/workspace")
    db.execute("update auth.sessions s set auth_at = now() - interval '1 hour' from auth.users u "
               "where u.id = s.user_id and u.email = %s", email)
    person.open(PLACE)
    assert person.path() == f"/signin/confirm?next={PLACE}"
    use(person)
    wait_path(person, PLACE)


def test_c151_what_the_browser_refuses_is_said_and_nothing_is_sent(signed_in, device, db):
    person, _ = signed_in
    add(person, "One")
    person.find("#name").send_keys("Two")
    person.find("form[data-user] button").click()
    wait_until(lambda: "already" in person.text("form[data-user]"), 20)
    leave(person)
    device.remove_all_credentials()
    person.open("/de/signin")
    use(person)
    wait_until(lambda: "nicht geklappt" in person.text("form[data-challenge]"), 20)
    assert person.path() == "/de/signin"


@pytest.mark.parametrize("language", ["en", "de"])
def test_c150_the_page_of_passkeys_is_readable_by_everybody(signed_in, device, look, language, db):
    person, email = signed_in
    add(person, "My phone")
    person.shots = f"passkeys-{language}"
    for path in (PLACE, "/signin/confirm", "/signin/confirm?next=" + PLACE, "/signin"):
        if path == "/signin":
            leave(person)
        elif "?" in path:       # nothing but a passkey leads on
            db.execute("update auth.sessions s set second_at = null from auth.users u "
                       "where u.id = s.user_id and u.email = %s", email)
        person.open(f"/{language}{path}")
        assert look() == [] and faults_of(person) == [], path
        for width in (1280, 360):
            person.size(width, 900)
            assert no_wider_than(person, width), path
            person.shots = f"passkeys-{language}-{width}"
            person.shoot(path.replace("/", "-").replace("?", "-"))
