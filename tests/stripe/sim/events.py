"""Events and webhook endpoints over the API; deliveries.py carries them out."""
from fnmatch import fnmatchcase
from pathlib import Path

from . import shapes
from .errors import bad, not_found, refused
from .listing import matching, page
from .world import assign, merge_metadata

DAY = 86400
MOST_ENDPOINTS = 16
TYPES = Path(__file__).with_name("event_types.txt").read_text(encoding="utf-8").split()     # of 2026-10-28.endive


def retrieve(world, p, ident):
    event = world.get("event", ident)
    if world.now() - event["created"] > 30 * DAY:
        raise not_found("event", ident)
    return event


def list_all(world, p):
    if "type" in p and "types" in p:
        raise bad("You may only specify one of these parameters: type, types.", "types", "parameters_exclusive")
    if len(p.get("types", [])) > 20:
        raise bad("You can specify at most 20 types", "types")
    rows = [row for row in world.all("event") if world.now() - row["created"] <= 30 * DAY]
    rows = matching(rows, p, type=lambda row, wanted: fnmatchcase(row["type"], wanted),
                    types=lambda row, wanted: row["type"] in wanted,
                    delivery_success=lambda row, wanted: (row["pending_webhooks"] == 0) == wanted)
    return page(world, rows, p, "/v1/events")


def build_endpoint(world, url, secrets, api_version=None, enabled_events=("*",)):
    row = world.put({
        "id": world.new_id("we_1"), "object": "webhook_endpoint", "api_version": api_version, "application": None,
        "created": world.now(), "description": None, "enabled_events": list(enabled_events), "livemode": False,
        "metadata": {}, "status": "enabled", "url": url,
    })
    world.secrets[row["id"]] = list(secrets)
    return row


def check_types(p):
    for n, name in enumerate(p.get("enabled_events", [])):
        if name != "*" and name not in TYPES:
            raise bad(f"Invalid enabled_events[{n}]: must be one of {', '.join(TYPES)}, or *", f"enabled_events[{n}]")


def apply(row, p):
    check_types(p)
    assign(row, p, "description")
    if "metadata" in p:
        merge_metadata(row, p["metadata"])
    row["url"] = p.get("url", row["url"])
    row["enabled_events"] = p.get("enabled_events", row["enabled_events"])
    if "disabled" in p:
        row["status"] = "disabled" if p["disabled"] else "enabled"


def create_endpoint(world, p):
    """The only answer that holds the secret."""
    if not p.get("enabled_events"):
        raise bad("Missing required param: enabled_events.", "enabled_events", "parameter_missing")
    if p.get("api_version", shapes.NEW) not in shapes.VERSIONS:
        raise bad(f"Invalid API version: {p['api_version']}", "api_version")
    check_types(p)
    if len(world.all("webhook_endpoint")) >= MOST_ENDPOINTS:
        raise refused(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    secret = world.new_id("whsec_", 32)
    row = build_endpoint(world, p["url"], [secret], p.get("api_version"), p["enabled_events"])
    apply(row, p)
    return {**row, "secret": secret}


def get_endpoint(world, p, ident):
    return world.get("webhook_endpoint", ident)


def update_endpoint(world, p, ident):
    row = world.get("webhook_endpoint", ident)
    apply(row, p)
    return row


def delete_endpoint(world, p, ident):
    world.get("webhook_endpoint", ident)
    world.objects["webhook_endpoint"][ident] = {"id": ident, "object": "webhook_endpoint", "deleted": True}
    return world.objects["webhook_endpoint"][ident]


def list_endpoints(world, p):
    return page(world, world.all("webhook_endpoint"), p, "/v1/webhook_endpoints")


def wants(endpoint, kind):
    return endpoint["status"] == "enabled" and any(name in ("*", kind) for name in endpoint["enabled_events"])
