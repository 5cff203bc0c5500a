"""What Stripe's meters are told, and what Stripe says back."""
import json
import subprocess
import time

import pytest
import requests
from journey import wait_until
from test_people import owner  # noqa: F401: the fixture
from test_usage import SETTINGS, Program, program  # noqa: F401: the fixture
from test_webhook import RECEIVED, new_event, post, sign  # noqa: F401

pytestmark = pytest.mark.only("nginx")      # what Stripe counts

SOLD = {**SETTINGS, "quotas": [{**quota, "sold": True, "most": None} for quota in SETTINGS["quotas"]]}
EVENTS = "/v1/billing/meter_events"


class Stripe:
    """Asks the simulator as the account's owner would."""

    def __init__(self, stack):
        self.url, self.key = stack["stripe_url"], stack["stripe_key"]

    def __call__(self, method, path, form=None, body=None):
        answer = requests.request(method, self.url + path, data=form if method == "POST" else None, json=body,
                                  params=form if method == "GET" else None, timeout=10, headers={
                                      "Authorization": "Bearer " + self.key, "Stripe-Version": "2026-07-29.dahlia"})
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture
def stripe(stack):
    return Stripe(stack)


@pytest.fixture
def meter(stripe, stack, sim):
    """The meter's id; with an event destination, whose former secret Stripe signs with."""
    kept = [row for row in stripe("GET", "/v1/billing/meters", {"status": "active"})["data"]
            if row["event_name"] == "tokens"]
    row = kept[0] if kept else stripe("POST", "/v1/billing/meters", {
        "display_name": "Tokens", "event_name": "tokens", "default_aggregation[formula]": "sum"})
    made = stripe("POST", "/v2/core/event_destinations", body={
        "name": "Tollgate", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": [
            "v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
        "webhook_endpoint": {"url": stack["url"] + "/webhooks/stripe?thin"}})
    sim.post("endpoints/" + made["id"], secrets=stack["thin_secrets"][1:])
    yield row["id"]
    sim.delete("faults")
    stripe("DELETE", destination(stripe))


def destination(stripe):
    """The path of the event destination."""
    row, = stripe("GET", "/v2/core/event_destinations")["data"]
    return "/v2/core/event_destinations/" + row["id"]


@pytest.fixture
def told(program, db, owner, meter):  # noqa: F811
    """Records units in the owner's tenant; waits until all of them are where they should be. Returns the records."""
    db.execute("select ops.put_usage(%s)", json.dumps(SOLD))

    def tell(*units, state="sent"):
        ids = [program("/record", {"meter": "tokens", "units": n}).json["id"] for n in units]
        wait_until(lambda: db.value("select bool_and(state = %s) from usage.outbox where id = any (%s::uuid[])",
                                    state, ids), 40)
        return ids
    return tell


def told_names(sim):
    """The identifiers of all meter events that came to Stripe; those of a test may have none."""
    return [(call["params"] or {}).get("identifier") for call in sim.requests("POST", EVENTS)]


def alerts(db, kind, like="%"):
    return db.rows("select subject, detail from ops.alerts where kind = %s and subject like %s and cleared_at is null "
                   "order by id", kind, like)


def test_f156_what_stripe_finds_wrong_later_is_parked_and_told_again(told, db, owner, sim, stripe, meter):  # noqa: F811
    tenant = owner[2]
    customer = db.value("select id from billing.customers where tenant_id = %s", tenant)
    right, = told(5)
    db.execute("update billing.customers set id = 'cus_nobody' where tenant_id = %s", tenant)
    db.execute("update ops.alerts set cleared_at = now() where kind = 'meter_errors'")
    wrong, = told(7, state="parked")
    assert db.rows("select id::text, round, error from usage.outbox where tenant_id = %s order by units", tenant) == [
        (right, 0, None), (wrong, 1, "No such customer: 'cus_nobody'.")]
    (subject, detail), = alerts(db, "meter_errors")
    assert (subject, detail["count"], detail["known"]) == ("tokens:meter_event_customer_not_found", 1, 1)
    assert alerts(db, "usage_parked", tenant + "%")[0][1]["records"] == 1
    asked = [call["path"] for call in sim.requests("GET", "/v2/core/events/*")]
    assert asked[-1].endswith(detail["report"]), "Stripe is asked; the delivery is not believed"
    assert db.value("select state from inbox.events where id = %s", detail["report"]) == "done"

    db.execute("update billing.customers set id = %s where tenant_id = %s", customer, tenant)
    db.execute("select ops.retry_usage()")
    wait_until(lambda: db.value("select state from usage.outbox where id = %s", wrong) == "sent", 40)
    assert wrong + "-1" in told_names(sim)
    today = int(time.time()) // 86400 * 86400
    row, = stripe("GET", f"/v1/billing/meters/{meter}/event_summaries", {
        "customer": customer, "start_time": today - 86400, "end_time": today + 86400})["data"]
    assert row["aggregated_value"] == 12


def test_f74_a_thin_event_counts_from_its_own_destination_only(post, stack, db):  # noqa: F811
    """Signed by the endpoint's secret it is kept, told and not acted on; signed by one of the destination's it is."""
    db.execute("update ops.alerts set cleared_at = now() where kind = 'thin_event'")
    for secret, state, told_of in ((stack["thin_secrets"][0], "received", 0), (stack["thin_secrets"][1], "received", 0),
                                   (stack["webhook_secret"], "ignored", 1)):
        ident = new_event()[0]
        body = json.dumps({"id": ident, "object": "v2.core.event", "livemode": False,
                           "type": "v1.billing.meter.no_meter_found", "created": "2026-07-29T10:00:00.123Z"}).encode()
        assert post(body, sign(secret, body)).body == RECEIVED
        kept = db.rows("select object_kind, state from inbox.events where id = %s", ident)[0]
        assert kept[0] == ("meter_report" if state == "received" else None)
        assert kept[1] in (("received", "done") if state == "received" else ("ignored",))
        assert len(alerts(db, "thin_event")) == told_of
    db.execute("update ops.alerts set cleared_at = now() where kind = 'thin_event'")


def sums(stripe, meter, customer):
    """What Stripe has of these days."""
    today = int(time.time()) // 86400 * 86400
    rows = stripe("GET", f"/v1/billing/meters/{meter}/event_summaries", {
        "customer": customer, "start_time": today - 3 * 86400, "end_time": today + 86400})["data"]
    return sum(row["aggregated_value"] for row in rows)


def test_f156_what_stripe_cannot_take_now_is_told_later(told, program, db, owner, sim, stripe, meter):  # noqa: F811
    """429, a lost answer, and one that was lost for so long that Stripe has forgotten the identifier: counted once."""
    tenant = owner[2]
    customer = db.value("select id from billing.customers where tenant_id = %s", tenant)
    sim.fault(path=EVENTS, status=429, times=3, body={"error": {"code": "lock_timeout"}})
    busy, = told(2)
    assert db.value("select attempts from usage.outbox where id = %s", busy) == 2, "a call is repeated twice"
    sim.fault(path=EVENTS, answer="close", effect=True, times=3)
    lost, = told(3)
    assert told_names(sim).count(lost) > 1
    assert sums(stripe, meter, customer) == 5

    for name, have in (("it has come", 5), ("it has not", 2)):
        if have == 2:
            stripe("POST", "/v1/billing/meter_event_adjustments", {
                "event_name": "tokens", "type": "cancel", "cancel[identifier]": lost})
            db.execute("update usage.outbox set round = round + 1 where id = %s", lost)
        assert sums(stripe, meter, customer) == have, name
        before = len(sim.requests("POST", EVENTS))
        db.execute("update usage.outbox set state = 'pending', tried_at = now() - interval '25 hours', next_at = now() "
                   "where id = %s", lost)
        wait_until(lambda: db.value("select state from usage.outbox where id = %s", lost) == "sent", 40)
        assert sums(stripe, meter, customer) == 5, name
        assert len(sim.requests("POST", EVENTS)) - before == (have == 2), name


def test_f156_what_was_too_much_is_taken_back(program, told, db, owner, sim, stripe, meter):  # noqa: F811
    """Of an event whole, and what is left is told again."""
    held = program("/reserve", {"meter": "tokens", "units": 40}).json["id"]
    db.execute("update usage.holds set counts = '{\"unit\": 40}', expires_at = now() where id = %s", held)
    customer = db.value("select id from billing.customers where tenant_id = %s", owner[2])
    wait_until(lambda: sums(stripe, meter, customer) == 40, 40)
    assert program("/settle", {"id": held, "units": 12}).json["used"] == 12
    wait_until(lambda: sums(stripe, meter, customer) == 12, 40)
    wait_until(lambda: db.value("select bool_and(state = 'sent') from usage.outbox where tenant_id = %s", owner[2]))
    assert [call["params"]["cancel"] for call in sim.requests("POST", "/v1/billing/meter_event_adjustments")][-1] == {
        "identifier": held}


def test_f156_each_day_is_compared_with_stripes_sums(told, db, owner, stripe, meter):  # noqa: F811
    tenant = owner[2]
    customer = db.value("select id from billing.customers where tenant_id = %s", tenant)
    told(5)

    def count(value):
        stripe("POST", EVENTS, {"event_name": "tokens", "payload[stripe_customer_id]": customer,
                                "payload[value]": value, "timestamp": int(time.time())})
    count("2")
    assert db.rows("select ours, due_at > now() from usage.comparisons where tenant_id = %s", tenant) == [(None, True)]
    db.execute("update usage.comparisons set due_at = now() where tenant_id = %s", tenant)
    wait_until(lambda: alerts(db, "usage_difference", tenant + "%"), 60)
    assert alerts(db, "usage_difference", tenant + "%")[0][1] == {"ours": 5, "theirs": 7}
    told = db.value("select ops.audit_usage(null, null)")["differences"]
    assert [d["theirs"] for d in told if d["tenant"] == tenant] == [7]
    count("-2")
    db.execute("update usage.comparisons set due_at = now() where tenant_id = %s", tenant)
    wait_until(lambda: not alerts(db, "usage_difference", tenant + "%"), 60)
    assert db.rows("select ours, theirs, due_at from usage.comparisons where tenant_id = %s", tenant) == [(5, 5, None)]


def audited(stack, tenant):
    """What `tollgate usage audit` says of a tenant."""
    done = subprocess.run([stack["prefix"] + "/bin/tollgate", "usage", "audit", "--config", stack["config"]],
                          capture_output=True, text=True, check=False)
    return done.returncode, [line.split("\t")[2] for line in done.stdout.splitlines() if tenant in line]


def test_f156_a_report_that_was_lost_is_found_by_the_comparison(told, stack, db, owner, sim, stripe,  # noqa: F811
                                                                meter):
    """Stripe had disabled the destination. The operator sees the day in the audit, enables the destination, has Stripe
    send the report again, and tells Stripe anew what it names."""
    tenant = owner[2]
    customer = db.value("select id from billing.customers where tenant_id = %s", tenant)
    stripe("POST", destination(stripe) + "/disable")
    db.execute("update billing.customers set id = 'cus_nobody' where tenant_id = %s", tenant)
    wrong, = told(7)
    db.execute("update billing.customers set id = %s where tenant_id = %s", customer, tenant)
    right, = told(5)
    report = next(row["id"] for row in sim.get("state/v2.core.event") if wrong in json.dumps(row))

    def compared():
        db.execute("update usage.comparisons set due_at = now(), compared_at = null, ours = null, theirs = null "
                   "where tenant_id = %s", tenant)
        return wait_until(lambda: db.rows("select ours, theirs from usage.comparisons where tenant_id = %s "
                                          "and compared_at is not null", tenant), 60)
    assert compared() == [(12, 5)]
    assert alerts(db, "usage_difference", tenant + "%")[0][1] == {"ours": 12, "theirs": 5}
    assert audited(stack, tenant) == (1, ["is 12, Stripe has 5"]) and not alerts(db, "usage_parked", tenant + "%")

    stripe("POST", destination(stripe) + "/enable")
    sim.post("resend", event=report)
    wait_until(lambda: db.value("select state from usage.outbox where id = %s", wrong) == "parked", 40)
    db.execute("select ops.retry_usage()")
    wait_until(lambda: db.value("select state from usage.outbox where id = %s", wrong) == "sent", 40)
    assert wrong + "-1" in told_names(sim)
    wait_until(lambda: compared() == [(12, 12)], 60)
    assert audited(stack, tenant)[1] == [] and not alerts(db, "usage_difference", tenant + "%")
    assert db.rows("select id::text, round from usage.outbox where tenant_id = %s order by units", tenant) == [
        (right, 0), (wrong, 1)]
