"""The ledger as a tenant's programs ask it: /api/usage with a key."""
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from journey import wait_until
from test_keys import made
from test_people import join, owner  # noqa: F401: the fixture

SETTINGS = {"meters": ["tokens"], "costs": [{"provider": "acme", "model": "big", "class": c, "micros": 3000000}
                                            for c in ("input", "output")],
            "quotas": [{"plan": plan, "meter": "tokens", "included": 100, "sold": False, "most": 100}
                       for plan in ("starter", "growth")],
            "rates": [{"name": "minute", "plan": "", "meter": "", "allowed": 60, "seconds": 60}],
            "caps": [{"kind": "tenant", "plan": "", "subject": "", "micros": 1000}]}
NOTHING = dict.fromkeys(("meters", "costs", "quotas", "rates", "caps"), [])     # as a stack begins


class Program:
    """What sends a key. A call without a body is a GET."""

    def __init__(self, browser, key):
        self.browser, self.key, self.n = browser, key, 0

    def __call__(self, path, body=None, **headers):
        self.n += 1
        given = {"Authorization": f"Bearer {self.key}", "Idempotency_Key": f"{id(self)}-{self.n}"}
        if body is not None:
            given["Content_Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.browser.request("GET" if body is None else "POST", "/api/usage" + path, body,
                                    **{**given, **headers})


@pytest.fixture
def program(owner, db, new_browser):  # noqa: F811
    """With a key of the owner's tenant; what it asks with is no browser that is signed in."""
    db.execute("select ops.put_usage(%s)", json.dumps(SETTINGS))
    yield Program(new_browser(), made(owner[0], "Program")[1])
    db.execute("select ops.put_usage(%s)", json.dumps(NOTHING))
    assert db.value("select usage.faults()") == []


def test_c75_units_are_held_and_settled(program, db, owner):  # noqa: F811
    held = program("/reserve", {"meter": "tokens", "units": 40})
    assert (held.status, held.json["state"], held.json["units"], held.json["left"]) == (200, "held", 40, 60)
    assert held.header("RateLimit-Policy") == '"minute";q=60;w=60'
    assert re.fullmatch(r'"minute";r=59;t=60', held.header("RateLimit"))
    over = program("/reserve", {"meter": "tokens", "units": 61})
    assert (over.status, over.json["code"], over.json["left"]) == (402, "quota", 60)
    assert over.json["upgrade"].endswith("/settings/billing") and over.json["error"] and over.json["reset"]
    done = program("/settle", {"id": held.json["id"], "units": 25})
    assert (done.status, done.json["used"], done.json["left"]) == (200, 25, 75)
    assert program("/settle", {"id": held.json["id"], "units": 25}).json == done.json
    assert program("/settle", {"id": held.json["id"].upper(), "units": 25}).json == done.json
    assert program("/settle", {"id": held.json["id"], "units": 26}).status == 409
    assert program("/record", {"meter": "tokens", "units": 90}).json["used"] == 90
    told = program("").json
    assert told["meters"] == [{"meter": "tokens", "used": 115, "held": 0, "included": 100, "sold": False, "most": 100,
                               "left": 0}]
    free = program("/settle", {"id": held.json["id"], "units": 0, "free": True})
    assert free.status == 409
    assert db.value("select count(*) from usage.holds where tenant_id = %s", owner[2]) == 2


def test_c87_money_is_bounded_too(program):
    asked = {"meter": "tokens", "provider": "acme", "model": "big", "counts": {"input": 10, "output": 20}}
    held = program("/reserve", asked)
    assert held.status == 200
    over = program("/reserve", {**asked, "counts": {"input": 0, "output": 400}})
    assert (over.status, over.json["code"]) == (402, "quota")
    done = program("/settle", {"id": held.json["id"], "counts": {"input": 10, "output": 3}})
    assert (done.json["used"], done.json["micros"]) == (13, 39)


def test_f138_jobs_end_what_nobody_settles(program, db):
    held = program("/reserve", {"meter": "tokens", "units": 40, "seconds": 1}).json["id"]
    db.execute("update usage.holds set expires_at = now() where id = %s", held)
    wait_until(lambda: db.value("select state from usage.holds where id = %s", held) == "expired", seconds=20)
    assert program("/settle", {"id": held, "units": 12}).json["used"] == 12
    assert program("").json["meters"][0]["used"] == 12


def test_f156_stripe_is_told_of_each_unit_once(program, db, owner, sim):  # noqa: F811
    sold = [{**quota, "sold": True, "most": None} for quota in SETTINGS["quotas"]]
    db.execute("select ops.put_usage(%s)", json.dumps({**SETTINGS, "quotas": sold}))
    begun = db.value("select clock_timestamp()")
    ids = [program("/record", {"meter": "tokens", "units": n}).json["id"] for n in (7, 0, 5)]
    told = "select array_agg(units order by at, id) from usage.outbox where tenant_id = %s and state = 'sent'"
    wait_until(lambda: db.value(told, owner[2]) == [7, 5])
    db.execute("update usage.outbox set state = 'pending', next_at = now() where tenant_id = %s", owner[2])
    wait_until(lambda: db.value(told, owner[2]) == [7, 5])
    sent = [call["params"] or {} for call in sim.requests("POST", "/v1/billing/meter_events")]
    customer = db.value("select id from billing.customers where tenant_id = %s", owner[2])
    ours = [p for p in sent if p.get("identifier") in ids]
    assert {(p["event_name"], p["identifier"], p["payload"]["stripe_customer_id"], p["payload"]["value"])
            for p in ours} == {("tokens", ids[0], customer, "7"), ("tokens", ids[2], customer, "5")}
    assert len(ours) == 4, "a duplicate is told"
    assert db.value("select count(*) from ops.alerts where kind in ('usage_parked', 'stripe_refusal') and "
                    "cleared_at is null and raised_at > %s", begun) == 0


def test_f140_the_same_key_is_one_request(program, db, owner):  # noqa: F811
    asked = {"meter": "tokens", "units": 1}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: program("/reserve", asked, Idempotency_Key="once"), range(8)))
    assert {a.status for a in answers} == {200} and len({a.json["id"] for a in answers}) == 1
    for other in ({"units": 2}, {"seconds": 600}):
        assert program("/reserve", {**asked, **other}, Idempotency_Key="once").status == 409, other
    again = [program(path, asked, Idempotency_Key=key) for path, key in (("/record", "told"), ("/record", "told"),
                                                                         ("/reserve", "once"))]
    assert {a.header("RateLimit").partition(";t=")[0] for a in again} == {'"minute";r=58'}, "a repetition takes none"
    assert db.value("select sum(held) from usage.accounts where tenant_id = %s and meter = 'tokens'", owner[2]) == 1
    for wrong in (None, ""):
        refused = program("/reserve", asked, Idempotency_Key=wrong)
        assert (refused.status, refused.json["field"]) == (400, "Idempotency-Key")


def test_f144_the_next_in_a_minute_is_told_when(program, db, owner):  # noqa: F811
    browser, email, tenant = owner
    db.execute("select ops.put_usage(%s)", json.dumps({**SETTINGS, "rates": [
        {"name": "minute", "plan": "", "meter": "", "allowed": 2, "seconds": 60}]}))
    mia = join(db, tenant, f"mia.{email}")
    for user in (None, mia):
        asked = {"meter": "tokens", "units": 1} | ({"user": user} if user else {})
        assert [program("/reserve", asked).status for _ in range(3)] == [200, 200, 429]
    refused = program("/reserve", asked)
    assert refused.json["code"] == "rate_minute" and refused.header("RateLimit").startswith('"minute";r=0;t=')
    wait = int(refused.header("Retry-After"))
    assert 58 <= wait == refused.json["retry_after"] <= 60
    for seconds, status in ((wait - 2, 429), (2, 200)):
        db.execute("update usage.windows set stamps = array("
                   "select s - make_interval(secs => %s) from unnest(stamps) s) "
                   "where subject = any(%s::uuid[])", seconds, [tenant, mia])
        assert program("/reserve", asked).status == status, "Retry-After is true to a second"


def test_f144_a_refusal_by_plan_says_the_limits_too(program, db):
    db.execute("select ops.put_usage(%s)", json.dumps({**SETTINGS, "quotas": []}))
    refused = program("/reserve", {"meter": "tokens", "units": 1})
    assert (refused.status, refused.json["code"]) == (403, "plan")
    assert refused.header("RateLimit-Policy") == '"minute";q=60;w=60'
    assert refused.header("RateLimit").startswith('"minute";r=60;')


def test_f143_of_two_hundred_at_once_as_many_pass_as_there_is_room_for(program, db, owner):  # noqa: F811
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda n: program("/reserve", {"meter": "tokens", "units": 13},
                                                  Idempotency_Key=f"at once {n}").status, range(200)))
    assert answers.count(200) == 7 and set(answers) <= {200, 402, 429, 503}
    assert db.row("select used, held from usage.accounts where tenant_id = %s and meter = 'tokens'",
                  owner[2]) == (0, 91)


def test_f145_a_suspended_user_begins_nothing(program, db, owner):  # noqa: F811
    _, email, tenant = owner
    mia = join(db, tenant, f"mia.{email}")
    asked = {"meter": "tokens", "units": 1, "user": mia}
    held = program("/reserve", asked)
    assert held.status == 200
    db.execute("update auth.users set disabled_at = now() where id = %s", mia)
    assert program("/reserve", asked).status == 422
    assert program("/settle", {"id": held.json["id"], "units": 1}).json["used"] == 1, "what was begun is counted"
    assert program("/record", asked).json["used"] == 1, "and what was used"


def test_f152_a_key_and_nothing_else_opens_it(program, owner, db):  # noqa: F811
    browser, _, tenant = owner
    asked = {"meter": "tokens", "units": 1}
    for sent in (None, "Basic " + program.key, "Bearer tg_" + "A" * 43, "Bearer", program.key):
        for path, body in (("/reserve", asked), ("", None)):
            refused = program(path, body, Authorization=sent)
            assert refused.status == 401 and refused.json["code"] == "auth"
            assert refused.header("WWW-Authenticate").startswith("Bearer ")
    assert Program(browser, "")("").status == 401, "a session is no key"
    for path, more in ((f"?key={program.key}", {}), (f"?access_token={program.key}", {}),
                       ("", {"Cookie": f"key={program.key}; __Host-sid={program.key}"})):
        assert program(path, Authorization=None, **more).status == 401, "a key is taken from Authorization alone"
    for scheme in ("bearer ", "Bearer  "):
        assert program("", Authorization=scheme + program.key).status == 200, "its case, and how many spaces"
    only = Program(program.browser, made(browser, "Reader", "read")[1])
    assert only("").status == 200 and only("/reserve", asked).status == 403
    assert program("/reserve", asked, Content_Type="text/plain").status == 415
    db.execute("update app.keys set revoked_at = now() where tenant_id = %s", tenant)
    assert program("").status == 401


def test_f157_a_scheduler_may_ask_for_what_happens_anyway(program, stack, db, owner):  # noqa: F811
    now, former = stack["cron_secrets"]
    held = program("/reserve", {"meter": "tokens", "units": 40}).json["id"]

    def asked(sent):
        return program.browser.request("POST", "/api/cron/rollover", b"", Authorization=sent)
    for wrong in (None, "", "Bearer ", "Bearer x", now, "Basic " + now, "Bearer " + now[:-1], f"Bearer {now}0",
                  "Bearer " + program.key):
        assert asked(wrong).status == 401 and asked(wrong).json["code"] == "auth"
    db.execute("update usage.holds set expires_at = now() where id = %s", held)
    db.execute("update usage.accounts set from_at = now() - interval '1 month', until_at = now() "
               "where tenant_id = %s", owner[2])
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda sent: asked("Bearer " + sent), (now, former, now, former)))
    assert {a.status for a in answers} == {200} and sum(a.json["opened"] for a in answers) >= 1
    assert db.value("select state from usage.holds where id = %s", held) == "expired"
    assert asked("Bearer " + now).json == {"opened": 0, "expired": 0, "more": False}
    assert program("").json["meters"][0]["left"] == 100


ONE = {"meter": "tokens", "units": 1}
NOBODY = "00000000-0000-4000-8000-000000000000"
WRONG = [
    ("/reserve", b"", 422, "body"), ("/reserve", [], 422, "body"), ("/reserve", {"units": 1}, 422, "meter"),
    ("/reserve", {"meter": "stones", "units": 1}, 422, "meter"), ("/reserve", {"meter": 5, "units": 1}, 422, "meter"),
    ("/reserve", {"meter": "tokens"}, 422, "units"), ("/reserve", {**ONE, "units": -1}, 422, "units"),
    ("/reserve", {**ONE, "units": 1.5}, 422, "units"), ("/reserve", {**ONE, "units": 2**63}, 422, "units"),
    ("/reserve", {**ONE, "units": 10**30}, 422, "units"), ("/reserve", {**ONE, "units": "1"}, 422, "units"),
    ("/reserve", {**ONE, "units": None}, 422, "units"), ("/reserve", {**ONE, "counts": {"a": 1}}, 422, "units"),
    ("/reserve", {"meter": "tokens", "counts": []}, 422, "counts"),
    ("/reserve", {"meter": "tokens", "counts": {}}, 422, "counts"),
    ("/reserve", {"meter": "tokens", "counts": {"input": 1, "output": -2}}, 422, "counts.output"),
    ("/reserve", {"meter": "tokens", "counts": {"A b": 1}}, 422, "counts.A b"),
    ("/record", {"meter": "tokens", "counts": {"a": 10**12, "b": 1}}, 422, "counts"),
    ("/reserve", {**ONE, "colour": 1}, 422, "colour"), ("/reserve", {**ONE, "seconds": 3601}, 422, "seconds"),
    ("/reserve", {**ONE, "seconds": 0}, 422, "seconds"), ("/reserve", {**ONE, "seconds": "x"}, 422, "seconds"),
    ("/reserve", {**ONE, "user": "x"}, 422, "user"), ("/reserve", {**ONE, "user": NOBODY}, 422, "user"),
    ("/reserve", {**ONE, "models": [{"provider": "acme"}]}, 422, "models"),
    ("/reserve", {**ONE, "models": "big"}, 422, "models"),
    ("/reserve", {**ONE, "models": [{"provider": "", "model": "tokens"}], "model": "big"}, 422, "model"),
    ("/reserve", {**ONE, "models": [{"provider": "", "model": "tokens"}], "provider": "acme"}, 422, "provider"),
    ("/reserve", {**ONE, "provider": "acme", "model": "big"}, 422, "model"),
    ("/reserve", {**ONE, "model": "other"}, 422, "model"),
    ("/reserve", {"meter": "tok\0ens", "units": 1}, 422, "body"),
    ("/settle", {"id": "x", "units": 1}, 404, "id"), ("/settle", {"id": NOBODY, "units": 1}, 404, "id"),
    ("/settle", {"units": 1}, 422, "id"), ("/settle", {"id": 5, "units": 1}, 422, "id"),
    ("/settle", {"id": NOBODY, "units": 1, "free": "no"}, 422, "free"),
    ("/record", {**ONE, "seconds": 5}, 422, "seconds")]


def test_f153_what_makes_no_sense_is_refused_by_its_field(program, db):
    before = db.value("select count(*) from usage.holds")
    for body in (b"{", b'{"meter": "tokens", "meter": "x", "units": 1}', b'{"meter": "tokens", "units": 1e-99999}',
                 b'{"meter": "tokens", "units": 1, "seconds": 0e-99999}'):
        assert program("/reserve", body).status == 400
    for path, body, status, field in WRONG:
        answer = program(path, body)
        assert (answer.status, answer.json["field"]) == (status, field), (body, answer.json)
        assert answer.json["error"] and answer.json["code"] and answer.json["reason"], body
    for key in ("a" * 256, "k\u00e9y", "tab\there"):
        answer = program("/reserve", ONE, Idempotency_Key=key)
        assert (answer.status, answer.json["field"]) == (400, "Idempotency-Key"), key
    assert db.value("select count(*) from usage.holds") == before
    assert program("/reserve", ONE, Idempotency_Key="a" * 255).status == 200
    again = program("/reserve", {**ONE, "units": 2}, Idempotency_Key="a" * 255)
    assert (again.status, again.json["field"]) == (409, "Idempotency-Key")
    held = program("/reserve", ONE).json["id"]
    assert program("/settle", {"id": held, "units": 1}).status == 200
    assert program("/settle", {"id": held, "units": 2}).json["field"] == "id"
