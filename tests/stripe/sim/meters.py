"""Meter events: taken down, each identifier once."""
from .errors import ApiError, bad, refused

DAY = 86400


def total(world, meter, customer, start, end):
    """What a meter, by its id or event_name, has counted of a customer from start up to end."""
    row = world.objects["billing.meter"].get(meter) or next(
        row for row in world.all("billing.meter") if row["event_name"] == meter)
    whose, value = row["customer_mapping"]["event_payload_key"], row["value_settings"]["event_payload_key"]
    counted = [event for event in world.objects["billing.meter_event"].values()
               if event["event_name"] == row["event_name"] and event["payload"].get(whose) == customer
               and start <= event["timestamp"] < end]
    return sum(int(event["payload"][value]) for event in counted)


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
