"""/status, the page and its JSON: how the site is, for everybody."""
import json
import re
import time

import pytest
from client import Browser, exchange
from faults import Postgres
from journey import stack_command, wait_until
from test_browser import SIZES, driver, person  # noqa: F401 (fixtures)

PAGE, JSON = "/status", "/api/status"
PROGRAMS = {"account", "admin", "authn", "billing", "chat", "jobs", "mailer", "signin", "signup", "usage", "webhooks"}
KEPT = 5        # seconds for which a process remembers what it was told
OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b(cus|sub|cs|evt|acct|price|sk|whsec)_|@|tollgate_\w|\bpid\b")


def told(browser):
    return browser.get(JSON).json


def states(doc):
    return {p["name"]: p["state"] for p in doc["programs"]}


def until(browser, check):
    """The first answer of which this is true."""
    return wait_until(lambda: (doc := told(browser)) and check(doc) and doc)


@pytest.fixture
def well(browser, db):
    """What is told while all works: without what other tests have left broken, by models and mails."""
    db.execute("delete from chat.calls")
    db.execute("update chat.breakers set state = 'closed', until = null, trips = 0")
    db.execute("update mail.outbox set state = 'void' where state = 'pending' "
               "and created_at < now() - interval '4 min'")
    return until(browser, lambda doc: doc["state"] == "up")


def test_c83_all_works(browser, well):
    assert set(states(well)) >= PROGRAMS and set(states(well).values()) <= {"up", "idle"}
    assert states(well)["jobs"] == states(well)["mailer"] == states(well)["account"] == "up"
    assert (well["database"]["state"], well["stripe"]["state"], well["mail"]["state"]) == ("up", "up", "up")
    assert well["stripe"]["answered"]["iso"] and well["database"]["since"]["iso"]
    assert all(p["since"]["iso"] for p in well["programs"] if p["state"] == "up")
    for prefix, words, program in (("", "Everything works", "Signing in"), ("/de", "Alles funktioniert", "Anmeldung")):
        page = browser.get(prefix + PAGE)
        assert page.status == 200 and page.html.one(id="whole").one("h2").text == words
        assert program in page.html.one(id="programs").text
        assert re.search(r"\d{1,2}:\d{2} UTC", page.html.one(id="whole").text)


@pytest.mark.parametrize("path, leads_to", [("/signin", PAGE), ("/de/signin", "/de" + PAGE), ("/nothing-here", PAGE)])
def test_c83_each_page_leads_to_it(browser, path, leads_to):
    link = browser.get(path).html.one("footer").one("a", href=leads_to)
    there = browser.get(leads_to).html
    assert link.get("aria-current") is None and link.text == "Status" == there.one("h1").text
    assert there.one("footer").one("a", href=leads_to).get("aria-current") == "page"


def test_c83_a_script_gets_json_at_either_address(browser, well):
    for path in (PAGE, JSON):
        page = browser.get(path, Accept="application/json")
        assert page.status == 200 and page.header("Content-Type") == "application/json"
        assert {k: type(v) for k, v in page.json.items()} == {k: type(v) for k, v in well.items()}
    assert browser.get(JSON).header("Content-Type") == "application/json"
    head = browser.request("HEAD", JSON)
    assert head.status == 200 and head.body == b""
    assert browser.post(JSON, b"{}", Content_Type="application/json").status == 405


def test_c83_it_tells_everybody_the_same(customer, stack, well):
    """Whoever asks, with a session or without: the answer takes no cookie and gives none."""
    browser, email = customer
    mine, theirs = browser.get(PAGE), Browser(stack["url"]).get(PAGE)
    assert theirs.header("Set-Cookie") is None and mine.header("Set-Cookie") is None
    for page in (mine, theirs, browser.get(JSON)):
        assert not OURS.search(page.text.replace("@media", "")) and email not in page.text


@pytest.mark.only("nginx")
def test_c83_the_database_is_asked_once_in_a_few_seconds(browser, well):
    first = well["at"]["iso"]
    fresh = until(browser, lambda doc: doc["at"]["iso"] > first)["at"]["iso"]
    time.sleep(KEPT / 2)
    assert {told(browser)["at"]["iso"] for _ in range(10)} == {fresh}
    time.sleep(KEPT / 2 + 1)
    assert told(browser)["at"]["iso"] > fresh


@pytest.mark.only("nginx")
@pytest.mark.parametrize("name, what", [("jobs", "stripe"), ("mailer", "mail")])
def test_c83_jobs_or_mailer_that_does_not_run_is_told(browser, stack, well, name, what):
    stack_command("stop", "--dir", stack["dir"], name)
    try:
        doc = until(browser, lambda doc: states(doc)[name] == "down")
        page = wait_until(lambda: (p := browser.get(PAGE)) and "Not everything" in p.text and p)
    finally:
        stack_command("start", "--dir", stack["dir"], name)
    assert (doc["state"], doc[what]["state"]) == ("degraded", {"stripe": "unknown", "mail": "down"}[what])
    assert page.status == 200 and page.html.one(id="programs").all("span", **{"class": "badge bad"})


@pytest.mark.only("nginx")
def test_c83_a_mail_that_waits_is_told_and_nothing_of_it(browser, db, well):
    key = db.value("insert into mail.outbox (key, recipient, template, language, state, created_at, next_at) values "
                   "(gen_random_uuid()::text, 'whoever@example.com', 'signin', 'en', 'pending', "
                   "now() - interval '10 min', now() + interval '1 hour') returning key")
    try:
        doc = until(browser, lambda doc: doc["mail"]["state"] == "delayed")
    finally:
        db.execute("delete from mail.outbox where key = %s", key)
    assert doc["state"] == "degraded" and doc["mail"]["waits_since"]["iso"].endswith(":00Z")
    assert "whoever" not in json.dumps(doc)


@pytest.mark.only("nginx")
def test_c83_a_model_that_fails_often_is_told_to_all_and_to_the_operator_once(browser, db, well):
    """Until it answers again. jobs looks every ten seconds."""
    provider, model = db.row("select provider, model from chat.models where offered order by name limit 1")

    def called(failures):
        db.execute("delete from chat.calls where provider = %s and model = %s", provider, model)
        db.execute("insert into chat.calls (provider, model, at, calls, failures) values (%s, %s, now(), 20, %s)",
                   provider, model, failures)

    def row(doc):
        return next(m for m in doc["models"] if (m["provider"], m["model"]) == (provider, model))

    alerts = "select cleared_at is null from ops.alerts where kind = 'model_errors' and subject = %s order by id"
    subject = f"{provider}:{model}"
    db.execute("delete from ops.alerts where subject = %s", subject)      # of earlier tests, in which it failed
    try:
        called(7)
        doc = until(browser, lambda doc: row(doc)["state"] == "elevated")
        assert doc["state"] == "degraded" and row(doc)["error_rate"] == 35
        page = wait_until(lambda: (p := browser.get(PAGE)) and "Many errors" in p.text and p)
        shown = page.html.one(id="models").text
        assert "35 % of the last calls failed." in shown and f"{provider} · {model}" in shown
        wait_until(lambda: db.rows(alerts, subject) == [(True,)])
        called(8)
        wait_until(lambda: db.value("select detail ->> 'percent' from ops.alerts where subject = %s", subject) == "40")
        assert db.rows(alerts, subject) == [(True,)]
    finally:
        called(0)
    wait_until(lambda: db.rows(alerts, subject) == [(False,)])
    assert row(until(browser, lambda doc: row(doc)["state"] == "up"))["error_rate"] == 0
    db.execute("delete from ops.alerts where subject = %s", subject)
    db.execute("delete from chat.calls where provider = %s and model = %s", provider, model)


@pytest.mark.only("nginx")
def test_f96_stripe_out_of_reach_is_told_and_back(browser, sim, db, well, calm):
    """jobs finds out: its breaker opens, and closes at the first answer."""
    sim.fault(method="GET", path="/v1/customers/*", status=500, times=1000)
    db.execute("insert into sync.objects (kind, id) select 'customer', 'cus_outage' || n from generate_series(1, 6) n")
    try:
        doc = until(browser, lambda doc: doc["stripe"]["state"] == "down")
        assert doc["state"] == "degraded" and doc["stripe"]["since"]["iso"] and doc["stripe"]["answered"]["iso"]
        sim.delete("faults")
        until(browser, lambda doc: doc["stripe"]["state"] == "up")
    finally:
        db.execute("delete from sync.objects where id ~ '^cus_outage'")


@pytest.mark.only("nginx")
def test_f83_without_a_database_it_says_so(browser, stack, db, well):
    with Postgres(stack, db).down():
        page = wait_until(lambda: (p := browser.get(JSON)).status == 503 and p)
        assert page.json["state"] == page.json["database"]["state"] == "down" and page.json["code"] == "unavailable"
        assert int(page.header("Retry-After")) > 0 and "programs" not in page.json
        page = wait_until(lambda: (p := browser.get("/de" + PAGE)).status == 503 and p)
        assert page.html.one(id="whole").one("h2").text == "Die Website funktioniert gerade nicht"
        assert int(page.header("Retry-After")) > 0 and "Datenbank" in page.html.one(id="parts").text
    until(browser, lambda doc: doc["state"] == "up")


@pytest.mark.only("nginx")
def test_c83_it_fits_a_phone_and_a_desk_in_each_state(person, browser, stack, db, well):  # noqa: F811
    def seen(state, words):
        wait_until(lambda: (person.open(PAGE), words in person.text("#whole"))[1])
        for name, size in SIZES.items():
            person.shots = name
            person.size(*size)
            assert person.outer("document.documentElement.scrollWidth") <= size[0]
            person.size(size[0], person.outer("document.documentElement.scrollHeight"))
            person.shoot(f"status-{state}")

    seen("up", "Everything works")
    stack_command("stop", "--dir", stack["dir"], "jobs")
    try:
        seen("degraded", "Not everything works")
    finally:
        stack_command("start", "--dir", stack["dir"], "jobs")
    with Postgres(stack, db).down():
        seen("down", "The site does not work")


def test_c83_a_head_of_another_host_is_refused(stack):
    page = exchange("GET", stack["url"] + JSON, {"Host": "elsewhere.example"}, None, None)
    assert page.status in (404, 421)
