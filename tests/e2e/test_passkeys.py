"""Passkeys: adding and using them, and what an authenticator may say that is not so."""
import pytest
from authenticator import PRESENT, VERIFIED, Authenticator, EdDsa, Es256, P384, Rs256, Rsa512, bytes_of, cbor, text_of
from client import origin_of
from journey import become_customer, sign_in
from test_factor import add_factor, half

SID, SECOND, PLACE = "__Host-sid", "__Host-second", "/settings/passkeys"


def asked(page):
    """The fields and data of the form that wants a passkey."""
    form, = [f for f in page.forms if f.element.get("data-challenge")]
    return form, {name[5:]: value for name, value in form.element.attributes.items() if name.startswith("data-")}


def send(browser, page, said):
    form, _ = asked(page)
    return browser.post(form.action, {**form.fields, **said})


def add(browser, authenticator, name="My phone", **lies):
    page = browser.get(PLACE)
    assert page.status == 200, page
    _, data = asked(page)
    return send(browser, page, {**authenticator.made(data["challenge"], data["user"], **lies), "name": name})


def use(browser, authenticator, at="/signin", **lies):
    page = browser.get(at)
    assert page.status == 200, page
    authenticator.count += 1
    return send(browser, page, authenticator.used(asked(page)[1]["challenge"], **lies))


def user_of(browser):
    answer = browser.get("/api/auth/session", Accept="application/json")
    return answer.json["user"]["email"] if answer.status == 200 else None


@pytest.fixture
def keyed(customer, stack):
    """(browser, address, authenticator) of a user with a passkey."""
    browser, email = customer
    authenticator = Authenticator(origin_of(stack["url"]))
    answer = add(browser, authenticator)
    assert (answer.status, answer.location) == (303, f"{PLACE}?done=added"), answer
    return browser, email, authenticator


@pytest.mark.parametrize("kind", [Es256, Rs256, EdDsa])
def test_c151_a_passkey_signs_in_by_each_algorithm(customer, new_browser, stack, mail, kind):
    browser, email = customer
    authenticator, seen = Authenticator(origin_of(stack["url"]), kind), len(mail.to(email))
    assert add(browser, authenticator).status == 303
    assert "My phone" in browser.get(PLACE).text
    assert "added" in mail.next(email, seen, "passkey was added")["subject"]
    one = new_browser()
    answer = use(one, authenticator, "/signin?next=/settings/profile")
    assert (answer.status, answer.location) == (303, "/settings/profile"), answer
    assert user_of(one) == email
    assert one.get("/settings/sessions").status == 200 and one.get(PLACE).status == 200


def test_c57_whose_account_is_being_deleted_is_led_to_the_page_that_says_so(keyed, other, db):
    _, email, authenticator = keyed
    db.execute("insert into app.deletions (user_id, until) select u.id, now() + interval '30 days' from auth.users u "
               "where u.email = %s", email)
    answer = use(other, authenticator, "/signin?next=/settings/profile")
    assert (answer.status, answer.location) == (303, "/settings/account"), answer


def test_c151_a_passkey_is_a_second_proof_and_both_in_one(keyed, new_browser, mail):
    browser, email, authenticator = keyed
    add_factor(browser)
    one = new_browser()
    assert half(one, mail, email).location == "/signin/second"
    assert asked(one.get("/signin/second"))[1]["keys"].split() == [text_of(authenticator.id), "internal,"]
    answer = use(one, authenticator, "/signin/second")
    assert (answer.status, answer.location) == (303, "/settings/billing"), answer
    assert user_of(one) == email and not one.cookie(SECOND)
    other = new_browser()
    assert use(other, authenticator).location == "/workspace" and user_of(other) == email


def test_c151_a_passkey_proves_again_who_one_is(keyed, db):
    browser, email, authenticator = keyed
    db.execute("update auth.sessions s set auth_at = now() - interval '1 hour' from auth.users u "
               "where u.id = s.user_id and u.email = %s", email)
    asks = browser.get(PLACE)
    assert asks.location == f"/signin/confirm?next={PLACE}"
    before = browser.cookie(SID)
    answer = use(browser, authenticator, asks.location)
    assert (answer.status, answer.location) == (303, PLACE)
    assert browser.cookie(SID) != before and browser.get(PLACE).status == 200


def test_f206_the_mailbox_adds_no_passkey_beside_one(keyed, other, mail):
    _, email, authenticator = keyed
    assert sign_in(other, mail, email).status == 303
    asks = other.get(PLACE)
    assert asks.location == f"/signin/confirm?next={PLACE}"
    page = other.get(asks.location)
    assert [form.action for form in page.forms if form.element.parent.tag == "main"] == ["/signin/passkey/confirm"]
    assert "more than your mailbox" in page.text and "genügen Postfach" in other.get("/de" + asks.location).text
    assert use(other, authenticator, asks.location).location == PLACE and other.get(PLACE).status == 200


def test_c150_a_key_has_a_name_and_is_removed(keyed, new_browser, other, mail):
    browser, email, authenticator = keyed
    page = browser.get(PLACE)
    named = next(f for f in page.forms if f.fields.get("action") == "name")
    assert browser.post(PLACE, {**named.fields, "name": "Blue key"}).location == f"{PLACE}?done=named"
    assert "Blue key" in browser.get(PLACE).text
    assert browser.post(PLACE, {**named.fields, "name": "x" * 65}).status == 422
    removed = next(f for f in browser.get(PLACE).forms if f.fields.get("action") == "remove")
    seen = len(mail.to(email))
    assert browser.post(PLACE, removed.fields).location == f"{PLACE}?done=removed"
    assert "removed" in mail.next(email, seen, "passkey was removed")["subject"]
    assert browser.post(PLACE, removed.fields).status == 404
    answer = use(other, authenticator)
    assert answer.status == 422 and "removed here" in answer.html.one("main").text
    assert user_of(other) is None and not other.cookie(SID)


def test_c150_pages_with_a_script_say_so_in_their_policy_and_without_one_nothing_is_lost(keyed, new_browser):
    browser = keyed[0]
    script = browser.get(PLACE).html.one("script").get("src")
    answer = browser.get(script)
    assert (answer.status, answer.header("Content-Type")) == (200, "text/javascript; charset=utf-8")
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    for page in (browser.get(PLACE), new_browser().get("/signin"), browser.get("/signin/confirm")):
        assert "; script-src 'self'" in page.header("Content-Security-Policy"), page
        assert "JavaScript" in page.html.one("noscript").text
    for page in (browser.get("/settings/profile"), new_browser().get("/register")):
        assert "script" not in page.header("Content-Security-Policy"), page


# What each lie is called, and how it is told: by members of the authenticator, or by what its client says.
LIES = {
    "another origin": dict(origin="https://evil.example"),
    "another port": dict(origin="http://localhost:1"),
    "within another's frame": dict(crossOrigin=True),
    "for a payment": dict(type="payment.get"),
    "a key's creation": dict(type="webauthn.create"),
    "no challenge": dict(challenge=None),
    "its own challenge": dict(challenge=text_of(bytes(40))),
}


@pytest.mark.parametrize("lie", LIES)
def test_f205_what_a_client_says_that_is_not_so(keyed, other, lie):
    answer = use(other, keyed[2], **LIES[lie]) if "challenge" not in LIES[lie] else send(
        other, other.get("/signin"), keyed[2].used(**LIES[lie]))
    assert answer.status == 422 and user_of(other) is None and not other.cookie(SID), answer


@pytest.mark.parametrize("member, value", [("host", "example.com"), ("flags", PRESENT), ("flags", VERIFIED),
                                           ("key", Es256()), ("handle", bytes(32)), ("handle", b""),
                                           ("id", bytes(32))])
def test_f205_f206_what_an_authenticator_says_that_is_not_so(keyed, other, member, value):
    authenticator = keyed[2]
    was = getattr(authenticator, member)
    setattr(authenticator, member, value)
    assert use(other, authenticator).status == 422 and user_of(other) is None, (member, value)
    setattr(authenticator, member, was)
    assert use(other, authenticator).status == 303 and user_of(other) == keyed[1]


@pytest.mark.parametrize("kind", [P384, Rsa512])
def test_f205_a_key_of_another_size_is_not_added(customer, stack, kind):
    answer = add(customer[0], Authenticator(origin_of(stack["url"]), kind))
    assert answer.status == 422 and customer[0].get(PLACE).html.all("input", name="passkey") == []


def test_f205_a_challenge_is_good_once_in_its_browser_for_ten_minutes(keyed, new_browser, other):
    authenticator, one = keyed[2], new_browser()
    page = one.get("/signin")
    said = authenticator.used(asked(page)[1]["challenge"])
    assert send(other, other.get("/signin"), said).status == 422
    assert user_of(other) is None
    assert send(one, page, said).status == 303 and user_of(one) == keyed[1]
    answer = send(one, page, said)
    assert answer.status == 422 and "used already" in answer.html.one("main").text


def test_f206_a_counter_that_does_not_grow_is_refused_and_told(keyed, other, new_browser, db, mail):
    _, email, authenticator = keyed
    authenticator.count = 7
    assert use(new_browser(), authenticator).status == 303
    authenticator.count, seen = 3, len(mail.to(email))
    assert use(other, authenticator).status == 422 and user_of(other) is None
    assert "copied" in mail.next(email, seen, "copied")["subject"]
    assert db.value("select e.detail ->> 'reason' from audit.entries e join auth.users u on u.id = e.subject_id "
                    "where u.email = %s and e.kind = 'passkey_refused'", email) == "counter"


def test_f206_a_key_of_another_user_is_neither_added_nor_a_second_proof(keyed, new_browser, sim, db, mail, fresh):
    theirs, email = new_browser(), fresh()
    become_customer(theirs, sim, db, email)
    sign_in(theirs, mail, email)
    authenticator = keyed[2]
    answer = add(theirs, authenticator)
    assert answer.status == 422 and "another account" in answer.text
    own = Authenticator(authenticator.origin)
    assert add(theirs, own).status == 303
    add_factor(theirs)
    one = new_browser()
    assert half(one, mail, email).location == "/signin/second"
    own.id, own.key, own.handle = authenticator.id, authenticator.key, authenticator.handle
    assert use(one, own, "/signin/second").status == 422 and user_of(one) is None


CBOR = {
    "two GiB": bytes.fromhex("9a0fffffff"), "very deep": b"\x81" * 6000, "nothing": b"",
    "cut": None, "longer": None, "twice": None,
}


@pytest.mark.parametrize("lie", CBOR)
def test_f204_cbor_that_lies_is_refused(customer, stack, lie):
    browser, authenticator = customer[0], Authenticator(origin_of(stack["url"]))
    page = browser.get(PLACE)
    _, data = asked(page)
    said = {**authenticator.made(data["challenge"], data["user"]), "name": "x"}
    whole = bytes_of(said["attestation"])
    told = {"cut": whole[:-1], "longer": whole + b"\0",
            "twice": b"\xa4" + whole[1:] + cbor("fmt") + cbor("none")}.get(lie, CBOR[lie])
    answer = send(browser, page, {**said, "attestation": text_of(told)})
    assert answer.status == 422 and browser.get(PLACE).html.all("input", name="passkey") == []


def test_f36_passkeys_want_a_young_proof_and_forms_their_token(keyed, db, other):
    browser, email, authenticator = keyed
    form, data = asked(browser.get(PLACE))
    said = {**form.fields, **Authenticator(authenticator.origin).made(data["challenge"], data["user"]), "name": "x"}
    assert browser.post(PLACE, {**said, "csrf": "x"}).status == 403
    db.execute("update auth.sessions s set auth_at = now() - interval '1 hour' from auth.users u "
               "where u.id = s.user_id and u.email = %s", email)
    assert browser.post(PLACE, said).location.startswith("/signin/confirm")
    page = other.get("/signin")
    assert other.post("/signin/passkey", {**authenticator.used(asked(page)[1]["challenge"]), "csrf": "x"}).status == 403
    assert other.get("/signin/passkey").status == 405
