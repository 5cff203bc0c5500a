"""Meter events: each identifier once, validated again after the answer, and summed up for summaries and invoices.

What the answer has not refused may still be wrong: Stripe says so later, in thin events (thin.py), one for each meter.
"""
import re
import time

from . import thin
from .errors import ApiError, bad, refused
from .listing import read_limit
from .parameters import parse_table
from .tables import EXPAND, PAGE

DAY, MINUTE = 86400, 60
RATE = 1000             # calls a second, of live mode
DIGITS = 15
ADJUSTMENT = parse_table(EXPAND + """
    event_name          * string
    type                * cancel
    cancel.identifier   string
""")
SUMMARIES = parse_table(PAGE + """
    customer                * string
    start_time              * timestamp
    end_time                * timestamp
    value_grouping_window   day|hour
""")
WINDOWS = {"day": DAY, "hour": 3600, None: MINUTE}


def turn(params):
    """What a call holds while it lasts: Stripe takes one at a time for each customer and meter."""
    payload = params.get("payload")
    return params.get("event_name"), str(payload.get("stripe_customer_id")) if isinstance(payload, dict) else None


def check_rate(world, now):
    if world.metering["second"] != now:
        world.metering.update(second=now, calls=0)
    world.metering["calls"] += 1
    if world.metering["calls"] > RATE:
        raise ApiError(429, "Request rate limit exceeded.", "rate_limit", checked=True)


def known(world, ident, name=None):
    """The event with this identifier that came within a day, or None."""
    event = world.metering["known"].get(ident)
    return event if event and world.now() - event["created"] < DAY and name in (None, event["name"]) else None


def create(world, p):
    now = world.now()
    at = p.get("timestamp", now)
    check_rate(world, now)
    # A test that moves Stripe's clock does not move that of its callers, whose events are no older by it.
    if not min(now, int(time.time())) - 35 * DAY <= at <= now + 300:
        raise refused("The timestamp must be within the past 35 days and at most 5 minutes in the future", "timestamp")
    if not p["payload"]:
        raise bad("Missing required payload keys", "payload", "parameter_missing")
    ident = p.get("identifier") or world.new_id("", 32)
    if len(ident) > 100:
        raise bad("Invalid string: identifier must be at most 100 characters", "identifier")
    if known(world, ident):
        raise ApiError(400, f"An event already exists with identifier {ident}.", "duplicate_meter_event", "identifier",
                       headers={"Stripe-Should-Retry": "false"})
    row = {"object": "billing.meter_event", "created": now, "event_name": p["event_name"], "identifier": ident,
           "livemode": False, "payload": p["payload"], "timestamp": at}
    world.objects["billing.meter_event"][ident] = row
    event = {"identifier": ident, "name": p["event_name"], "payload": p["payload"], "at": at, "created": now,
             "state": "new"}
    world.metering["known"][ident] = event
    world.metering["new"].append(event)
    process(world)
    return row


def meter_of(world, name):
    """The active meter of that name, else the newest that was, or None."""
    found = [row for row in world.all("billing.meter") if row["event_name"] == name]
    return next((row for row in found if row["status"] == "active"), found[-1] if found else None)


def fault(world, meter, payload):
    """(code, sentence) of what the answer did not look at, or None."""
    if meter is None:
        return "no_meter", "No meter found for the event name."
    if meter["status"] != "active":
        return "archived_meter", f"The meter {meter['id']} is archived."
    key, value = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
    if not payload.get(key):
        return "meter_event_no_customer_defined", f"Customer mapping key {key} not found in payload."
    customer = world.objects["customer"].get(payload[key])
    if customer is None or customer.get("deleted"):
        return "meter_event_customer_not_found", f"No such customer: '{payload[key]}'."
    if not re.fullmatch(r"-?[0-9]+", payload.get(value, "")):
        return "meter_event_invalid_value", f"The value of {value} must be a whole number."
    if len(payload[value].lstrip("-")) > DIGITS:
        return "meter_event_value_too_many_digits", f"The value of {value} has more than {DIGITS} digits."
    return None


def take(world, event, faults):
    meter, payload = meter_of(world, event["name"]), event["payload"]
    wrong = fault(world, meter, payload)
    if wrong:
        event["state"] = "wrong"
        faults.setdefault(meter and meter["id"], []).append((*wrong, event["identifier"]))
        return
    event.update(state="counted", value=int(payload[meter["value_settings"]["event_payload_key"]]))
    customer = payload[meter["customer_mapping"]["event_payload_key"]]
    world.metering["counted"].setdefault((meter["id"], customer), []).append(event)


def process(world):
    """Counts what came meter_lag seconds ago, and reports what is wrong with it."""
    faults, waiting = {}, []
    for event in world.metering["new"]:
        if event["created"] + world.settings["meter_lag"] > world.now():
            waiting.append(event)
        elif event["state"] == "new":
            take(world, event, faults)
    world.metering["new"] = waiting
    for meter, rows in faults.items():
        report(world, meter, rows)


def report(world, meter, rows):
    codes = {}
    for code, sentence, ident in rows:
        codes.setdefault(code, []).append({"error_message": sentence, "request": {"identifier": ident}})
    related = meter and {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"}
    now, n = thin.iso(world.now()), len(rows)
    thin.emit(world, thin.TYPES[0 if meter else 1], related, {
        "developer_message_summary": f"There {'is' if n == 1 else 'are'} {n} invalid event{'s' * (n > 1)}",
        "reason": {"error_count": n, "error_types": [
            {"code": code, "error_count": len(samples), "sample_errors": samples[:10]}
            for code, samples in codes.items()]},
        "validation_start": now, "validation_end": now})


def counted(world, meter, customer, start, end):
    process(world)
    return [e for e in world.metering["counted"].get((meter, customer), ())
            if e["state"] == "counted" and start <= e["at"] < end]


def aggregate(world, meter, events):
    """By the meter's formula."""
    formula = world.get("billing.meter", meter)["default_aggregation"]["formula"]
    values = [e["value"] for e in sorted(events, key=lambda e: e["at"])]
    return {"sum": sum(values), "count": len(values), "last": values[-1] if values else 0}[formula]


def total(world, meter, customer, start, end):
    """What an invoice bills of this meter (its id) for what was used from start until before end."""
    return aggregate(world, meter, counted(world, meter, customer, start, end))


def summaries(world, p, ident):
    """Of each window with an event, the newest first; without windows one for the whole time."""
    meter = world.get("billing.meter", ident)
    world.get("customer", p["customer"], "customer")
    start, end, window = p["start_time"], p["end_time"], p.get("value_grouping_window")
    step = WINDOWS[window]
    for name in ("start_time", "end_time"):
        if p[name] % step:
            raise bad(f"{name} must be aligned with {window or 'minute'} boundaries.", name)
    if end <= start:
        raise bad("end_time must be after start_time.", "end_time")
    events = counted(world, meter["id"], p["customer"], start, end)
    spans = [(start, end)] if window is None else [
        (at, at + step) for at in sorted({e["at"] // step * step for e in events}, reverse=True)]
    rows = [{"id": f"mtrusg_test_{meter['id'][-8:]}{first}", "object": "billing.meter_event_summary",
             "aggregated_value": aggregate(world, meter["id"], [e for e in events if first <= e["at"] < last]),
             "end_time": last, "livemode": False, "meter": meter["id"], "start_time": first} for first, last in spans]
    ids = [row["id"] for row in rows]
    if p.get("starting_after", "") not in ["", *ids]:
        raise refused(f"No such object: '{p['starting_after']}'", "starting_after", "resource_missing")
    first, limit = ids.index(p["starting_after"]) + 1 if "starting_after" in p else 0, read_limit(p)
    return {"object": "list", "data": rows[first:first + limit], "has_more": first + limit < len(rows),
            "url": f"/v1/billing/meters/{ident}/event_summaries"}


def adjust(world, p):
    """Takes back an event within a day of its receipt, whole."""
    ident = p.get("cancel", {}).get("identifier")
    if ident is None:
        raise bad("Missing required param: cancel[identifier].", "cancel[identifier]", "parameter_missing")
    event = known(world, ident, p["event_name"])
    if event is None or event["state"] == "canceled":
        raise refused(f"No event that can be canceled was found with identifier {ident}.", "cancel[identifier]",
                      "resource_missing")
    event["state"] = "canceled"
    return {"object": "billing.meter_event_adjustment", "cancel": {"identifier": ident},
            "event_name": p["event_name"], "livemode": False, "status": "pending", "type": "cancel"}


ROUTES = (
    ("POST", "billing/meter_event_adjustments", ADJUSTMENT, adjust),
    ("GET", "billing/meters/{id}/event_summaries", SUMMARIES, summaries),
)
