"""Webhooks: the exact bytes, verified, kept, and acted upon once."""
import hashlib
import hmac
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe
from client import exchange, raw
from journey import become_customer, session_in, sign_up, wait_until

PATHS = ["/webhooks/stripe", "/api/webhooks/stripe", "/api/billing/sync"]
RECEIVED = b'{"received":true}'


def sign(secret, body, when=None, scheme="v1"):
    when = int(time.time()) if when is None else when
    mac = hmac.new(secret.encode(), b"%d." % when + body, hashlib.sha256).hexdigest()
    return f"t={when},{scheme}={mac}"


def new_event(kind="plan.created", **more):
    """(id, bytes) of an event of a type that is ignored."""
    ident = "evt_" + secrets.token_hex(12)
    event = {"id": ident, "object": "event", "api_version": "2026-07-29.dahlia", "created": int(time.time()),
             "livemode": False, "type": kind, "data": {"object": {"id": "plan_1", "object": "plan"}}, **more}
    return ident, json.dumps(event, indent=2).encode()


@pytest.fixture
def post(stack):
    """Sends bytes as Stripe does: no cookie, no origin."""
    def send(body, signature="", path=PATHS[0], **headers):
        signature = sign(stack["webhook_secret"], body) if signature == "" else signature
        sent = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0",
                **({"Stripe-Signature": signature} if signature is not None else {}),
                **{k.replace("_", "-"): v for k, v in headers.items()}}
        return exchange("POST", stack["url"] + path, sent, body)
    return send


def row(db, ident):
    return db.row("select type, raw, state, object_kind, object_id, signature_header from inbox.events where id = %s",
                  ident)


@pytest.mark.parametrize("path", PATHS)
def test_c29_each_address_takes_events(post, db, path):
    ident, body = new_event()
    page = post(body, path=path)
    assert (page.status, page.body) == (200, RECEIVED)
    assert page.header("Content-Type") == "application/json"
    assert row(db, ident)[0] == "plan.created"


@pytest.mark.parametrize("path", ["/en" + PATHS[0], "/de" + PATHS[2], "/webhooks", "/webhooks/stripe/",
                                  "/api/webhooks"])
def test_c29_and_no_other(post, db, path):
    ident, body = new_event()
    page = post(body, path=path, Accept="application/json")
    # The web servers send these to other workers or to none; no program may store the event.
    assert page.status == 404
    assert row(db, ident) is None


EXACT = {
    "indented": lambda e: json.dumps(e, indent=2).encode(),
    "with CRLF": lambda e: json.dumps(e, indent=2).replace("\n", "\r\n").encode(),
    "with UTF-8": lambda e: json.dumps({**e, "note": "Grüße, 日本, 🎫"}, ensure_ascii=False).encode(),
    "with escapes": lambda e: json.dumps({**e, "note": "Grüße, 日本, 🎫"}).encode(),
    "with U+0000": lambda e: json.dumps({**e, "note": "a\0b"}).encode(),
    "with spaces at the end": lambda e: json.dumps(e).encode() + b" \n",
    "400 KB": lambda e: json.dumps({**e, "note": "x" * 400000}).encode(),
    "with a lone surrogate": lambda e: json.dumps({**e, "note": "?"}).replace('"?"', '"\\ud800"').encode(),
    "with invalid UTF-8": lambda e: json.dumps({**e, "note": "?"}).encode().replace(b'"?"', b'"\xff\xfe"'),
}


@pytest.mark.parametrize("how", EXACT)
def test_c30_the_exact_bytes_are_verified_and_kept(post, db, how):
    ident, body = new_event()
    body = EXACT[how](json.loads(body))
    page = post(body)
    assert (page.status, page.body) == (200, RECEIVED)
    assert row(db, ident)[1] == body


def test_c30_stripes_own_library_signs_what_we_accept(post, db, stack):
    """The library also accepts our signatures, so both implementations agree."""
    ident, body = new_event()
    header = sign(stack["webhook_secret"], body)
    assert stripe.Webhook.construct_event(body, header, stack["webhook_secret"])["id"] == ident
    when = int(time.time())
    mac = stripe.WebhookSignature._compute_signature("%d.%s" % (when, body.decode()), stack["webhook_secret"])
    assert post(body, f"t={when},v1={mac}").status == 200


def test_c30_the_same_json_written_anew_fails(post, db, stack):
    ident, body = new_event()
    page = post(json.dumps(json.loads(body)).encode(), sign(stack["webhook_secret"], body))
    assert page.status == 400
    assert row(db, ident) is None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("signature", [None, ""])
def test_c31_no_signature(post, db, stack, path, signature):
    ident, body = new_event()
    headers = {"Content-Type": "application/json"}
    page = exchange("POST", stack["url"] + path, headers if signature is None else {**headers, "Stripe-Signature": ""},
                    body)
    assert (page.status, page.body) == (400, b'{"error":"Missing signature","code":"missing_signature"}')
    assert page.header("Content-Type") == "application/json"
    assert row(db, ident) is None


def bad_signatures(secret, body):
    now = int(time.time())
    good = sign(secret, body)
    mac = good.split("v1=")[1]
    return {
        "no t": f"v1={mac}", "two t": f"t={now}," + good, "t no number": f"t=now,v1={mac}", "t empty": f"t=,v1={mac}",
        "t=0": sign(secret, body, 0), "301 s old": sign(secret, body, now - 302),
        "320 s ahead": sign(secret, body, now + 320), "v0 only": sign(secret, body, scheme="v0"),
        "bad hex": f"t={now},v1={'z' * 64}", "cut": good[:-1], "longer": good + "0",
        "other secret": sign("whsec_of_another_endpoint", body), "no v1": f"t={now}", "empty v1": f"t={now},v1=",
        "a hundred v1": f"t={now}" + f",v1={'0' * 64}" * 100 + f",v1={mac}", "words": "let me in",
        "another time": f"t={now - 1},v1={mac}", "16 KB": "a" * 6000,
    }


@pytest.mark.parametrize("how", bad_signatures("s", b""))
def test_f69_a_bad_signature(post, db, stack, how):
    ident, body = new_event()
    page = post(body, bad_signatures(stack["webhook_secret"], body)[how])
    assert (page.status, page.body) == (400, b'{"error":"Invalid signature","code":"invalid_signature"}')
    assert row(db, ident) is None


def test_f69_one_good_v1_among_bad_ones(post, stack):
    _, body = new_event()
    good = sign(stack["webhook_secret"], body)
    assert post(body, good.replace("v1=", f"v1={'0' * 64},v1=") + f",v0={'1' * 64}").status == 200


def test_f69_five_minutes_are_allowed_either_way(post, stack):
    for seconds in (-295, 295):
        _, body = new_event()
        assert post(body, sign(stack["webhook_secret"], body, int(time.time()) + seconds)).status == 200


def test_f70_one_bit_or_one_byte_more_fails(post, db, stack):
    ident, body = new_event()
    signature = sign(stack["webhook_secret"], body)
    for changed in (body + b"\n", body[:-1], body.replace(b"false", b"true "), bytes([body[0] ^ 1]) + body[1:], b""):
        assert post(changed, signature).body == b'{"error":"Invalid signature","code":"invalid_signature"}'
    assert row(db, ident) is None
    assert post(body, signature).status == 200


def test_f71_a_replay_is_received_and_does_nothing(post, db):
    ident, body = new_event()
    for _ in range(3):
        assert post(body).body == RECEIVED
    assert db.value("select count(*) from inbox.events where id = %s", ident) == 1


def test_f72_fifty_copies_at_once_are_one_event(post, db):
    ident, body = new_event()
    with ThreadPoolExecutor(25) as pool:
        pages = list(pool.map(lambda _: post(body), range(50)))
    assert {(p.status, p.body) for p in pages} == {(200, RECEIVED)}
    assert db.value("select count(*) from inbox.events where id = %s", ident) == 1


def test_c42_each_delivery_is_a_line_with_the_event_and_the_secret_that_signed_it(stack, post, db):
    customer = {"id": "cus_logged" + secrets.token_hex(4), "object": "customer"}
    ident, body = new_event("customer.updated", data={"object": customer})
    for _ in range(2):
        assert post(body).body == RECEIVED
    key = hashlib.sha256(stack["webhook_secret"].encode()).hexdigest()[:8]
    lines = wait_until(lambda: len(found := [json.loads(line) for path in Path(stack["log_dir"]).glob("*.log")
                                             for line in path.read_text(errors="replace").splitlines()
                                             if ident in line and '"event":"webhook"' in line]) == 2 and found)
    assert [(line["type"], line["key"], line["duplicate"]) for line in lines] == \
        [("customer.updated", key, 0), ("customer.updated", key, 1)]
    assert db.value("select key_id from inbox.events where id = %s", ident) == key


@pytest.mark.parametrize("kind", ["plan.created", "payout.paid", "v1.billing.meter.error_report_triggered", "x" * 200,
                                  ""])
def test_c32_what_is_of_no_concern_is_received_too(post, db, kind):
    ident, body = new_event(kind)
    assert post(body).body == RECEIVED
    assert row(db, ident)[2] == "ignored"


STRANGE = {
    "livemode": {"livemode": True}, "another account": {"account": "acct_other"},
    "future version": {"api_version": "2031-01-01.zebra"}, "no data": {"data": {}}, "data null": {"data": None},
    "an array": {"data": [1, 2]}, "no version": {"api_version": None},
}


@pytest.mark.parametrize("how", STRANGE)
def test_f74_a_strange_event_is_kept_and_changes_nothing(post, db, how):
    counts = ("select (select count(*) from app.tenants where status = 'active'), "
              "(select count(*) from auth.users)")
    before = db.row(counts)
    event = {"data": {"object": {"id": "sub_nobodys" + secrets.token_hex(4), "object": "subscription"}}, **STRANGE[how]}
    ident, body = new_event("customer.subscription.updated", **event)
    assert post(body).body == RECEIVED
    assert row(db, ident) is not None
    wait_until(lambda: row(db, ident)[2] != "received")
    assert db.row(counts) == before


def test_f77_a_type_too_long_for_any_index_is_kept_all_the_same(post, db):
    ident, body = new_event("x." + secrets.token_hex(5000))
    assert post(body).body == RECEIVED
    assert row(db, ident)[2] == "ignored"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"evt_1"', b"null", b"{", b"not json", b'{"id": 5}',
                                  b'{"id": "../../v1/x"}', b"[" * 100000])
def test_f64_a_signed_body_that_is_no_event_is_refused(post, body):
    page = post(body)
    assert page.status == 400
    assert page.json == {"error": "Invalid payload", "code": "invalid_payload"}


def test_c43_another_version_than_the_pinned_one_is_told_to_the_operator(post, db):
    told = lambda: db.value("select count(*) from ops.alerts where kind = 'api_version' and subject = %s", version)
    version = "2031-01-01." + secrets.token_hex(4)
    for version, alerts in ((version, 1), (version, 1), ("2026-07-29.dahlia", 0)):
        assert post(new_event("customer.updated", api_version=version)[1]).body == RECEIVED
        assert told() == alerts


@pytest.mark.parametrize("name", [b'"id"', b'"\\u0069d"'])
def test_f65_an_event_with_two_ids_is_ignored(post, db, name):
    ident, body = new_event("customer.subscription.updated")
    body = body.replace(b"{", b'{%s: "evt_first",' % name, 1)
    assert post(body).body == RECEIVED
    assert db.value("select state from inbox.events where raw = %s", body) == "ignored"


def test_f08_a_body_over_a_mebibyte_is_refused_and_one_below_is_not(post, db):
    for size, status in ((1024 * 1024 - 2000, 200), (1024 * 1024 + 1, 413), (1024 * 1024 + 40000, 413)):
        ident, body = new_event()
        body += b" " * (size - len(body))
        page = post(body)
        assert page.status == status
        assert (row(db, ident) is not None) == (status == 200)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_f01_only_post(stack, method):
    page = exchange(method, stack["url"] + PATHS[0], {})
    assert page.status == 405
    assert page.header("Allow") == "POST"


def test_f03_two_signatures_are_one_too_many(stack, db):
    """nginx passes both, Apache joins them: either way there are two times in it."""
    ident, body = new_event()
    good = sign(stack["webhook_secret"], body)
    lines = [f"POST {PATHS[0]} HTTP/1.1", f"Content-Length: {len(body)}", "Content-Type: application/json",
             f"Stripe-Signature: {good}"]
    assert raw(stack["url"], lines + [f"Stripe-Signature: {good}"], body, "POST").status == 400
    assert row(db, ident) is None
    assert raw(stack["url"], lines, body, "POST").status == 200


def test_f09_a_chunked_body_is_verified_alike(stack, db):
    ident, body = new_event()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    lines = [f"POST {PATHS[0]} HTTP/1.1", "Transfer-Encoding: chunked", "Content-Type: application/json",
             "Stripe-Signature: " + sign(stack["webhook_secret"], body)]
    assert raw(stack["url"], lines, chunks, "POST").body == RECEIVED
    assert row(db, ident)[1] == body


def test_f06_the_signature_decides_not_where_it_comes_from(post):
    """No cookie, no origin, a forged origin: the cross-site rules are for browsers' forms."""
    _, body = new_event()
    assert post(body, Origin="https://evil.example", Sec_Fetch_Site="cross-site",
                X_Forwarded_For="1.2.3.4").status == 200


@pytest.mark.parametrize("shape", ["old", "new"])
def test_d09_both_shapes_of_events_lead_to_the_same_rows(browser, db, sim, fresh, shape):
    endpoint = sim.get()["endpoints"][0]["id"]
    sim.post(f"endpoints/{endpoint}", api_version=shape)
    try:
        email = fresh()
        session = become_customer(browser, sim, db, email)
        subscription = sim.object("checkout.session", session)["subscription"]
        end = sim.object("subscription", subscription)["items"]["data"][0]["current_period_end"]
        sim.quiet()     # the session's event alone makes the row: this is about the subscription's own
        version = "2024%" if shape == "old" else "2026%"
        told = ("select count(*) > 0, bool_and(state = 'done') from inbox.events where object_id = %s "
                "and api_version like %s")
        wait_until(lambda: db.row(told, subscription, version) == (True, True))
        assert db.row("select status, plan, extract(epoch from period_end)::bigint from billing.subscriptions "
                      "where id = %s", subscription) == ("active", "starter", end)
    finally:
        sim.post(f"endpoints/{endpoint}", api_version=None)


def everything_of(db, email):
    """There must be one of each, in any order and number of deliveries."""
    tenant = db.tenant_of(email)
    return db.row(
        "select (select status from app.tenants where id = %(t)s), "
        "(select count(*) from billing.customers where tenant_id = %(t)s), "
        "(select array_agg(status || ' ' || plan) from billing.subscriptions where tenant_id = %(t)s), "
        "(select array_agg(m.role || ' ' || u.email_canonical) from app.members m join auth.users u "
        "on u.id = m.user_id where tenant_id = %(t)s), "
        "(select count(*) from mail.outbox where key = 'welcome:' || %(t)s)".replace("%(t)s", f"'{tenant}'"))


@pytest.mark.parametrize("mode", [{}, {"duplicate": 1}, {"duplicate": 4, "shuffle": 0.5}, {"reverse": 0.4}, {"drop": 5},
                                  {"delay": 0.5}, {"shuffle": 0.6}])
def test_f73_any_delivery_leads_to_the_same_state(browser, db, sim, mail, fresh, mode):
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.post("mode", **mode)
    try:
        sim.pay(session)
        wanted = ("active", 1, ["active starter"], [f"owner {email}"], 1)
        wait_until(lambda: everything_of(db, email) == wanted)
        sim.quiet()
        wait_until(lambda: db.value("select count(*) from sync.objects where version > clean_version "
                                    "and dead_at is null and id = %s", session) == 0)
        assert everything_of(db, email) == wanted
        mail.wait(email)
        assert len(mail.to(email)) == 1
    finally:
        sim.post("mode", reset=True)


def test_c14_a_draft_is_promoted_once_with_an_owner_and_a_mail(browser, db, sim, mail, fresh):
    email = fresh()
    session = become_customer(browser, sim, db, email)
    checkout = sim.object("checkout.session", session)
    tenant = db.tenant_of(email)
    assert db.row("select id, tenant_id from billing.customers where id = %s", checkout["customer"]) \
        == (checkout["customer"], tenant)
    wait_until(lambda: db.value("select tenant_id from billing.subscriptions where id = %s",
                                checkout["subscription"]) == tenant)
    activated = db.value("select activated_at from app.tenants where id = %s", tenant)
    for event in [e["id"] for e in sim.get("events")
                  if e["data"]["object"].get("id") in (session, checkout["subscription"])]:
        sim.post("resend", event=event, times=3)
    sim.quiet()
    time.sleep(0.3)
    assert db.value("select activated_at from app.tenants where id = %s", tenant) == activated
    assert everything_of(db, email) == ("active", 1, ["active starter"], [f"owner {email}"], 1)
    assert len(mail.to(email)) == 1


def test_c38_a_subscription_of_no_tenant_is_received_and_kept_out(post, db, sim):
    """For example made in Stripe's Dashboard: no tenant in its metadata, and an unknown customer."""
    object_ = {"id": "sub_" + secrets.token_hex(8), "object": "subscription", "metadata": {}, "customer": "cus_x"}
    ident, body = new_event("customer.subscription.created", data={"object": object_})
    assert post(body).body == RECEIVED
    wait_until(lambda: row(db, ident)[2] != "received")
    assert db.value("select count(*) from billing.subscriptions where id = %s", object_["id"]) == 0


def test_d02_two_tenants_with_one_address_keep_two_customers(browser, other, db, sim, fresh):
    email = fresh()
    first = become_customer(browser, sim, db, email)
    session = session_in(sign_up(other, email))
    sim.pay(session)
    second = sim.object("checkout.session", session)
    wait_until(lambda: db.value("select tenant_id from billing.customers where id = %s", second["customer"]))
    ids = [sim.object("checkout.session", s)["customer"] for s in (first, session)]
    assert len(set(ids)) == 2
    assert db.value("select count(distinct tenant_id) from billing.customers where id = any(%s)", ids) == 2
