"""Subscription schedules: phases, each with prices of its own, that begin when their time comes."""
from . import money, subscriptions, tariff
from .errors import bad, missing_param, refused
from .listing import matching, page
from .parameters import parse_table
from .tables import EXPAND, NOTHING, PAGE
from .world import merge_metadata

PHASES = """
    phases[].items[].price      * string
    phases[].items[].quantity   integer
    phases[].start_date         now|<integer>
    phases[].end_date           timestamp
    phases[].proration_behavior none|create_prorations|always_invoice
    end_behavior                cancel|release
    metadata                    metadata
"""
CREATE = parse_table(EXPAND + "from_subscription string\n" + PHASES)
UPDATE = parse_table(EXPAND + PHASES)
LIST = parse_table(PAGE + "customer string\n")
OPEN = ("not_started", "active")


def item_of(price, quantity):
    return {"billing_thresholds": None, "discounts": [], "metadata": {}, "plan": price, "price": price,
            **({} if quantity is None else {"quantity": quantity}), "tax_rates": []}


def phase(sub, items, start, end, proration="create_prorations"):
    return {"add_invoice_items": [], "application_fee_percent": None, "billing_cycle_anchor": None,
            "billing_thresholds": None, "collection_method": None, "currency": sub["currency"],
            "default_payment_method": None, "description": None, "discounts": [], "end_date": end,
            "invoice_settings": None, "items": items, "metadata": {}, "on_behalf_of": None,
            "proration_behavior": proration, "start_date": start, "transfer_data": None, "trial_end": None}


def create(world, p):
    """The simulator makes a schedule of a subscription only, as the Dashboard does."""
    if "from_subscription" not in p:
        raise bad("The simulator makes schedules of subscriptions only", "from_subscription", "parameter_missing")
    if "phases" in p:
        raise bad("`phases` cannot be set when `from_subscription` is", "phases")
    sub = world.get("subscription", p["from_subscription"], "from_subscription")
    if sub["schedule"] or sub["status"] in subscriptions.ENDED:
        raise refused("You cannot migrate a subscription that is already attached to a schedule or has ended.",
                      "from_subscription")
    items = [item_of(item["price"]["id"], item.get("quantity")) for item in sub["items"]["data"]]
    start, end = sub["items"]["data"][0]["current_period_start"], subscriptions.period_end(sub)
    row = world.put({
        "id": world.new_id("sub_sched_1"), "object": "subscription_schedule", "application": None,
        "billing_mode": sub["billing_mode"], "canceled_at": None, "completed_at": None, "created": world.now(),
        "current_phase": {"end_date": end, "start_date": start}, "customer": sub["customer"],
        "customer_account": None, "default_settings": {
            "application_fee_percent": None, "billing_cycle_anchor": "automatic", "billing_thresholds": None,
            "collection_method": sub["collection_method"], "default_payment_method": None, "description": None,
            "invoice_settings": {"account_tax_ids": None, "custom_fields": None, "days_until_due": None,
                                 "description": None, "footer": None, "issuer": {"type": "self"}},
            "on_behalf_of": None, "transfer_data": None},
        "end_behavior": p.get("end_behavior", "release"), "livemode": False, "metadata": p.get("metadata") or {},
        "phases": [phase(sub, items, start, end)], "released_at": None, "released_subscription": None,
        "status": "active", "subscription": sub["id"], "test_clock": None,
    })
    world.emit("subscription_schedule.created", row)
    with world.changing(sub, "customer.subscription.updated"):
        sub["schedule"] = row["id"]
    return row


def read_phases(world, sub, wanted):
    found, start = [], sub["items"]["data"][0]["current_period_start"]
    for n, one in enumerate(wanted):
        where = f"phases[{n}]"
        items = []
        if not one.get("items"):
            raise missing_param(f"{where}[items]")
        for m, item in enumerate(one["items"]):
            price = world.get("price", item["price"], f"{where}[items][{m}][price]")
            subscriptions.check_recurring(price, f"{where}[items][{m}][price]")
            money.check_same_currency(price, sub["currency"], f"{where}[items][{m}][price]")
            if item.get("quantity", 0) < 0:
                raise bad("Invalid non-negative integer", f"{where}[items][{m}][quantity]",
                          "parameter_invalid_integer")
            subscriptions.check_quantity(price, item, f"{where}[items][{m}][quantity]")
            items.append(item_of(price["id"], None if tariff.is_metered(price) else item.get("quantity", 1)))
        start = one.get("start_date", start)
        start = world.now() if start == "now" else start
        end = one.get("end_date") or subscriptions.add_interval(
            start, world.get("price", items[0]["price"])["recurring"], start)
        if end <= start:
            raise refused("The end date of a phase must be after its start date.", f"{where}[end_date]")
        found.append(phase(sub, items, start, end, one.get("proration_behavior", "create_prorations")))
        start = end
    return found


def update(world, p, ident):
    row = world.get("subscription_schedule", ident)
    check_open(row)
    with world.changing(row, "subscription_schedule.updated"):
        if "phases" in p:
            row["phases"] = read_phases(world, world.get("subscription", row["subscription"]), p["phases"])
        row["end_behavior"] = p.get("end_behavior", row["end_behavior"])
        if "metadata" in p:
            merge_metadata(row, p["metadata"])
    return row


def check_open(row):
    if row["status"] not in OPEN:
        raise refused(f"Only a schedule that is not_started or active can be changed; this one is {row['status']}.")


def let_go(world, row, kind, **more):
    """The schedule ends; its subscription goes on as it is."""
    sub = world.get("subscription", row["subscription"])
    row.update(current_phase=None, **more)
    world.emit(f"subscription_schedule.{kind}", row)
    with world.changing(sub, "customer.subscription.updated"):
        sub["schedule"] = None


def release(world, p, ident):
    row = world.get("subscription_schedule", ident)
    check_open(row)
    release_now(world, row)
    return row


def release_now(world, row):
    sub = row["subscription"]
    let_go(world, row, "released", status="released", released_at=world.now(), released_subscription=sub)
    row["subscription"] = None


def get(world, p, ident):
    return world.get("subscription_schedule", ident)


def list_all(world, p):
    return page(world, matching(world.all("subscription_schedule"), p, "customer"), p, "/v1/subscription_schedules")


def due(world, row):
    """[(when, what to do)] of the next phase, or of the end of the last."""
    if row["status"] != "active":
        return []
    current = row["current_phase"]
    following = [one for one in row["phases"] if one["start_date"] >= current["end_date"]]
    return [(current["end_date"], begin_phase if following else finish)]


def changes_to(sub, coming):
    """The parameter `items` that gives a subscription the prices of a phase."""
    old = [{"id": item["id"]} for item in sub["items"]["data"]]
    items = [{**(old[n] if n < len(old) else {}),
              **{name: item[name] for name in ("price", "quantity") if name in item}}
             for n, item in enumerate(coming["items"])]
    return items + [{**one, "deleted": True} for one in old[len(items):]]


def at(world, sub, when):
    """The parameter `items` of the phase that begins by then, or None."""
    row = world.objects["subscription_schedule"].get(sub["schedule"])
    phases = row["phases"] if row and row["status"] == "active" else []
    coming = [one for one in phases if row["current_phase"]["end_date"] <= one["start_date"] <= when]
    return changes_to(sub, coming[-1]) if coming else None


def begin_phase(world, row):
    current = row["current_phase"]
    coming = next(one for one in row["phases"] if one["start_date"] >= current["end_date"])
    sub = world.get("subscription", row["subscription"])
    items = changes_to(sub, coming)
    with world.changing(row, "subscription_schedule.updated"):
        row["current_phase"] = {"end_date": coming["end_date"], "start_date": coming["start_date"]}
    subscriptions.update(world, {"items": items, "proration_behavior": "none"}, sub["id"])


def finish(world, row):
    sub = row["subscription"]
    if row["end_behavior"] == "cancel":
        let_go(world, row, "completed", status="completed", completed_at=world.now())
        subscriptions.end(world, world.get("subscription", sub), "cancellation_requested")
        return
    release_now(world, row)


ROUTES = (
    ("POST", "subscription_schedules", CREATE, create),
    ("GET", "subscription_schedules", LIST, list_all),
    ("GET", "subscription_schedules/{id}", NOTHING, get),
    ("POST", "subscription_schedules/{id}", UPDATE, update),
    ("POST", "subscription_schedules/{id}/release", NOTHING, release),
)
