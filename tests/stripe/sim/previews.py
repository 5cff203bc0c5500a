"""POST /v1/invoices/create_preview: the invoice that a subscription is about to get, without making it."""
from copy import deepcopy

from . import invoices, schedules, subscriptions
from .errors import ApiError, missing_param, refused
from .parameters import parse_table
from .tables import EXPAND, PRORATION

CREATE = parse_table(EXPAND + f"""
    customer                                    string
    subscription                                string
    preview_mode                                next|recurring
    discounts[].coupon                          string
    subscription_details.items[].id             string
    subscription_details.items[].price          string
    subscription_details.items[].quantity       integer
    subscription_details.items[].deleted        boolean
    subscription_details.proration_behavior     {PRORATION}
    subscription_details.cancel_at_period_end   boolean
    subscription_details.cancel_now             boolean
    subscription_details.trial_end              now|<integer>
""" + "\n".join(f"{name} !" for name in """
    automatic_tax currency customer_account customer_details invoice_items issuer on_behalf_of schedule
    schedule_details""".split()))


def create(world, p):
    if "subscription" not in p:
        raise missing_param("subscription")
    row = world.get("subscription", p["subscription"], "subscription")
    if "customer" in p and world.get("customer", p["customer"], "customer")["id"] != row["customer"]:
        raise refused(f"The subscription {row['id']} does not belong to the customer {p['customer']}.", "customer")
    asked = p.get("subscription_details", {})
    ends = row["cancel_at"] and row["cancel_at"] <= subscriptions.period_end(row) or asked.get("cancel_at_period_end")
    if row["status"] in (*subscriptions.ENDED, "paused") or ends:
        raise ApiError(404, f"No upcoming invoices for customer: '{row['customer']}'", "invoice_upcoming_none")
    return preview(world, deepcopy(row), asked, p.get("preview_mode", "next"))


def preview(world, sub, asked, mode):
    """sub: a copy, which is moved into its next period and not kept."""
    lines = deepcopy(world.prorations.get(sub["id"], [])) + subscriptions.apply_items(world, sub, asked)
    lines = [] if mode == "recurring" or asked.get("proration_behavior") == "none" else lines
    when = subscriptions.period_end(sub)
    start = min(item["current_period_start"] for item in sub["items"]["data"])
    trial = sub["status"] == "trialing"
    if trial:
        sub["status"] = "active"
    coming = schedules.at(world, sub, when)
    if coming:
        subscriptions.apply_items(world, sub, {"items": coming})
    for item in sub["items"]["data"]:
        item["current_period_start"] = when
        item["current_period_end"] = subscriptions.add_interval(
            when, item["price"]["recurring"], max(sub["billing_cycle_anchor"], sub["start_date"]))
    lines += invoices.usage_lines(world, sub, (start, when), trial) + invoices.period_lines(world, sub)
    return invoices.build(world, sub, "upcoming", lines, f"upcoming_in_{world.new_id('', 24)}", when,
                          {"period_start": start, "period_end": when})
