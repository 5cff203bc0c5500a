"""Signing in with an account elsewhere: OpenID providers and GitHub."""
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from journey import code_in, new_address, press_link, query_of, wait_until
from parties import PLACE, SID, assert_refused, come_back, enter, is_in, press_button, renew, someone, way_back
from test_browser import SIZES, driver, person, same_page  # noqa: F401 (fixtures)

pytestmark = pytest.mark.usefixtures("published")

def test_c46_who_is_new_becomes_a_user_and_comes_back_as_the_same(stack, parties, browser, other, db):
    claims = someone()
    parties.tell("work", user=claims)
    answer = press_button(browser, prefix="/de", next="/settings/billing")
    asked = query_of(answer.location)
    assert asked["scope"] == "openid email profile" and asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == stack["url"] + "/signin/callback/work"
    page = come_back(browser, answer)
    assert (page.status, page.location) == (303, "/de/settings/billing") and is_in(browser)
    name, picture, tenants = db.row(
        "select p.display_name, p.avatar_url, (select count(*) from app.members m where m.user_id = u.id) "
        "from auth.users u join app.profiles p on p.user_id = u.id where u.email = %s", claims["email"])
    assert (name, picture, tenants) == ("Grace Hopper", claims["picture"], 1)
    assert enter(other).location == "/workspace" and is_in(other)
    users, sessions = db.row("select count(distinct user_id), count(*) from auth.sessions s join auth.users u "
                             "on u.id = s.user_id where u.email = %s", claims["email"])
    assert (users, sessions) == (1, 2)
    redeemed = parties.seen("work/token")
    assert len(redeemed) == 2 and "Authorization" in redeemed[0]["headers"]
    assert "client_secret" not in redeemed[0]["form"] and len(redeemed[0]["form"]["code_verifier"]) == 64


def test_c46_the_session_lasts_as_its_box_says(parties, browser, other):
    parties.tell("work", user=someone())
    kept, = [line for line in enter(browser, remember="yes").header_all("Set-Cookie") if line.startswith(SID)]
    short, = [line for line in enter(other).header_all("Set-Cookie") if line.startswith(SID)]
    assert "Max-Age=2592000" in kept and "Max-Age" not in short


def test_f57_every_code_is_redeemed_with_the_verifier_of_its_own_challenge(parties, browser, other):
    parties.tell("work", user=someone())
    first, second = press_button(browser), press_button(other)
    challenges = {query_of(a.location)["code_challenge"] for a in (first, second)}
    assert len(challenges) == 2
    stolen = query_of(way_back(first))["code"]
    mixed = {**query_of(way_back(second)), "code": stolen}
    assert_refused(other.get("/signin/callback/work?" + urlencode(mixed)), other)


def test_f56_a_way_back_is_for_the_browser_that_left_and_good_once(parties, browser, other, db, reason):
    parties.tell("work", user=someone())
    answer = press_button(browser)
    url = way_back(answer)
    assert_refused(other.get(url), other)       # of another browser: it has no flow cookie
    other.get("/signin")
    assert_refused(other.get(url), other)       # and with one of its own
    assert browser.get(url).status == 303
    again = browser.get(url)
    assert again.status == 400 and "over" in reason()
    assert db.value("select count(*) from auth.flows where provider = 'work'") == 0


@pytest.mark.parametrize("change", [
    {"state": None}, {"state": ""}, {"state": "A" * 43}, {"state": "x" * 500}], ids=str)
def test_f56_state_that_is_not_ours_leads_nowhere(parties, browser, change):
    back = query_of(way_back(press_button(browser)))
    back = {k: v for k, v in {**back, **change}.items() if v is not None}
    assert_refused(browser.get("/signin/callback/work?" + urlencode(back)), browser)
    assert not parties.seen("token")


def test_f56_a_visit_is_over_after_ten_minutes(parties, browser, db):
    url = way_back(press_button(browser))
    db.execute("update auth.flows set created_at = created_at - interval '10 min'")
    assert_refused(browser.get(url), browser)
    assert not parties.seen("token")


def test_f58_a_code_of_one_party_is_not_redeemed_at_another(parties, browser):
    back = query_of(way_back(press_button(browser, "partner")))
    assert_refused(browser.get("/signin/callback/work?" + urlencode(back)), browser)
    mine = query_of(way_back(press_button(browser, "work")))
    assert_refused(browser.get("/signin/callback/work?" + urlencode({**mine, "iss": back["iss"]})), browser)
    assert not parties.seen("token")


def test_f60_an_address_alone_connects_nothing(parties, customer, other, new_browser, mail, db):
    """It is somebody's: the mailbox decides, and then the two belong together."""
    owner, email = customer
    claims = someone(email=email)
    parties.tell("work", user=claims)
    seen = len(mail.to(email))
    page = enter(other)
    assert page.location == "/signin/connect" and other.cookie(SID) is None
    assert db.value("select count(*) from auth.identities where subject = %s", claims["sub"]) == 0
    letter = mail.next(email, seen, r"signin/connect\?t=")
    assert claims["email"] in letter["text"] and "work" in letter["text"]
    token = letter["text"].partition("/signin/connect?t=")[2].split()[0]
    stranger = new_browser()
    assert press_link(stranger, token, "/signin/connect").status == 422
    shown = other.get("/signin/connect?t=" + token).text
    assert "Account with: work" in shown.replace("<strong>", "") and "can sign in as you" in shown
    assert press_link(other, token, "/signin/connect").location == "/workspace" and is_in(other)
    assert other.get("/signin/connect?t=" + token).status == 410
    again = new_browser()
    assert enter(again).location == "/workspace" and is_in(again)
    assert db.value("select count(*) from auth.users where email = %s", email) == 1
    assert "connected" in mail.next(email, seen, "account elsewhere was connected")["text"]


def test_f60_a_code_that_is_typed_in_another_browser_connects_nothing(parties, customer, other, new_browser, mail, db):
    """Whoever reads the mail need not be who has the account elsewhere, which may claim any address."""
    _, email = customer
    claims = someone(email=email, email_verified=False)
    parties.tell("work", user=claims)
    seen = len(mail.to(email))
    assert enter(other).location == "/signin/connect"
    letter = mail.next(email, seen, r"signin/connect\?t=")
    token = letter["text"].partition("/signin/connect?t=")[2].split()[0]
    owner = new_browser()
    page = owner.get("/signin/connect?t=" + token)
    assert "is not connected then" in page.text
    assert owner.submit(page, {"code": code_in(letter)}).location == "/workspace" and is_in(owner)
    assert db.value("select count(*) from auth.identities where subject = %s", claims["sub"]) == 0
    assert enter(other).location == "/signin/connect" and other.cookie(SID) is None


def test_f60_an_address_that_the_party_has_not_verified_needs_its_mailbox(parties, browser, other, mail, db):
    claims = someone(email_verified=False)
    parties.tell("work", user=claims)
    page = browser.follow(enter(browser))
    assert "Check your mail" in page.html.one("h1").text
    assert db.value("select count(*) from auth.users where email = %s", claims["email"]) == 0
    wrong = browser.submit(page, {"code": "AAAA-AAAA"})
    assert wrong.status == 422
    done = browser.submit(wrong, {"code": code_in(mail.wait(claims["email"]))})
    assert done.location == "/workspace" and is_in(browser)
    assert db.value("select display_name from app.profiles p join auth.users u on u.id = p.user_id where u.email = %s",
                    claims["email"]) == "Grace Hopper"
    assert enter(other).location == "/workspace"


def test_f60_another_address_later_is_still_the_same_user(parties, user, other, db):
    _, claims = user
    parties.tell("work", user={**claims, "email": new_address("moved"), "email_verified": True})
    assert enter(other).location == "/workspace"
    assert db.value("select count(*) from auth.identities where subject = %s", claims["sub"]) == 1
    assert db.value("select email from auth.users u join auth.identities i on i.user_id = u.id where i.subject = %s",
                    claims["sub"]) == claims["email"]


def test_f61_what_a_party_says_of_an_error_is_in_the_log_only(parties, browser, reason):
    words = "<script>alert(1)</script>\r\nSet-Cookie: x=1"
    parties.tell("work", back={"code": None, "error": words, "error_description": words})
    page = enter(browser)
    assert_refused(page, browser)
    assert "<script>alert" not in page.text and not [h for h in page.headers if "x=1" in h[1]]
    assert reason().startswith("it says: <script>")


def test_f216_github_says_errors_with_status_200(parties, browser, reason):
    parties.tell("github", user=someone(), body={"login/oauth/access_token": json.dumps(
        {"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."})})
    assert_refused(enter(browser, "github"), browser)
    assert "status 200: bad_verification_code" in reason()


@pytest.mark.parametrize("emails", [
    [], [{"email": "x@example.org", "primary": True, "verified": False}],
    [{"email": "x@example.org", "primary": False, "verified": True}], {"message": "Not Found"}], ids=str)
def test_f216_github_without_a_verified_address(parties, browser, db, reason, emails):
    parties.tell("github", userinfo={"id": 4711}, emails=emails)
    assert_refused(enter(browser, "github"), browser)
    assert "address" in reason() and db.value("select count(*) from auth.identities where subject = '4711'") == 0


def test_c46_github_knows_its_users_by_number(parties, browser, other, db):
    claims, number = someone(), int(time.time() * 1000)
    parties.tell("github", user=claims, userinfo={"id": number, "login": "grace"})
    answer = press_button(browser, "github")
    assert query_of(answer.location)["scope"] == "read:user user:email"
    assert come_back(browser, answer).location == "/workspace"
    parties.tell("github", user=someone(), userinfo={"id": number + 1, "login": "grace"})
    assert enter(other, "github").location == "/workspace"
    assert db.value("select count(distinct user_id) from auth.identities where account = 'grace' and subject = any(%s)",
                    [str(number), str(number + 1)]) == 2
    for s in parties.seen("api/v3/user"):
        assert s["headers"]["User-Agent"].startswith("Tollgate/")


@pytest.mark.parametrize("name, claims, verified", [
    ("google", {"email": "NEW@gmail.com"}, True), ("google", {"hd": "example.com"}, True), ("google", {}, False),
    ("google", {"hd": "example.com", "email_verified": False}, False),
    ("microsoft", {}, False), ("microsoft", {"xms_edov": True}, True), ("microsoft", {"xms_edov": "1"}, True),
    ("microsoft", {"xms_edov": False}, False), ("work", {"email_verified": "true"}, False)], ids=str)
def test_f60_whose_word_an_address_is(parties, browser, db, name, claims, verified):
    told = someone()
    told.update({k: v.replace("NEW", told["sub"]) if k == "email" else v for k, v in claims.items()})
    parties.tell(name, user=told)
    assert enter(browser, name).location == ("/workspace" if verified else "/signin/connect")


def test_c46_google_may_leave_out_the_scheme(stack, parties, browser):
    parties.tell("google", user=someone(hd="example.com"), claims={"iss": "accounts.google.com"})
    assert enter(browser, "google").location == "/workspace"


def test_f217_an_answer_that_is_posted_from_elsewhere_comes_in_by_get(stack, parties, browser, other):
    parties.tell("apple", user=someone(email_verified="true"))
    answer = press_button(browser, "apple")
    assert query_of(answer.location)["response_mode"] == "form_post"
    told = requests.get(answer.location, timeout=10).json()
    posted = browser.post(told["post"], told["form"], came_from=answer.location)
    assert "Cookie" not in posted.sent and posted.status == 303 and not posted.header_all("Set-Cookie")
    assert urlsplit(posted.location).path == "/signin/callback/apple"
    assert other.get(posted.location).status == 400
    assert browser.get(posted.location, came_from=answer.location).location == "/workspace" and is_in(browser)
    assert browser.post("/signin/callback/apple", b"%zz", came_from=answer.location).status == 400
    assert browser.post("/signin/callback/nobody", told["form"], came_from=answer.location).status in (303, 404)


def name_of(db, claims):
    return db.value("select p.display_name from app.profiles p join auth.users u on u.id = p.user_id "
                    "where u.email = %s", claims["email"])


@pytest.mark.parametrize("told, name", [
    ('{"name": {"firstName": " Grace", "lastName": "Hopper "}, "email": "else@example.org"}', "Grace Hopper"),
    ('{"name": {"firstName": "Gr\\u00e4ce"}}', "Gr\u00e4ce"), ('{"name": {"lastName": "%s"}}' % ("H" * 99), "H" * 32),
    ('{"name": {"firstName": "%s"}}' % ("H" * 401), None), ('{"name": {"firstName": "Gr\\u0000ace"}}', None),
    ('{"name": {"firstName": "Gr\\u202eace"}}', None), ('{"name": {"firstName": "See", "lastName": "http://x"}}', None),
    ('{"name": "Grace"}', None), ("Grace", None)], ids=str)
def test_f217_a_name_that_is_posted_beside_the_token_is_a_new_users_first(parties, browser, other, db, told, name):
    claims = someone(email_verified="true", name=None)
    parties.tell("apple", user=claims, more_back=[["user", told]])

    def come_in(b):
        answer = press_button(b, "apple")
        form = requests.get(answer.location, timeout=10).json()["form"]
        back = b.post("/signin/callback/apple", form, came_from=answer.location).location
        return b.get(back, came_from=answer.location)
    assert come_in(browser).location == "/workspace" and is_in(browser)
    assert name_of(db, claims) == (name or claims["email"].partition("@")[0][:32])
    parties.tell("apple", user=claims, more_back=[["user", '{"name": {"firstName": "Mallory"}}']])
    assert come_in(other).location == "/workspace" and is_in(other)
    assert name_of(db, claims) != "Mallory"


def test_f217_a_name_in_an_address_is_not_taken_for_a_party_that_posts_nothing(parties, browser, db):
    claims = someone(name=None)
    parties.tell("work", user=claims, back={"name": "Mallory"})
    assert enter(browser).location == "/workspace" and name_of(db, claims) != "Mallory"


def test_f218_two_ways_back_at_once_make_one_user(parties, new_browser, db):
    claims = someone()
    parties.tell("work", user=claims)
    browsers = [new_browser() for _ in range(2)]
    urls = [way_back(press_button(b)) for b in browsers]
    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(lambda pair: pair[0].get(pair[1]), zip(browsers, urls)))
    assert [p.location for p in pages] == ["/workspace"] * 2, pages
    assert db.row("select count(distinct u.id), count(distinct i.id) from auth.users u join auth.identities i "
                  "on i.user_id = u.id where u.email = %s", claims["email"]) == (1, 1)


def test_s02_a_party_that_hangs_takes_no_page_with_it(stack, parties, new_browser):
    parties.tell("partner", slow={"token": 3})
    browsers = [new_browser() for _ in range(4)]
    urls = [way_back(press_button(b, "partner")) for b in browsers]
    with ThreadPoolExecutor(4) as pool:
        hanging = [pool.submit(b.get, url) for b, url in zip(browsers, urls)]
        time.sleep(0.5)
        begun = time.monotonic()
        assert new_browser().get("/signin/connect").status == 200
        assert time.monotonic() - begun < 2.4
        assert sorted(h.result().status for h in hanging).count(503) == 1


def test_s08_a_network_begins_only_so_many(limit, parties, browser, db):
    waits = limit("flow_near", 1)
    db.execute("delete from auth.flows")
    assert press_button(browser).status == 303
    refused = press_button(browser)
    assert refused.status == 429 and "ten minutes" in refused.text and waits(refused)
    assert db.value("select count(*) from auth.flows") == 1


@pytest.mark.only("nginx")
def test_s02_a_party_whose_description_hangs_takes_no_page_with_it(stack, parties, new_browser, limit):
    renew(stack)
    parties.tell("partner", slow={".well-known/openid-configuration": 3})
    limit("flow_near", 4)
    with ThreadPoolExecutor(4) as pool:
        hanging = [pool.submit(press_button, new_browser(), "partner") for _ in range(4)]
        time.sleep(0.5)
        begun = time.monotonic()
        assert press_button(new_browser(), "partner").status == 429
        assert new_browser().get("/signin/connect").status == 200
        assert time.monotonic() - begun < 2.4
        assert sorted(h.result().status for h in hanging) == [303, 503, 503, 503]


def test_s02_however_many_parties_hang_others_are_reached(stack, parties, new_browser, db):
    """Each hangs in another thread (at Apache: process), and serve.calls of them together."""
    renew(stack)
    hang = {"slow": {".well-known/openid-configuration": 3}}
    names = ("partner", "google", "microsoft", "apple", "work")
    for name in names:
        parties.tell(name, **hang)
    with ThreadPoolExecutor(5) as pool:
        hanging = [pool.submit(press_button, new_browser(), name) for name in names]
        time.sleep(0.5)
        begun = time.monotonic()
        assert new_browser().get("/signin/connect").status == 200
        assert press_button(new_browser(), "github").status == 303
        assert time.monotonic() - begun < 2.4
        assert sorted(h.result().status for h in hanging) == [303] * 3 + [503] * 2
    assert db.value("select count(*) from auth.asking where flow is not null and until > now()") == 0


def test_s02_a_visit_that_may_mail_nobody_leaves_no_place_taken(limit, parties, customer, other, db):
    parties.tell("work", user=someone(email=customer[1]))
    limit("link_near", 1)
    assert enter(other).location == "/signin/connect"
    assert enter(other).status == 429
    assert db.value("select count(*) from auth.asking where flow is not null and until > now()") == 0


def test_f37_a_button_of_another_site_begins_nothing(parties, browser, db):
    page = browser.get("/signin/with/work")
    assert "work" in page.html.one("h1").text
    fields = page.form().fields
    assert browser.post("/signin/with/work", fields, came_from="https://evil.example.org").status == 403
    again = browser.post("/signin/with/work", {**fields, "csrf": "A" * 43}, came_from=page)
    assert again.status == 403 and "too long" in again.text
    assert browser.submit(again).status == 303
    assert browser.get("/signin/with/nobody").status == 404
    assert browser.get("/signin/callback/nobody?state=x").status == 404


def test_c46_a_known_provider_library_is_understood(stack, parties, browser):
    """Authlib's server, as an independent party. Of a secret it takes no escapes."""
    secret = Path(stack["config"]).parent / "other.secret"
    port = urlsplit(stack["other_identity_url"]).port
    process = subprocess.Popen(["/usr/bin/python3", Path(__file__).parents[1] / "identity/authlib_provider",
                                str(port), "other", "tollgate", secret])
    try:
        wait_until(lambda: answers(stack["other_identity_url"] + "/other/.well-known/openid-configuration"))
        assert enter(browser, "other").location == "/workspace" and is_in(browser)
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        return requests.get(url, timeout=2).ok
    except requests.ConnectionError:
        return False


def test_f43_no_secret_and_no_code_of_a_party_is_in_a_log(stack, parties, browser):
    parties.tell("work", user=someone())
    url = way_back(press_button(browser))
    assert browser.get(url).status == 303
    hidden = [stack["identity_secret"], query_of(url)["code"], query_of(url)["state"]]
    for path in Path(stack["log_dir"]).iterdir():
        if path.name != "identity.log":
            text = path.read_text(errors="replace")
            assert not [h for h in hidden if h in text], path


@pytest.mark.parametrize("size", SIZES)
@same_page
def test_c03_chromium_goes_there_and_back_without_scripts(parties, person, db, size):  # noqa: F811
    """A policy that names too few origins stops the way there, and a cookie that is too strict the way back."""
    person.shots = f"elsewhere-{size}"
    person.size(*SIZES[size])
    parties.tell("work", user=someone())
    person.open("/signin")
    person.shoot("signin")
    person.press("button[formaction$='/with/work']")
    assert person.path() == "/workspace"
    person.open(PLACE)
    person.shoot("connections")
    assert "Grace" not in person.text() and "work" in person.text()
    parties.tell("partner", user=someone(), tamper=True)
    person.press("form:has(input[value=partner]) button")
    assert "did not work" in person.text("h1")
    person.shoot("failed")
    parties.tell("partner", user=someone())
    person.open(PLACE)
    person.press("form:has(input[value=partner]) button")
    assert person.path() == PLACE + "?connected=yes"
    person.shoot("connected")
    for name, path in (("with", "/de/signin/with/google"), ("sent", "/de/signin/connect"),
                       ("register", "/de/register")):
        person.driver.delete_all_cookies()
        person.open(path)
        person.shoot(name)
