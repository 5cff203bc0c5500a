"""Meter events: what is refused, what is found wrong later, and what summaries say."""
import json
import threading

import pytest

from simclient import KEY, VERSION, send
from test_selling import METER

DAY = 86400
EVENTS, ADJUST = "/v1/billing/meter_events", "/v1/billing/meter_event_adjustments"
KINDS = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"]


def v2(sim, method, path, body=None, query=""):
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": VERSION, "Content-Type": "application/json"}
    return send(method, f"{sim.url}/v2/core/{path}{query}", body and json.dumps(body).encode(), headers)


@pytest.fixture
def metered(sim):
    """(meter, customer), and the catcher as event destination."""
    made = v2(sim, "POST", "event_destinations", {
        "name": "Meters", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": KINDS,
        "webhook_endpoint": {"url": sim.hooks.url + "?thin"}, "include": ["webhook_endpoint.signing_secret"]})
    assert made.json["webhook_endpoint"]["signing_secret"].startswith("whsec_")
    meter, customer = sim.post("/v1/billing/meters", METER)["id"], sim.post("/v1/customers", "name=Anna")["id"]
    sim.quiet()
    sim.hooks.caught.clear()
    return meter, customer


def event(sim, customer, value="1", **more):
    form = {"event_name": "tokens", "payload[stripe_customer_id]": customer, "payload[value]": value, **more}
    return sim.call("POST", EVENTS, {name: text for name, text in form.items() if text is not None})


def days(sim, meter, customer, start, end, window="day"):
    form = {"customer": customer, "start_time": start, "end_time": end, "value_grouping_window": window, "limit": 100}
    return [(row["start_time"], row["aggregated_value"]) for row in sim.get(
        f"/v1/billing/meters/{meter}/event_summaries", {k: v for k, v in form.items() if v})["data"]]


def test_summaries_are_sums_of_aligned_windows(sim, metered):
    today = sim.control("clock")["now"] // DAY * DAY
    for at, value in ((today - DAY, "3"), (today - 1, "4"), (today - 3 * DAY, "5")):
        assert event(sim, metered[1], value, timestamp=str(at)).status == 200
    assert days(sim, *metered, today - 7 * DAY, today) == [(today - DAY, 7), (today - 3 * DAY, 5)]
    assert days(sim, *metered, today - DAY, today, "hour") == [(today - 3600, 4), (today - DAY, 3)]
    assert days(sim, *metered, today - 60, today, None) == [(today - 60, 4)]
    path = f"/v1/billing/meters/{metered[0]}/event_summaries"
    for start, end, window in ((1, DAY, "day"), (60, 61, None), (DAY, DAY, "day")):
        form = {"customer": metered[1], "start_time": start, "end_time": end}
        assert sim.call("GET", path, {**form, **({"value_grouping_window": window} if window else {})}).status == 400
    assert sim.call("GET", path, {"customer": "cus_no", "start_time": 0, "end_time": DAY}).status == 400


def test_what_is_counted_shows_after_the_lag(sim, metered):
    sim.control("settings", {"meter_lag": 600})
    start = sim.control("clock")["now"] // DAY * DAY
    event(sim, metered[1], "4")
    assert days(sim, *metered, start, start + 2 * DAY) == []
    sim.advance(advance=601)
    assert [value for _, value in days(sim, *metered, start, start + 2 * DAY)] == [4]


def test_an_identifier_is_taken_again_after_a_day(sim, metered):
    for wait, status in ((0, 200), (DAY - 10, 400), (11, 200)):
        sim.advance(advance=wait)
        assert event(sim, metered[1], identifier="a").status == status


def test_one_call_at_a_time_for_each_customer_and_meter(sim, metered):
    sim.control("faults", {"path": EVENTS, "answer": "real", "after": 1})
    found = []
    slow = threading.Thread(target=lambda: found.append(event(sim, metered[1]).status))
    slow.start()
    while not sim.control("requests?path=" + EVENTS):
        pass
    busy, other = event(sim, metered[1]), event(sim, "cus_other")
    slow.join()
    assert (busy.status, other.status, found, event(sim, metered[1]).status) == (429, 200, [200], 200)


WRONG = {"meter_event_customer_not_found": {"customer": "cus_no"}, "meter_event_no_customer_defined":
         {"payload[stripe_customer_id]": None}, "meter_event_invalid_value": {"value": "1.5"},
         "meter_event_value_too_many_digits": {"value": "1" * 16}, "no_meter": {"event_name": "stones"}}


@pytest.mark.parametrize("code", [*WRONG, "archived_meter"])
def test_what_the_answer_did_not_refuse_is_reported(sim, metered, code):
    if code == "archived_meter":
        sim.post(f"/v1/billing/meters/{metered[0]}/deactivate")
    given = {"customer": metered[1], "identifier": "wrong", **WRONG.get(code, {})}
    assert event(sim, **given).status == 200
    sim.quiet()
    caught, = [entry for entry in sim.hooks.caught if entry.event["object"] == "v2.core.event"]
    kind = KINDS[code == "no_meter"]
    assert (caught.event["type"], "data" in caught.event, caught.signature[:2]) == (kind, False, "t=")
    whole = v2(sim, "GET", "events/" + caught.event["id"]).json
    assert whole["data"]["reason"]["error_count"] == 1
    found, = whole["data"]["reason"]["error_types"]
    assert (found["code"], found["error_count"]) == (code, 1)
    assert found["sample_errors"][0]["request"] == {"identifier": "wrong"}
    assert whole.get("related_object", {}).get("id") == (None if code == "no_meter" else metered[0])
    assert v2(sim, "GET", "events/evt_no").status == 404


def test_an_event_is_canceled_within_a_day(sim, metered):
    start = sim.control("clock")["now"] // DAY * DAY
    for ident in "ab":
        event(sim, metered[1], "4", identifier=ident)
    form = {"event_name": "tokens", "type": "cancel", "cancel[identifier]": "a"}
    assert [sim.call("POST", ADJUST, form).status for _ in range(2)] == [200, 400]
    assert [value for _, value in days(sim, *metered, start, start + 2 * DAY)] == [4]
    sim.advance(days=1)
    assert sim.call("POST", ADJUST, {**form, "cancel[identifier]": "b"}).status == 400
    assert sim.call("POST", ADJUST, {"event_name": "tokens", "type": "cancel"}).status == 400


def test_a_destination_is_listed_changed_and_switched_off(sim, metered):
    row, = v2(sim, "GET", "event_destinations", query="?include[0]=webhook_endpoint.url").json["data"]
    assert (row["webhook_endpoint"], row["enabled_events"]) == ({"url": sim.hooks.url + "?thin"}, KINDS)
    path = "event_destinations/" + row["id"]
    assert v2(sim, "POST", path, {"enabled_events": KINDS[:1]}).json["enabled_events"] == KINDS[:1]
    assert v2(sim, "POST", path, {"url": "x"}).status == 400
    assert v2(sim, "POST", path + "/disable").json["status"] == "disabled"
    event(sim, "cus_no")
    sim.quiet()
    assert [entry for entry in sim.hooks.caught if entry.event["object"] == "v2.core.event"] == []
    assert v2(sim, "DELETE", path).status == 200 and v2(sim, "GET", path).status == 404
    assert v2(sim, "POST", "event_destinations", {"name": "x"}).json["error"]["param"] == "type"
