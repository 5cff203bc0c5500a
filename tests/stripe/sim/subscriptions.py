"""Subscriptions: what the API asks of them. What time does to them is in lifecycle.py."""
from copy import deepcopy
from datetime import datetime, timezone

from . import discounts, invoices, money, tariff
from .errors import bad, not_found, refused
from .listing import in_range, matching, page
from .shapes import plan_of
from .world import assign, merge_metadata

ENDED = ("canceled", "incomplete_expired")
HOUR, DAY = 3600, 86400
MOST_TRIAL_DAYS = 730
MOST_ITEMS = 20
INACTIVE = "The price specified is inactive. This field only accepts active prices."


def check_trial_days(days, param):
    if days < 1:
        raise bad("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
    if days > MOST_TRIAL_DAYS:
        raise bad(f"This value must be less than or equal to {MOST_TRIAL_DAYS} (you passed {days}).", param,
                  "parameter_invalid_integer")


def check_trial_end(world, end, param):
    if end <= world.now():
        raise refused("The trial_end timestamp must be in the future", param)
    if end > world.now() + MOST_TRIAL_DAYS * DAY:
        raise refused(f"The trial_end timestamp can be at most {MOST_TRIAL_DAYS} days in the future", param)


def check_items(row):
    """What a change of items leaves."""
    items = row["items"]["data"]
    if len(items) > MOST_ITEMS:
        raise refused(f"You can include at most {MOST_ITEMS} items in a subscription.", "items")
    total = sum(tariff.at_once(item["price"], item.get("quantity")) for item in items)
    money.check_amount(total, row["currency"], "items")


def check_recurring(price, param):
    if not price["active"]:
        raise refused(INACTIVE, param)
    if price["type"] != "recurring":
        raise refused("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", param)


def check_product(world, price, param):
    if not world.get("product", price["product"])["active"]:
        raise refused(f"The product {price['product']} is marked as inactive, and thus no new subscriptions can be "
                      "created to any of its prices.", param)


def add_interval(start, recurring, anchor):
    """The end of a period that begins at start; months keep the anchor's day, or the month's last."""
    interval, count = recurring["interval"], recurring["interval_count"]
    if interval in ("day", "week"):
        return start + count * DAY * (7 if interval == "week" else 1)
    at, want = (datetime.fromtimestamp(t, timezone.utc) for t in (start, anchor))
    months = at.year * 12 + at.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1) - datetime(year, month + 1, 1)).days
    return int(at.replace(year=year, month=month + 1, day=min(want.day, last)).timestamp())


def check_quantity(price, asked, where):
    """A metered price has no quantity: its meter counts."""
    if tariff.is_metered(price) and "quantity" in asked:
        raise refused("You cannot set a quantity for a metered price.", where)


def build_item(world, sub, price, quantity, period):
    counted = {} if tariff.is_metered(price) else {"quantity": quantity}
    return {
        "id": world.new_id("si_", 14), "object": "subscription_item", "billing_thresholds": None,
        "created": world.now(), "current_period_end": period[1], "current_period_start": period[0], "discounts": [],
        "metadata": {}, "plan": plan_of(price), "price": deepcopy(price), **counted, "subscription": sub,
        "tax_rates": [],
    }


def build(world, customer, lines, p, method=None):
    """A subscription not yet told to anyone. lines: [(price, quantity)]; p: the parameters of subscription_data."""
    now = world.now()
    ident = world.new_id("sub_1")
    trial = p.get("trial_end") or ("trial_period_days" in p and now + p["trial_period_days"] * DAY) or None
    end = trial or add_interval(now, lines[0][0]["recurring"], now)
    items = [build_item(world, ident, price, quantity, (now, end)) for price, quantity in lines]
    mode = p.get("billing_mode", {}).get("type", world.settings["billing_mode"])
    row = deepcopy(EMPTY)
    row.update(
        id=ident, billing_cycle_anchor=end if trial else now, billing_mode={"flexible": None, "type": mode},
        created=now, currency=lines[0][0]["currency"], customer=customer, default_payment_method=method,
        description=p.get("description"), metadata=p.get("metadata") or {}, start_date=now,
        items={"object": "list", "data": items, "has_more": False,
               "url": f"/v1/subscription_items?subscription={ident}"},
        status="trialing" if trial else "incomplete", trial_end=trial, trial_start=now if trial else None)
    if "trial_settings" in p:
        row["trial_settings"] = p["trial_settings"]
    return world.put(row)


def period_end(row):
    return max(item["current_period_end"] for item in row["items"]["data"])


def retrieve(world, p, ident):
    return world.get("subscription", ident)


def list_all(world, p):
    status = p.get("status")

    def listed(row):
        if status == "all":
            return True
        if status == "ended":
            return row["status"] in ENDED
        return row["status"] == status if status else row["status"] != "canceled"
    rows = [row for row in world.all("subscription") if listed(row)]
    rows = matching(
        rows, p, "customer", "collection_method",
        price=lambda row, wanted: any(item["price"]["id"] == wanted for item in row["items"]["data"]),
        current_period_start=lambda row, r: in_range(row["items"]["data"][0]["current_period_start"], r),
        current_period_end=lambda row, r: in_range(period_end(row), r))
    return page(world, rows, p, "/v1/subscriptions")


def list_items(world, p):
    """All of them, ten at a time unless asked otherwise: the list within a subscription ends after its first ten."""
    row = world.get("subscription", p["subscription"], "subscription")
    return page(world, row["items"]["data"], p, "/v1/subscription_items")


def check_cancellation(world, row, p):
    if "cancel_at" in p and "cancel_at_period_end" in p:
        raise bad("You may only specify one of these parameters: cancel_at, cancel_at_period_end.", "cancel_at",
                  "parameters_exclusive")
    if isinstance(p.get("cancel_at"), int) and p["cancel_at"] <= world.now():
        raise refused("The cancel_at timestamp must be in the future", "cancel_at")
    if str(p.get("cancel_at")).endswith("period_end") and row["billing_mode"]["type"] != "flexible":
        raise refused("min_period_end and max_period_end require billing_mode flexible", "cancel_at")
    if row["schedule"] and (p.get("cancel_at") or p.get("cancel_at_period_end")):
        raise refused(f"The subscription is managed by the subscription schedule `{row['schedule']}`, and updating any "
                      "cancelation behavior directly is not allowed. Please update the schedule instead.")


def schedule_cancel(world, row, p):
    """Sets or clears a cancellation to come, as either of the two parameters asks."""
    if "cancel_at_period_end" in p:
        on = p["cancel_at_period_end"]
        at = period_end(row) if on else None
        row.update(cancel_at_period_end=on, cancel_at=at)
    elif "cancel_at" in p:
        at = {"": None, "min_period_end": period_end(row), "max_period_end": period_end(row)}.get(
            p["cancel_at"], p["cancel_at"])
        row.update(cancel_at_period_end=False, cancel_at=at)
    else:
        return
    row["canceled_at"] = world.now() if at else None
    row["cancellation_details"]["reason"] = "cancellation_requested" if at else None
    if not at:
        row["cancellation_details"].update(comment=None, feedback=None)


def apply_details(row, p):
    for name, value in p.get("cancellation_details", {}).items():
        row["cancellation_details"][name] = value or None


def replace_item(world, row, item, price, quantity):
    """A change of price or quantity; the prorations of the rest of the period wait for the next invoice."""
    now = world.now()
    if tariff.is_metered(price) or tariff.is_metered(item["price"]):
        return replace_metered(item, price)
    start, end = item["current_period_start"], item["current_period_end"]
    period = (now, end)
    left = (end - now) / max(1, end - start)
    before = item["price"]["unit_amount"] * item["quantity"]
    lines = []
    if row["status"] != "trialing":
        lines.append(invoices.line(world, row, item, -round(before * left), period,
                                   "Unused time", proration=True))
    item.update(price=deepcopy(price), plan=plan_of(price), quantity=quantity)
    if row["status"] != "trialing":
        amount = round(price["unit_amount"] * quantity * left)
        lines.append(invoices.line(world, row, item, amount, period, "Remaining time", proration=True))
    return lines


def replace_metered(item, price):
    """What was counted before is billed by the new price at the period's end; nothing is left unused."""
    if not tariff.is_metered(price) or price["recurring"]["meter"] != item["price"]["recurring"]["meter"]:
        raise bad("The simulator changes a metered price for one of the same meter only", "items")
    item.update(price=deepcopy(price), plan=plan_of(price))
    return []


def apply_items(world, row, p):
    """Proration lines of all changes."""
    lines = []
    for n, change in enumerate(p.get("items", [])):
        where = f"items[{n}]"
        price = world.get("price", change["price"], f"{where}[price]") if "price" in change else None
        if change.get("quantity", 0) < 0:
            raise bad("Invalid non-negative integer", f"{where}[quantity]", "parameter_invalid_integer")
        if price:
            check_recurring(price, f"{where}[price]")
            check_product(world, price, f"{where}[price]")
            money.check_same_currency(price, row["currency"], f"{where}[price]")
        if "id" not in change:
            if price is None:
                raise refused("Missing required param: price.", f"{where}[price]", "parameter_missing")
            if any(item["price"]["id"] == price["id"] for item in row["items"]["data"]):
                raise refused("Cannot add multiple subscription items with the same price: " + price["id"],
                              f"{where}[price]")
            check_quantity(price, change, f"{where}[quantity]")
            first = row["items"]["data"][0]
            row["items"]["data"].append(build_item(world, row["id"], price, change.get("quantity", 1),
                                                   (first["current_period_start"], first["current_period_end"])))
            continue
        item = next((item for item in row["items"]["data"] if item["id"] == change["id"]), None)
        if item is None:
            raise not_found("subscription_item", change["id"], f"{where}[id]")
        check_quantity(price or item["price"], change, f"{where}[quantity]")
        if change.get("deleted"):
            row["items"]["data"].remove(item)
            if not row["items"]["data"]:
                raise refused("A subscription must have at least one active plan.", "items")
            continue
        lines += replace_item(world, row, item, price or item["price"], change.get("quantity", item.get("quantity")))
    check_items(row)
    return lines


def bill_prorations(world, row, lines, behaviour):
    if behaviour == "none" or not lines:
        return
    world.prorations.setdefault(row["id"], []).extend(lines)
    if behaviour == "always_invoice":
        with world.changing(row, "customer.subscription.updated"):
            invoice = invoices.draft(world, row, "subscription_update", [])
        invoices.finalize(world, invoice)
        if not invoices.pay(world, invoice, row) and row["status"] == "active":
            with world.changing(row, "customer.subscription.updated"):
                row["status"] = "past_due"


def update(world, p, ident):
    row = world.get("subscription", ident)
    if row["status"] in ENDED and set(p) - {"metadata", "cancellation_details", "expand"}:
        raise refused("A canceled subscription can only update its cancellation_details and metadata.")
    check_cancellation(world, row, p)
    check_collection(row, p)
    check_pause(world, p)
    before = deepcopy(row)
    try:
        with world.changing(row, "customer.subscription.updated"):
            lines = apply_items(world, row, p)
            apply_plain(world, row, p)
            schedule_cancel(world, row, p)
            apply_details(row, p)
    except Exception:
        row.update(before)
        raise
    bill_prorations(world, row, lines, p.get("proration_behavior", "create_prorations"))
    return row


def check_pause(world, p):
    if ((p.get("pause_collection") or {}).get("resumes_at") or world.now() + 1) <= world.now():
        raise refused("The resumes_at timestamp must be in the future", "pause_collection[resumes_at]")


def check_collection(row, p):
    if p.get("days_until_due", 0) < 0:
        raise bad("Invalid non-negative integer", "days_until_due", "parameter_invalid_integer")
    sent = p.get("collection_method", row["collection_method"]) == "send_invoice"
    if sent and not p.get("days_until_due", row["days_until_due"]):
        raise bad("When `collection_method` is `send_invoice`, you must set `days_until_due`.", "days_until_due",
                  "parameter_missing")
    if not sent and "days_until_due" in p:
        raise bad("`days_until_due` can be set only when `collection_method` is `send_invoice`.", "days_until_due")


def apply_collection(row, p):
    if "collection_method" in p:
        row["collection_method"] = p["collection_method"]
        row["days_until_due"] = p.get("days_until_due", row["days_until_due"])
    if row["collection_method"] == "charge_automatically":
        row["days_until_due"] = None
    elif "days_until_due" in p:
        row["days_until_due"] = p["days_until_due"]


def apply_plain(world, row, p):
    apply_collection(row, p)
    if "discounts" in p:
        discounts.apply(world, row, p["discounts"])
    if p.get("pause_collection"):
        p["pause_collection"].setdefault("resumes_at", None)
    assign(row, p, "description", "pause_collection", "trial_settings")
    if "metadata" in p:
        merge_metadata(row, p["metadata"])
    if "default_payment_method" in p:
        world.get("payment_method", p["default_payment_method"], "default_payment_method")
        row["default_payment_method"] = p["default_payment_method"]
    if "trial_end" in p:
        if row["status"] != "trialing":
            raise refused("The simulator moves the end of a running trial only", "trial_end")
        end = world.now() if p["trial_end"] == "now" else p["trial_end"]
        if p["trial_end"] != "now":
            check_trial_end(world, end, "trial_end")
        row["trial_end"] = row["billing_cycle_anchor"] = end
        for item in row["items"]["data"]:
            item["current_period_end"] = end


def leave_pending(world, row, price):
    """A change of price that is not made until its invoice is paid, and is given up after a day."""
    item = deepcopy(row["items"]["data"][0])
    item.update(price=deepcopy(price), plan=plan_of(price))
    with world.changing(row, "customer.subscription.updated"):
        row["pending_update"] = {"billing_cycle_anchor": None, "discount": None, "discounts": None,
                                 "expires_at": world.now() + 23 * HOUR, "metadata": None,
                                 "subscription_items": [item], "trial_end": None, "trial_from_plan": None}


def cancel_schedule(world, row):
    """A schedule ends with its subscription."""
    plan = world.objects["subscription_schedule"].get(row["schedule"])
    row["schedule"] = None
    if plan:
        plan.update(status="canceled", canceled_at=world.now(), current_phase=None)
        world.emit("subscription_schedule.canceled", plan)


def end(world, row, reason):
    """Over, now. Open invoices of it are not collected any more."""
    now = world.now()
    cancel_schedule(world, row)
    row.update(status="canceled", ended_at=now, canceled_at=row["canceled_at"] or now)
    if row["cancel_at"] is None:
        row["canceled_at"] = now
    row["cancellation_details"]["reason"] = row["cancellation_details"]["reason"] or reason
    for invoice in world.all("invoice"):
        if invoices.subscription_of(invoice) == row["id"] and invoice["status"] in ("draft", "open"):
            with world.changing(invoice, "invoice.updated"):
                invoice.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
    world.emit("customer.subscription.deleted", row)


def bill_used(world, row, start, trial):
    """What meters counted of one that has ended."""
    world.keep(row["id"])["period_before"] = start, world.now()
    if any(tariff.is_metered(item["price"]) for item in row["items"]["data"]):
        invoices.cycle(world, row, trial, [])


def cancel(world, p, ident):
    """DELETE: at once. One that has ended already is not found any more. Without invoice_now what meters counted since
    the period began is never billed."""
    row = world.get("subscription", ident)
    if row["status"] in ENDED:
        raise not_found("subscription", ident)
    apply_details(row, p)
    trial, start = row["status"] == "trialing", row["items"]["data"][0]["current_period_start"]
    end(world, row, "cancellation_requested")
    if p.get("invoice_now"):
        bill_used(world, row, start, trial)
    return row


def resume(world, p, ident):
    """A paused subscription becomes active once the invoice of this is paid; until then it stays paused."""
    row = world.get("subscription", ident)
    if row["status"] != "paused":
        raise refused(f"Only paused subscriptions can be resumed. This subscription is {row['status']}.")
    with world.changing(row, "customer.subscription.updated"):
        if p.get("billing_cycle_anchor", "now") == "now":
            row["billing_cycle_anchor"] = world.now()
            start_period(world, row, world.now())
        invoice = invoices.draft(world, row, "subscription_update", invoices.resumed_lines(world, row))
    invoices.finalize(world, invoice)
    if invoices.pay(world, invoice, row):
        become_active(world, row)
    elif p.get("payment_behavior") == "resume_on_payment_attempt":
        become_active(world, row, "past_due")
    else:
        world.keep(row["id"])["resuming"] = True
        world.keep(invoice["id"])["voids_at"] = world.now() + 23 * HOUR
        invoice["next_payment_attempt"] = None
    return row


def become_active(world, row, status="active"):
    row["status"] = status
    world.emit("customer.subscription.resumed", row)


def start_period(world, row, start):
    items = row["items"]["data"]
    world.keep(row["id"])["period_before"] = min(item["current_period_start"] for item in items), start
    for item in row["items"]["data"]:
        item["current_period_start"] = start
        item["current_period_end"] = add_interval(start, item["price"]["recurring"],
                                                  max(row["billing_cycle_anchor"], row["start_date"]))


EMPTY = {
    "object": "subscription", "application": None, "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None, "billing_schedules": [], "billing_thresholds": None, "cancel_at": None,
    "cancel_at_period_end": False, "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically", "customer_account": None, "days_until_due": None,
    "default_source": None, "default_tax_rates": [], "discounts": [], "ended_at": None,
    "invoice_settings": {"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None,
                         "issuer": {"type": "self"}},
    "latest_invoice": None, "livemode": False, "managed_payments": {"enabled": False},
    "next_pending_invoice_item_invoice": None, "on_behalf_of": None, "pause_collection": None,
    "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                         "save_default_payment_method": "off"},
    "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None, "schedule": None,
    "test_clock": None, "transfer_data": None,
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
}
