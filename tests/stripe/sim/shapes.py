"""How an object looks in a version of the API. Objects are kept in the new shape; the others are derived from it."""
from copy import deepcopy

NEW = "2026-07-29.dahlia"
OLD = "2024-10-28.acacia"
NEWEST = "2026-10-28.endive"
VERSIONS = (NEWEST, NEW, OLD)
EMBEDDED = 10


def drop(row, *names):
    for name in names:
        row.pop(name, None)


def old_price(row):
    if row.get("recurring"):
        row["recurring"]["aggregate_usage"] = None


def old_plan(row):
    row["aggregate_usage"] = None


def old_item(row):
    drop(row, "current_period_start", "current_period_end")


def old_subscription(row):
    items = row["items"]["data"]
    row["current_period_start"] = min(item["current_period_start"] for item in items)
    row["current_period_end"] = max(item["current_period_end"] for item in items)
    row["discount"] = None
    drop(row, "billing_mode", "billing_schedules", "customer_account", "managed_payments")
    drop(row["automatic_tax"], "disabled_reason")
    drop(row["invoice_settings"], "custom_fields", "description", "footer")


def old_line(row):
    parent = row.pop("parent")
    parent = parent["subscription_item_details"] or {**parent["invoice_item_details"], "subscription_item": None}
    price = deepcopy(row.pop("_price", None))
    drop(row, "pricing", "quantity_decimal", "subtotal", "taxes")
    row.update(amount_excluding_tax=row["amount"], plan=plan_of(price) if price and price["recurring"] else None,
               price=price, proration=parent["proration"], proration_details=parent["proration_details"],
               subscription_item=parent["subscription_item"], tax_amounts=[], tax_rates=[],
               type="subscription" if parent["subscription_item"] else "invoiceitem",
               unit_amount_excluding_tax=str(row["amount"]))


def old_invoice(row):
    parent = row.pop("parent")["subscription_details"]
    paid = row["status"] == "paid"
    drop(row, "amount_overpaid", "customer_account", "total_taxes")
    drop(row["automatic_tax"], "disabled_reason", "provider")
    row.update(application_fee_amount=None, charge=row.pop("_charge", None), discount=None, paid=paid,
               paid_out_of_band=False, payment_intent=row.pop("_payment_intent", None), quote=None,
               subscription=parent["subscription"], subscription_details={"metadata": parent["metadata"]},
               tax=None, total_tax_amounts=[], transfer_data=None)


def old_session(row):
    drop(row, "adaptive_pricing", "collected_information", "customer_account", "discounts", "integration_identifier",
         "managed_payments", "optional_items", "origin_context", "permissions", "wallet_options")
    drop(row["automatic_tax"], "provider")
    if row["customer_details"]:
        drop(row["customer_details"], "business_name", "individual_name")
    row.update(shipping_details=None, ui_mode="hosted")


def old_configuration(row):
    features = row["features"]
    drop(row, "name")
    drop(features["payment_method_update"], "payment_method_configuration")
    drop(features["subscription_update"], "billing_cycle_anchor", "trial_update_behavior")
    for product in features["subscription_update"].get("products") or []:
        drop(product, "adjustable_quantity")


def old_charge(row):
    row["invoice"] = row.get("_invoice")


OLDER = {
    "billing_portal.configuration": old_configuration,
    "billing_portal.session": lambda row: drop(row, "customer_account"),
    "charge": old_charge, "checkout.session": old_session, "customer": lambda row: drop(row, "customer_account"),
    "invoice": old_invoice,
    "line_item": old_line, "plan": old_plan, "price": old_price, "subscription": old_subscription,
    "subscription_item": old_item,
}


def newest_subscription(row):
    if row["pending_update"]:
        row["pending_update"].setdefault("cancel_at_period_end", None)


NEWER = {
    "billing_portal.configuration": lambda row: row["features"].setdefault("subscription_pause", {"enabled": False}),
    "checkout.session": lambda row: row.setdefault("allowed_payment_method_types", None),
    "subscription": newest_subscription,
    "subscription_item": lambda row: row.setdefault("current_trial", None),
}
SHAPES = {OLD: OLDER, NEWEST: NEWER}


def plan_of(price):
    """The old plan object that every recurring price still carries along."""
    recurring = price["recurring"]
    return {
        "id": price["id"], "object": "plan", "active": price["active"], "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"], "billing_scheme": price["billing_scheme"],
        "created": price["created"], "currency": price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": False, "metadata": {}, "meter": recurring["meter"],
        "nickname": None, "product": price["product"], "tiers_mode": price["tiers_mode"], "transform_usage": None,
        "trial_period_days": None, "usage_type": recurring["usage_type"],
    }


def render(value, version):
    """A copy of the object, and of all within it, in that version; names that begin with _ are left out."""
    if isinstance(value, list):
        return [render(child, version) for child in value]
    if not isinstance(value, dict):
        return value
    row = dict(value)
    kind = row.get("object")
    if kind == "event":
        return render_event(row, row["api_version"])
    shape = SHAPES.get(version, {}).get(kind)
    if shape and not row.get("deleted"):
        row = deepcopy(row)
        shape(row)
    return {key: render(first_page(child), version) for key, child in row.items() if not key.startswith("_")}


def first_page(child):
    """A list within an object is there with its first ten; the rest is at its own address."""
    if not isinstance(child, dict) or child.get("object") != "list" or len(child["data"]) <= EMBEDDED:
        return child
    return {**child, "data": child["data"][:EMBEDDED], "has_more": True}


def difference(before, after):
    """previous_attributes: what the changed fields were, nested as deep as the objects go."""
    found = {}
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        found[key] = difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return found


def render_event(event, version):
    """An event keeps the shape it was made in, whatever version the request for it names."""
    new = render(event["data"]["object"], version)
    data = {"object": new}
    if event["_before"] is not None:
        data["previous_attributes"] = difference(render(event["_before"], version), new)
    shown = {key: value for key, value in event.items() if not key.startswith("_")}
    return {**shown, "api_version": version, "data": data}
