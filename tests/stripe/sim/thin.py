"""Stripe's second API, as far as thin events need it: event destinations, and the events that they name.

Bodies are JSON. A thin event names what to fetch, is unversioned, and is signed with the secret of its destination.
"""
import json
from datetime import datetime, timezone

from .errors import ApiError, bad, missing_param, unknown_param

KIND, EVENT = "v2.core.event_destination", "v2.core.event"
TYPES = ("v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found", "v2.core.event_destination.ping")
CREATE = ("name", "type", "event_payload", "enabled_events", "webhook_endpoint", "description", "events_from",
          "include", "metadata")
UPDATE = ("name", "enabled_events", "webhook_endpoint", "description", "include", "metadata")
DATA_APART = ("data", "url")    # what a delivery leaves out, and what we keep beside an object


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def emit(world, kind, related, data):
    """Records and delivers one thin event."""
    event = {"id": world.new_id("evt_test_65", 38), "object": EVENT, "context": None, "created": iso(world.now()),
             "data": data, "livemode": False, "reason": None, "type": kind}
    if related:
        event["related_object"] = related
    send(world, world.put(event))


def send(world, event):
    """To each destination that wants it."""
    world.on_thin(event, [row for row in world.all(KIND)
                          if row["status"] == "enabled" and event["type"] in row["enabled_events"]])


def payload(event):
    return json.dumps({name: value for name, value in event.items() if name not in DATA_APART}, indent=2).encode()


def retrieve_event(world, p, ident):
    event = world.objects[EVENT].get(ident)
    if event is None:
        raise ApiError(404, f"Event {ident} not found.", "not_found")
    return event


def shown(row, include, secret=None):
    """url and secret are in an answer that asks for them, the secret only when the destination is made."""
    endpoint = {"url": row["url"]} if "webhook_endpoint.url" in include else {}
    if secret and "webhook_endpoint.signing_secret" in include:
        endpoint["signing_secret"] = secret
    return {**{name: value for name, value in row.items() if name != "url"}, "webhook_endpoint": endpoint}


def check(p, names):
    for name in p:
        if name not in names:
            raise unknown_param(name)
    for n, kind in enumerate(p.get("enabled_events", [])):
        if kind not in TYPES:
            raise bad(f"Invalid enabled_events[{n}]: {kind}", f"enabled_events[{n}]")
    if "webhook_endpoint" in p and not str(p["webhook_endpoint"].get("url", "")).startswith("http"):
        raise bad("Not a valid URL", "webhook_endpoint.url", "url_invalid")


def build(world, url, secrets, name="Tollgate", kinds=TYPES[:2]):
    now = iso(world.now())
    row = world.put({
        "id": world.new_id("ed_test_61", 30), "object": KIND, "created": now, "description": "",
        "enabled_events": list(kinds), "event_payload": "thin", "events_from": ["@self"], "livemode": False,
        "metadata": {}, "name": name, "status": "enabled", "type": "webhook_endpoint", "updated": now, "url": url})
    world.secrets[row["id"]] = list(secrets)
    return row


def create(world, p):
    check(p, CREATE)
    for name in ("name", "type", "event_payload", "enabled_events"):
        if not p.get(name):
            raise missing_param(name)
    if (p["type"], p["event_payload"]) != ("webhook_endpoint", "thin"):
        raise bad("The simulator has no model of other destinations", "type")
    if "webhook_endpoint" not in p:
        raise missing_param("webhook_endpoint")
    secret = world.new_id("whsec_", 32)
    row = build(world, p["webhook_endpoint"]["url"], [secret], p["name"], p["enabled_events"])
    row["description"] = p.get("description", "")
    return shown(row, p.get("include", []), secret)


def update(world, p, ident):
    row = world.get(KIND, ident)
    check(p, UPDATE)
    row.update({name: p[name] for name in ("name", "enabled_events", "description", "metadata") if name in p})
    row["url"] = p.get("webhook_endpoint", row)["url"]
    return shown(row, p.get("include", []))


def switched(status):
    def switch(world, p, ident):
        row = world.get(KIND, ident)
        row["status"] = status
        return shown(row, [])
    return switch


def retrieve(world, p, ident):
    return shown(world.get(KIND, ident), include_of(p))


def delete(world, p, ident):
    world.get(KIND, ident)
    del world.objects[KIND][ident]
    return {"id": ident, "object": KIND}


def include_of(p):
    given = p.get("include", {})
    return list(given.values()) if isinstance(given, dict) else [given]


def list_all(world, p):
    for name in p:
        if name not in ("include", "limit"):
            raise unknown_param(name)
    return {"data": [shown(row, include_of(p)) for row in world.all(KIND)], "next_page_url": None,
            "previous_page_url": None}


ROUTES = (
    ("GET", "/v2/core/events/{id}", retrieve_event),
    ("POST", "/v2/core/event_destinations", create),
    ("GET", "/v2/core/event_destinations", list_all),
    ("GET", "/v2/core/event_destinations/{id}", retrieve),
    ("POST", "/v2/core/event_destinations/{id}", update),
    ("DELETE", "/v2/core/event_destinations/{id}", delete),
    ("POST", "/v2/core/event_destinations/{id}/disable", switched("disabled")),
    ("POST", "/v2/core/event_destinations/{id}/enable", switched("enabled")),
)


def read_body(raw):
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad("Invalid request: the body must be a JSON object")
    return body
