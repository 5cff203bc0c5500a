"""Meter events: taken down, each identifier once."""
from .errors import ApiError, bad, refused

DAY = 86400


def create(world, p):
    now = world.now()
    at = p.get("timestamp", now)
    if not now - 35 * DAY <= at <= now + 300:
        raise refused("The timestamp must be within the past 35 days and at most 5 minutes in the future", "timestamp")
    if "stripe_customer_id" not in p["payload"] or "value" not in p["payload"]:
        raise bad("Missing required payload keys", "payload", "parameter_missing")
    ident = p.get("identifier") or world.new_id("", 32)
    seen = world.objects["billing.meter_event"].get(ident)
    if seen and now - seen["created"] < DAY:
        raise ApiError(400, f"An event already exists with identifier {ident}.", "duplicate_meter_event", "identifier",
                       headers={"Stripe-Should-Retry": "false"})
    row = {"object": "billing.meter_event", "created": now, "event_name": p["event_name"], "identifier": ident,
           "livemode": False, "payload": p["payload"], "timestamp": at}
    world.objects["billing.meter_event"][ident] = row
    return row
