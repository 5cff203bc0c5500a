"""Invoices: drafted, finalised, charged, failed, voided."""
from copy import deepcopy
from decimal import Decimal

from . import discounts, meters, refunds, tariff
from .catalog import money
from .errors import ApiError, bad
from .listing import matching, page
from .shapes import OLD

DAY = 86400
PAYS = ("4242", "3000")     # last four digits of cards that can be charged


def retrieve(world, p, ident):
    return world.get("invoice", ident)


def retrieve_intent(world, p, ident):
    return world.get("payment_intent", ident)


def subscription_of(row):
    return row["parent"]["subscription_details"]["subscription"]


def list_all(world, p):
    rows = matching(world.all("invoice"), p, "customer", "status",
                    subscription=lambda row, wanted: subscription_of(row) == wanted)
    return page(world, rows, p, "/v1/invoices")


def line(world, sub, item, amount, period, description=None, proration=False):
    price = item["price"]
    return {
        "id": world.new_id("il_1"), "object": "line_item", "amount": amount, "currency": sub["currency"],
        "description": description or f"{item['quantity']} × {product_name(world, price)} "
                                      f"(at {money(price['unit_amount'])} / month)",
        "discount_amounts": [], "discountable": not proration, "discounts": [], "invoice": None, "livemode": False,
        "metadata": deepcopy(sub["metadata"]),
        "parent": {"invoice_item_details": None,
                   "subscription_item_details": {"invoice_item": None, "proration": proration,
                                                 "proration_details": {"credited_items": None},
                                                 "subscription": sub["id"], "subscription_item": item["id"]},
                   "type": "subscription_item_details"},
        "period": {"end": period[1], "start": period[0]}, "pretax_credit_amounts": [],
        "pricing": {"price_details": {"price": price["id"], "product": price["product"]}, "type": "price_details",
                    "unit_amount_decimal": price["unit_amount_decimal"]},
        "quantity": item["quantity"], "quantity_decimal": str(item["quantity"]), "subscription": sub["id"],
        "subtotal": amount, "taxes": [], "_price": deepcopy(price),
    }


def line_once(world, sub, price, quantity):
    """What is paid once: an invoice item of its own, not of an item of the subscription."""
    now = world.now()
    row = line(world, sub, {"id": None, "price": price, "quantity": quantity}, price["unit_amount"] * quantity,
               (now, now), product_name(world, price))
    row["parent"] = {"invoice_item_details": {"invoice_item": world.new_id("ii_1"), "proration": False,
                                              "proration_details": {"credited_items": None},
                                              "subscription": sub["id"]},
                     "subscription_item_details": None, "type": "invoice_item_details"}
    return row


def product_name(world, price):
    return world.objects["product"][price["product"]]["name"]


def period_lines(world, sub):
    """One line for each item's present period, or for the part of it before an end that is set; nothing to pay during a
    trial. What is metered is paid after it."""
    trial = sub["status"] == "trialing"
    lines = []
    for item in sub["items"]["data"]:
        if tariff.is_metered(item["price"]):
            continue
        start, end = item["current_period_start"], item["current_period_end"]
        until = sub["cancel_at"] if start < (sub["cancel_at"] or end) < end else end
        whole = 0 if trial else item["price"]["unit_amount"] * item["quantity"]
        lines.append(line(world, sub, item, round(whole * (until - start) / (end - start)), (start, until),
                          "Trial period" if trial else None))
    return lines


def usage_lines(world, sub, period, free=False):
    """What meters have counted in a period that is over: a line for each tier. free: it was a trial."""
    lines = []
    for item in sub["items"]["data"]:
        price = item["price"]
        if not tariff.is_metered(price):
            continue
        units = meters.total(world, price["recurring"]["meter"], sub["customer"], *period)
        for name, share, amount, each in tariff.shares(price, units):
            row = line(world, sub, {**item, "quantity": share}, 0 if free else amount, period,
                       f"{share} × {product_name(world, price)} ({name}${Decimal(each) / 100:f} / month)")
            row["pricing"]["unit_amount_decimal"] = each
            lines.append({**row, "_usage": True})
    return lines


def count_again(world, row):
    """What meters were told while the invoice was a draft counts too, for an hour."""
    sub = world.objects["subscription"][subscription_of(row)]
    period = world.keep(row["id"]).get("counted")
    if not period or not any(tariff.is_metered(item["price"]) for item in sub["items"]["data"]):
        return
    kept = [item for item in row["lines"]["data"] if not item.get("_usage")]
    lines = usage_lines(world, sub, *period) + kept
    for item in lines:
        item["invoice"] = row["id"]
    row["lines"]["data"] = lines
    row.update(discounts.sums(world, {**sub, "discounts": row["discounts"]}, lines, row["created"]))


def period_before(world, sub, reason):
    """An invoice names the period that it looks back on; what it is paid for is on its lines."""
    now = world.now()
    start, end = now, now
    if reason == "subscription_cycle":
        start, end = world.keep(sub["id"])["period_before"]
    elif reason == "subscription_update":
        start = min(item["current_period_start"] for item in sub["items"]["data"])
    return {"period_start": start, "period_end": end}


def draft(world, sub, reason, lines):
    """reason: subscription_create, subscription_cycle or subscription_update. Waiting prorations are billed too. The
    caller tells of the subscription's new latest_invoice."""
    now = world.now()
    lines = world.prorations.pop(sub["id"], []) + lines
    row = world.put(build(world, sub, reason, lines, world.new_id("in_1"), now, period_before(world, sub, reason)))
    row["automatically_finalizes_at"] = now + world.settings["draft_seconds"]
    discounts.used(world, sub)
    world.emit("invoice.created", row)
    sub["latest_invoice"] = row["id"]
    return row


def cycle(world, sub, trial, lines):
    """What was used in the period that is over, and lines of the next."""
    counted = (world.keep(sub["id"])["period_before"], trial)
    row = draft(world, sub, "subscription_cycle", usage_lines(world, sub, *counted) + lines)
    world.keep(row["id"])["counted"] = counted
    return row


def resumed_lines(world, sub):
    """What is paid when a subscription resumes: nothing within a period that was paid before."""
    return period_lines(world, sub) if sub["billing_cycle_anchor"] == world.now() else []


def build(world, sub, reason, lines, ident, now, period):
    """An invoice that is not kept."""
    customer = world.objects["customer"][sub["customer"]]
    for item in lines:
        item["invoice"] = ident
    return {
        **EMPTY, "id": ident, "account_name": "Tollgate Simulator", "collection_method": sub["collection_method"],
        "billing_reason": reason, "created": now, "currency": sub["currency"], "customer": sub["customer"],
        "customer_email": customer.get("email"), "customer_name": customer.get("name"),
        "lines": {"object": "list", "data": lines, "has_more": False, "url": f"/v1/invoices/{ident}/lines"},
        "parent": {"quote_details": None, "type": "subscription_details",
                   "subscription_details": {"metadata": deepcopy(sub["metadata"]), "subscription": sub["id"]}},
        **period, **deepcopy(FRESH), **discounts.sums(world, sub, lines, now),
    }


def take_balance(world, row):
    """The customer's balance after this invoice, which a credit pays and a debt is added to."""
    customer = world.objects["customer"][row["customer"]]
    left = row["starting_balance"] + row["total"] - row["amount_due"]
    if customer.get("balance", 0) != left and row["starting_balance"]:
        with world.changing(customer, "customer.updated"):
            customer["balance"] = left
    return left if row["starting_balance"] else 0


def due_date(world, row):
    """An invoice that is sent is due some days later; one that is charged has no such date."""
    if row["collection_method"] != "send_invoice":
        return None
    return world.now() + world.objects["subscription"][subscription_of(row)]["days_until_due"] * DAY


def finalize(world, row):
    count_again(world, row)
    customer = world.objects["customer"][row["customer"]]
    sequence = customer.get("next_invoice_sequence", 1)
    customer["next_invoice_sequence"] = sequence + 1
    row.update(status="open", number=f"{customer.get('invoice_prefix', 'X')}-{sequence:04}",
               automatically_finalizes_at=None, effective_at=world.now(), ending_balance=take_balance(world, row),
               due_date=due_date(world, row),
               hosted_invoice_url=f"{world.base}/i/test_{row['id']}?s=ap",
               invoice_pdf=f"{world.base}/i/test_{row['id']}/pdf?s=ap")
    row["status_transitions"]["finalized_at"] = world.now()
    world.emit("invoice.finalized", row)


def card_of(world, sub):
    """The last four digits of the card to be charged, or None."""
    customer = world.objects["customer"][sub["customer"]]
    method = sub["default_payment_method"] or customer.get("invoice_settings", {}).get("default_payment_method")
    return world.objects["payment_method"][method]["card"]["last4"] if method else None


def charge(world, sub, row, last4):
    """A payment intent, and a charge of it. Raises nothing: says whether it went through."""
    ok, amount = last4 in PAYS, row["amount_due"]
    intent = world.put({"id": world.new_id("pi_3"), "object": "payment_intent", "amount": amount,
                        "amount_received": amount if ok else 0, "created": world.now(), "currency": sub["currency"],
                        "customer": sub["customer"], "latest_charge": None, "livemode": False, "metadata": {},
                        "status": "succeeded" if ok else "requires_payment_method"})
    paid = refunds.charge(world, sub, intent, ok, last4, row["id"])
    intent["latest_charge"] = paid["id"]
    world.emit("payment_intent.created", {**intent, "status": "requires_payment_method"})
    world.emit("charge.succeeded" if ok else "charge.failed", paid)
    world.emit("payment_intent.succeeded" if ok else "payment_intent.payment_failed", intent)
    return ok, intent, paid


def pay(world, row, sub):
    """Tries the card. True when the invoice is paid now; else the failure is recorded and told by events."""
    last4 = card_of(world, sub)
    fails = world.keep(sub["id"]).get("fail_payments", 0)
    if fails:
        world.keep(sub["id"])["fail_payments"] = fails - 1
        last4 = "0341"
    if row["amount_due"] == 0:
        settle(world, row, None)
        return True
    ok, intent, paid = charge(world, sub, row, last4)
    row.update(attempted=True, attempt_count=row["attempt_count"] + 1, _payment_intent=intent["id"], _charge=paid["id"])
    if ok:
        settle(world, row, intent)
    else:
        row["next_payment_attempt"] = next_attempt(world, row)
        world.emit("invoice.payment_failed", row)
    return ok


def begin_debit(world, row, sub):
    """The invoice stays open while a bank has its payment; nothing else is tried meanwhile. False: none is wanted.
    Another debit is another try of the same payment."""
    if not world.keep(sub["id"]).pop("debit_next", False):
        return False
    intent = open_intent(world, row) or new_debit(world, row, sub)
    intent["status"] = "processing"
    row["_payment_intent"] = intent["id"]
    with world.changing(row, "invoice.updated"):
        row.update(attempted=True, attempt_count=row["attempt_count"] + 1, next_payment_attempt=None)
    world.emit("payment_intent.processing", intent)
    return True


def ask_to_confirm(world, row, sub):
    """The bank wants the customer to confirm the payment, on the invoice's page. False: it does not."""
    if not world.keep(sub["id"]).pop("confirm_next", False):
        return False
    intent = open_intent(world, row) or new_debit(world, row, sub)
    intent.update(status="requires_action", next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {}})
    row["_payment_intent"] = intent["id"]
    row.update(attempted=True, attempt_count=row["attempt_count"] + 1)
    row["next_payment_attempt"] = next_attempt(world, row)
    world.emit("payment_intent.requires_action", intent)
    world.emit("invoice.payment_failed", row)
    world.emit("invoice.payment_action_required", row)
    return True


def ask_amounts(world, row, sub):
    """The payer has to prove the bank account by amounts that are sent to it."""
    intent = new_debit(world, row, sub)
    asked = {"arrival_date": world.now() + 2 * DAY, "microdeposit_type": "amounts",
             "hosted_verification_url": f"{world.base}/microdeposit/test_{intent['id']}"}
    intent.update(status="requires_action", next_action={"type": "verify_with_microdeposits",
                                                         "verify_with_microdeposits": asked})
    row["_payment_intent"] = intent["id"]
    world.emit("payment_intent.requires_action", intent)


def wants_amounts(intent):
    return (intent.get("next_action") or {}).get("type") == "verify_with_microdeposits"


def enter_amounts(world, intent):
    """The account is proven, and the bank is asked for the payment."""
    intent.update(status="processing", next_action=None)
    world.emit("payment_intent.processing", intent)


def open_payment(world, row):
    return next((pay for pay in world.all("invoice_payment")
                 if pay["invoice"] == row["id"] and pay["status"] == "open"), None)


def open_intent(world, row):
    waiting = open_payment(world, row)
    return waiting and world.get("payment_intent", waiting["payment"]["payment_intent"])


def new_debit(world, row, sub):
    intent = world.put({"id": world.new_id("pi_3"), "object": "payment_intent", "amount": row["amount_due"],
                        "amount_received": 0, "created": world.now(), "currency": sub["currency"],
                        "customer": sub["customer"], "latest_charge": None, "livemode": False, "metadata": {},
                        "status": "processing"})
    world.put(payment_of(world, row, intent, "open"))
    return intent


def waits_for_bank(world, row):
    intent = open_intent(world, row)
    return intent is not None and intent["status"] == "processing"


def end_debit(world, row, ok):
    """The bank's word on a debit that is under way, or on a payment that it wants confirmed."""
    intent = open_intent(world, row)
    if intent is None or intent["status"] not in ("processing", "requires_action"):
        raise bad(f"{row['id']} waits for no bank")
    intent.update(status="succeeded" if ok else "requires_payment_method", next_action=None)
    world.emit("payment_intent.succeeded" if ok else "payment_intent.payment_failed", intent)
    if ok:
        del world.objects["invoice_payment"][open_payment(world, row)["id"]]     # settle() makes it anew, as paid
        settle(world, row, intent)
    else:
        row["next_payment_attempt"] = next_attempt(world, row) if row["auto_advance"] else None
        world.emit("invoice.payment_failed", row)


def payment_of(world, row, intent, status):
    paid = status == "paid"
    return {"id": world.new_id("inpay_1"), "object": "invoice_payment",
            "amount_paid": row["amount_due"] if paid else None, "amount_requested": row["amount_due"],
            "created": world.now(), "currency": row["currency"], "invoice": row["id"], "is_default": True,
            "livemode": False, "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": status, "status_transitions": {"canceled_at": None, "paid_at": world.now() if paid else None}}


def next_attempt(world, row):
    days = world.settings["retry_days"]
    if row["billing_reason"] == "subscription_create" or row["attempt_count"] > len(days):
        return None
    first = row["status_transitions"]["finalized_at"]
    return max(first + days[row["attempt_count"] - 1] * DAY, world.now() + 60)


def settle(world, row, intent):
    """Marks the invoice as paid and tells it the three ways Stripe does."""
    now = world.now()
    due = row["amount_due"]
    with world.changing(row, "invoice.updated"):
        row.update(status="paid", amount_paid=due, amount_remaining=0, attempted=True, next_payment_attempt=None,
                   auto_advance=False)
        row["status_transitions"]["paid_at"] = now
    if intent and world.settings["api_version"] != OLD:     # the old version knows no such event
        world.emit("invoice_payment.paid", world.put(payment_of(world, row, intent, "paid")))
    world.emit("invoice.paid", row)
    world.emit("invoice.payment_succeeded", row)


def void(world, row):
    row.update(status="void", next_payment_attempt=None, auto_advance=False)
    row["status_transitions"]["voided_at"] = world.now()
    world.emit("invoice.voided", row)


def give_up(world, row, behaviour):
    if behaviour == "void":
        void(world, row)
        return
    row.update(status="uncollectible", next_payment_attempt=None, auto_advance=False)
    row["status_transitions"]["marked_uncollectible_at"] = world.now()
    world.emit("invoice.marked_uncollectible", row)


def require_paid(ok):
    if not ok:
        raise ApiError(402, "Your card was declined.", "card_declined", kind="card_error",
                       decline_code="generic_decline")


FRESH = {
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
    "issuer": {"type": "self"},
    "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
    "customer_tax_ids": [], "default_tax_rates": [], "discounts": [], "metadata": {}, "total_discount_amounts": [],
    "total_pretax_credit_amounts": [], "total_taxes": [],
}
EMPTY = {
    "object": "invoice", "account_country": "US", "account_tax_ids": None, "amount_overpaid": 0, "amount_paid": 0,
    "amount_shipping": 0, "automatically_finalizes_at": None, "application": None,
    "attempt_count": 0, "attempted": False, "auto_advance": True,
    "collection_method": "charge_automatically", "custom_fields": None, "customer_account": None,
    "customer_address": None, "customer_phone": None, "customer_shipping": None, "customer_tax_exempt": "none",
    "default_payment_method": None, "default_source": None, "description": None, "due_date": None,
    "effective_at": None, "ending_balance": None, "footer": None, "from_invoice": None, "hosted_invoice_url": None,
    "invoice_pdf": None, "last_finalization_error": None, "latest_revision": None, "livemode": False,
    "next_payment_attempt": None, "number": None, "on_behalf_of": None, "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0, "receipt_number": None, "rendering": None, "shipping_cost": None,
    "shipping_details": None, "starting_balance": 0, "statement_descriptor": None, "status": "draft",
    "test_clock": None, "webhooks_delivered_at": None,
}
