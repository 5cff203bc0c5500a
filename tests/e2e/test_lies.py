"""What a party may lie about when it vouches for somebody: each lie is refused."""
import json

import pytest
from client import Browser
from parties import assert_refused, come_back, connect, enter, press_button, renew, someone, way_back

pytestmark = pytest.mark.usefixtures("published")
TIMES = {"expired": {"from_now": -120}, "old": {"from_now": -700}, "early": {"from_now": 120}}

# Lies of a party: what it tells, and what the log has. Each is refused, and nothing is made of it.
LIES = {
    "iss of another": ({"claims": {"iss": "https://evil.example.org"}}, "iss is another issuer"),
    "iss with a slash": ({"claims": {"iss": "ISSUER/"}}, "iss is another issuer"),
    "no iss": ({"claims": {"iss": None}}, "iss is another issuer"),
    "iss as a list": ({"claims": {"iss": ["ISSUER"]}}, "iss is another issuer"),
    "iss with a NUL": ({"claims": {"iss": "ISSUER\0"}}, "iss is another issuer"),
    "no sub": ({"claims": {"sub": None}}, "sub is no text"),
    "an empty sub": ({"claims": {"sub": ""}}, "sub is no text"),
    "sub as a number": ({"claims": {"sub": 7}}, "sub is no text"),
    "sub with a NUL": ({"claims": {"sub": "ada-1\0x"}}, "sub is no text"),
    "a sub of 256 bytes": ({"claims": {"sub": "x" * 256}}, "refuses: sub"),
    "aud of another": ({"claims": {"aud": "another"}}, "aud is not us"),
    "no aud": ({"claims": {"aud": None}}, "aud is not us"),
    "an empty aud": ({"claims": {"aud": []}}, "aud is not us"),
    "aud of others": ({"claims": {"aud": ["another", "third"]}}, "aud is not us"),
    "aud that begins as we do": ({"claims": {"aud": "tollgate2"}}, "aud is not us"),
    "several aud without azp": ({"claims": {"aud": ["tollgate", "another"]}}, "azp is not us"),
    "azp of another": ({"claims": {"azp": "another"}}, "azp is not us"),
    "no nonce": ({"claims": {"nonce": None}}, "refuses: nonce"),
    "another nonce": ({"claims": {"nonce": "0" * 64}}, "refuses: nonce"),
    "nonce as a number": ({"claims": {"nonce": 0}}, "refuses: nonce"),
    "expired": ({"claims": {"exp": TIMES["expired"]}}, "refuses: exp"),
    "no exp": ({"claims": {"exp": None}}, "exp or iat"),
    "exp as a text": ({"claims": {"exp": "9999999999"}}, "exp or iat"),
    "exp with a fraction": ({"claims": {"exp": 9999999999.5}}, "exp or iat"),
    "issued long ago": ({"claims": {"iat": TIMES["old"]}}, "refuses: iat"),
    "issued tomorrow": ({"claims": {"iat": TIMES["early"]}}, "refuses: iat"),
    "no iat": ({"claims": {"iat": None}}, "exp or iat"),
    "good from tomorrow": ({"claims": {"nbf": TIMES["early"]}}, "refuses: nbf"),
    "nbf as a text": ({"claims": {"nbf": "1"}}, "nbf is no whole number"),
    "at_hash of another token": ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, "at_hash"),
    "signed by nobody": ({"alg": "none"}, "no signature|algorithm"),
    "signed by what everybody knows": ({"alg": "HS256"}, "algorithm"),
    "no alg": ({"header": {"alg": None}}, "algorithm"),
    "alg in lower case": ({"header": {"alg": "es256"}}, "algorithm"),
    "alg as a list": ({"header": {"alg": ["ES256"]}}, "algorithm"),
    "alg of another kind of key": ({"header": {"alg": "RS256"}}, "no key"),
    "critical extensions": ({"header": {"crit": ["b64"], "b64": False}}, "critical"),
    "a key that it brings along": ({"key": "other", "header": {"jwk": {"kty": "EC"}, "kid": None}}, "no key"),
    "a key elsewhere": ({"key": "other", "header": {"jku": "https://evil.example.org/keys"}}, "signature"),
    "kid as a number": ({"header": {"kid": 1}}, "kid"),
    "an unknown kid": ({"header": {"kid": "unknown"}}, "no key"),
    "alg given twice": ({"head": '{"alg":"none","alg":"ES256"}'}, "header"),
    "a header that is a list": ({"head": "[]"}, "header"),
    "another's signature": ({"key": "other"}, "signature"),
    "a changed byte of the signature": ({"tamper": True}, "signature"),
    "two parts": ({"cut": 2}, "three parts"),
    "four parts": ({"more": ".e30"}, "three parts"),
    "padding": ({"more": "="}, "no signature"),
    "17 KiB": ({"claims": {"padding": "x" * 17000}}, "16 KiB"),
    "claims given twice": ({"payload": '{"sub":"a","sub":"b"}'}, "claims"),
    "claims that are a list": ({"payload": "[]"}, "claims"),
    "no ID token": ({"token": {"id_token": None}}, "no ID token"),
    "an ID token that is a number": ({"token": {"id_token": 7}}, "no ID token"),
    "no access token": ({"token": {"access_token": None}}, "no bearer"),
    "another type of token": ({"token": {"token_type": "mac"}}, "no bearer"),
    "an error with a token": ({"token": {"error": "server_error"}}, "it refuses with status 200: server_error"),
    "an error": ({"status": {"token": 400}, "body": {"token": '{"error":"invalid_grant"}'}},
                 "status 400: invalid_grant"),
    "a page": ({"body": {"token": "<html>"}}, "no JSON"),
    "a list": ({"body": {"token": "[]"}}, "no bearer"),
    "300 KB": ({"body": {"token": json.dumps({"x": "y" * 300000})}}, "larger than 256 KiB"),
    "a redirect": ({"status": {"token": 307}, "headers": {"Location": "/work/userinfo"}}, "status 307"),
    "userinfo of another": ({"claims": {"email": None}, "userinfo": {"sub": "another"}}, "another user"),
    "userinfo without a sub": ({"claims": {"email": None}, "userinfo": {"sub": None}}, "another user"),
    "no iss on the way back": ({"back": {"iss": None}}, "does not say who it is"),
    "iss of another on the way back": ({"back": {"iss": "https://evil.example.org"}}, "iss is another issuer"),
    "no code": ({"back": {"code": None}}, "neither a code nor an error"),
    "code given twice": ({"more_back": [["code", "another"]]}, "given twice"),
    "state given twice": ({"more_back": [["state", "another"]]}, "given twice"),
    "iss given twice": ({"more_back": [["iss", "https://evil.example.org"]]}, "given twice"),
    "a code of its own": ({"back": {"code": "invented"}}, "status 400: invalid_grant"),
}


def test_f59_there_are_lies_enough():
    assert len(LIES) >= 40


@pytest.mark.parametrize("lie", LIES)
def test_f59_a_lie_is_refused(stack, parties, browser, db, reason, lie):
    told, said = LIES[lie]
    issuer = stack["identity_url"] + "/work"
    told = json.loads(json.dumps(told).replace("ISSUER", issuer))
    claims = someone()
    before = db.value("select count(*) from auth.users")
    parties.tell("work", user={**claims, **({"sub": "ada-1"} if "NUL" in lie else {})}, **told)
    page = enter(browser)
    assert_refused(page, browser)
    why = reason()
    assert any(part in why for part in said.split("|")), why
    assert db.value("select count(*) from auth.users") == before
    assert db.value("select count(*) from auth.flows") == ("twice" in said)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_f59_each_algorithm_that_we_take_signs_in(parties, browser, alg):
    parties.tell("work", user=someone(), alg=alg, at_hash=alg != "EdDSA")
    assert enter(browser).location == "/workspace"


@pytest.mark.parametrize("told", [
    {"claims": {"aud": ["tollgate"]}}, {"claims": {"aud": ["another", "tollgate"], "azp": "tollgate"}},
    {"header": {"kid": None}}, {"header": {"typ": None}}, {"claims": {"iat": {"from_now": 30}}},
    {"claims": {"exp": {"from_now": -30}}}, {"claims": {"email": None}, "alg": "RS256"}], ids=str)
def test_f59_what_a_party_may_well_say_signs_in(parties, browser, told):
    parties.tell("work", user=someone(), **told)
    assert enter(browser).location == "/workspace"


# What an issuer may publish that we do not go by. It is asked for anew, because the description is kept for a day.
WRONG = {
    "another issuer": ({"discovery": {"issuer": "https://evil.example.org"}}, "of another issuer"),
    "the issuer with a slash": ({"discovery": {"issuer": "ISSUER/"}}, "of another issuer"),
    "no keys' address": ({"discovery": {"jwks_uri": None}}, "has no jwks_uri"),
    "a token endpoint without TLS": (
        {"discovery": {"token_endpoint": "http://token.example.org/"}}, "has no token_endpoint that begins with https"),
    "a page elsewhere": (
        {"discovery": {"authorization_endpoint": "https://login.example.org/"}}, "set providers.pages"),
    "plain PKCE alone": ({"discovery": {"code_challenge_methods_supported": ["plain"]}}, "no PKCE with S256"),
    "no codes": ({"discovery": {"response_types_supported": ["id_token"]}}, "gives no codes"),
    "no JSON": ({"body": {".well-known/openid-configuration": "<html>"}}, "no JSON object"),
    "a redirect": ({"status": {".well-known/openid-configuration": 302}, "headers": {"Location": "/work/x"}},
                   "status 302"),
    "nothing": ({"status": {".well-known/openid-configuration": 500}}, "status 500"),
    "300 KB": ({"body": {".well-known/openid-configuration": json.dumps({"x": "y" * 300000})}}, "larger than 256 KiB"),
}


@pytest.mark.only("nginx")
@pytest.mark.parametrize("wrong", WRONG)
def test_f214_a_description_that_we_do_not_go_by(stack, parties, browser, db, reason, wrong):
    told, said = WRONG[wrong]
    told = json.loads(json.dumps(told).replace("ISSUER", stack["identity_url"] + "/work"))
    renew(stack)
    parties.tell("work", **told)
    assert_refused(press_button(browser), browser, 503)
    assert said in reason()
    alert = ("select detail ->> 'error' from ops.alerts where kind = 'provider' and subject = 'work' "
             "and cleared_at is null")
    assert said in db.value(alert)
    renew(stack)
    parties.tell()
    assert press_button(browser).status == 303 and db.value(alert) is None


@pytest.mark.only("nginx")
def test_f214_an_alert_lasts_until_the_description_is_fetched(stack, parties, customer, other, db):
    alert = "select count(*) from ops.alerts where kind = 'provider' and subject = 'work' and cleared_at is null"
    renew(stack)
    parties.tell("work", discovery={"issuer": "https://evil.example.org"})
    assert connect(customer[0], "work").status == 503
    assert db.value(alert) == 1 and db.value("select count(*) from auth.flows") == 0
    renew(stack)
    parties.tell("work", user=someone())
    answer = press_button(other)
    assert answer.status == 303 and db.value(alert) == 0
    db.execute("select api.report_provider('work', 'another process has got another one')")
    assert come_back(other, answer).status == 303
    third = Browser(other.base)
    url = way_back(press_button(third))
    assert db.value(alert) == 1
    renew(stack)
    assert third.get(url).status == 303 and db.value(alert) == 0


@pytest.mark.only("nginx")
@pytest.mark.parametrize("broken", [{"status": {"keys": 500}}, {"keys": []}, {"body": {"keys": "<html>"}},
                                    {"body": {"keys": json.dumps({"keys": [{}] * 51})}}], ids=str)
def test_f215_keys_that_we_have_serve_while_there_are_none_to_get(stack, parties, browser, other, broken):
    renew(stack)
    parties.tell("work", user=someone())
    assert enter(browser).status == 303
    parties.seen()
    parties.tell("work", user=someone(), **broken)
    assert enter(other).location == "/workspace" and not parties.seen("keys")


@pytest.mark.only("nginx")
def test_f215_an_alert_names_whose_keys_cannot_be_had_and_ends_when_they_can(stack, parties, browser, other, db):
    alert = ("select detail ->> 'error' from ops.alerts where kind = 'provider' and subject = 'keys:work' "
             "and cleared_at is null")
    renew(stack)
    parties.tell("work", user=someone(), status={"keys": 500})
    assert_refused(enter(browser), browser, 503)
    url = stack["identity_url"] + "/work"
    assert db.value(alert) == f"{url}: {url}/keys is answered with status 500"
    renew(stack)
    parties.tell("work", user=someone())
    answer = press_button(other)
    assert answer.status == 303 and db.value(alert) is not None     # the description alone says nothing of the keys
    assert come_back(other, answer).location == "/workspace" and db.value(alert) is None


@pytest.mark.only("nginx")
def test_f215_unknown_keys_are_looked_for_once_a_minute(stack, parties, new_browser):
    renew(stack)
    parties.tell("work", user=someone())
    assert enter(new_browser()).status == 303
    parties.seen()
    parties.tell("work", user=someone(), header={"kid": "unknown"})
    for _ in range(5):
        assert enter(new_browser()).status == 400
    assert len(parties.seen("work/keys")) <= 1
