"""Accounts elsewhere that a signed-in user connects and disconnects."""
import pytest
from authenticator import Authenticator
from client import Browser, origin_of
from journey import press_link, sign_in
from parties import PLACE, SID, come_back, connect, enter, someone, way_back
from test_factor import add_factor, oathtool, show
from test_passkeys import add

pytestmark = pytest.mark.usefixtures("published")

def test_f60_a_user_who_is_signed_in_connects_and_disconnects(parties, customer, other, new_browser, mail, db):
    browser, email = customer
    claims = someone()
    parties.tell("work", user=claims)
    assert "No account elsewhere" in browser.get(PLACE).text
    assert come_back(browser, connect(browser, "work")).location == PLACE + "?connected=yes"
    page = browser.get(PLACE + "?connected=yes")
    assert claims["email"] in page.text and "From now on it signs you in" in page.text
    assert "connected" in mail.next(email, 0, "account elsewhere was connected")["text"]
    assert enter(other).location == "/workspace"
    assert db.value("select count(*) from auth.users where email = %s", claims["email"]) == 0

    third = new_browser()
    parties.tell("partner", user=someone())
    assert enter(third, "partner").location == "/workspace"
    parties.tell("partner", user=someone())
    parties.tell("work", user=claims)
    taken = come_back(third, connect(third, "work"))
    assert taken.status == 400      # another's identity never moves

    form, = [f for f in browser.get(PLACE).forms if "identity" in f.fields]
    assert third.post(PLACE, {**third.get(PLACE).forms[-1].fields, "identity": form.fields["identity"],
                              "provider": ""}, came_from=third.base).status == 422
    gone = browser.post(PLACE, form.fields, came_from=browser.base)
    assert gone.location == PLACE + "?disconnected=yes"
    mail.next(email, 0, "no longer connected")
    assert browser.post(PLACE, form.fields, came_from=browser.base).status == 404
    assert [k for k, in db.rows("select kind from audit.entries e join auth.users u on u.id = e.subject_id "
                                "where u.email = %s and kind like 'identity%%' order by n", email)] == [
        "identity_added", "identity_removed"]


def test_f60_a_passkey_that_is_the_last_way_in_stays(parties, user, other, mail, stack):
    browser, claims = user
    assert add(browser, Authenticator(origin_of(stack["url"]))).status == 303
    form, = [f for f in browser.get(PLACE).forms if "identity" in f.fields]
    assert browser.post(PLACE, form.fields, came_from=browser.base).status == 303
    form = next(f for f in browser.get("/settings/passkeys").forms if f.fields.get("action") == "remove")
    kept = browser.post("/settings/passkeys", form.fields)
    assert kept.status == 409 and "only way in" in kept.text
    sign_in(other, mail, claims["email"])
    assert browser.post("/settings/passkeys", form.fields).location == "/settings/passkeys?done=removed"


def test_f60_the_last_way_in_stays(parties, user, other, mail):
    browser, claims = user
    form, = [f for f in browser.get(PLACE).forms if "identity" in f.fields]
    kept = browser.post(PLACE, form.fields, came_from=browser.base)
    assert kept.status == 409 and "only way in" in kept.text
    sign_in(other, mail, claims["email"])
    form, = [f for f in browser.get(PLACE).forms if "identity" in f.fields]
    assert browser.post(PLACE, form.fields, came_from=browser.base).status == 303


def test_f36_connections_want_a_young_proof(parties, user, db):
    browser, claims = user
    db.execute("update auth.sessions s set auth_at = auth_at - interval '11 min' from auth.users u "
               "where u.id = s.user_id and u.email = %s", claims["email"])
    assert browser.get(PLACE).location == "/signin/confirm?next=" + PLACE


def test_f60_who_has_signed_out_meanwhile_connects_nothing(parties, customer, db):
    browser, email = customer
    parties.tell("work", user=someone())
    url = way_back(connect(browser, "work"))
    db.execute("update auth.sessions s set revoked_at = now(), revoke_reason = 'logout' from auth.users u "
               "where u.id = s.user_id and u.email = %s", email)
    assert browser.get(url).status == 400
    assert db.value("select count(*) from auth.identities i join auth.users u on u.id = i.user_id where u.email = %s",
                    email) == 0


def test_f200_a_second_factor_is_asked_for_all_the_same(parties, customer, other, mail, db):
    browser, email = customer
    claims = someone(email=email)
    parties.tell("work", user=claims)
    secret, _ = add_factor(browser)
    assert enter(other).location == "/signin/connect"
    token = mail.next(email, 0, r"signin/connect\?t=")["text"].partition("/signin/connect?t=")[2].split()[0]
    assert press_link(other, token, "/signin/connect").location == "/signin/second"
    assert db.value("select count(*) from auth.identities where subject = %s", claims["sub"]) == 0
    db.execute("update auth.factors f set last_step = 0 from auth.users u where u.id = f.user_id and u.email = %s",
               email)
    assert show(other, oathtool(secret)).location == "/workspace"
    assert db.value("select count(*) from auth.identities where subject = %s", claims["sub"]) == 1
    third = Browser(browser.base)
    assert enter(third).location == "/signin/second" and third.cookie(SID) is None
