"""Charges, and how money goes back: refunds and disputes. The invoice that was paid stays paid."""
from copy import deepcopy

from .errors import exclusive, missing_param, refused
from .listing import matching, page

DAY = 86400
OPEN_DISPUTES = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def charge(world, sub, intent, ok, last4, invoice):
    """One attempt to take the money of an intent."""
    return world.put({
        **deepcopy(CHARGE), "id": world.new_id("ch_3"), "amount": intent["amount"],
        "amount_captured": intent["amount"] if ok else 0, "captured": ok, "created": world.now(),
        "currency": sub["currency"], "customer": sub["customer"], "failure_code": None if ok else "card_declined",
        "failure_message": None if ok else "Your card was declined.", "paid": ok, "payment_intent": intent["id"],
        "payment_method": sub["default_payment_method"], "_invoice": invoice,
        "payment_method_details": {"card": {"brand": "visa", "last4": last4}, "type": "card"},
        "status": "succeeded" if ok else "failed",
    })


def get_charge(world, p, ident):
    return world.get("charge", ident)


def list_charges(world, p):
    return page(world, matching(world.all("charge"), p, "customer", "payment_intent"), p, "/v1/charges")


def charge_of(world, p):
    """The charge that a refund names, itself or by its intent."""
    if "charge" in p and "payment_intent" in p:
        raise exclusive("charge", "payment_intent")
    if "charge" in p:
        return world.get("charge", p["charge"], "charge")
    if "payment_intent" not in p:
        raise missing_param("charge")
    intent = world.get("payment_intent", p["payment_intent"], "payment_intent")
    return world.get("charge", intent["latest_charge"], "payment_intent")


def refund(world, p):
    row = charge_of(world, p)
    left = row["amount_captured"] - row["amount_refunded"]
    amount = p.get("amount", left)
    if not row["captured"]:
        raise refused("This charge did not go through", "charge")
    if row["disputed"]:
        raise refused(f"Charge {row['id']} has been charged back; cannot issue a refund.", "charge",
                      "charge_disputed")
    if left == 0:
        raise refused(f"Charge {row['id']} has already been refunded.", "charge", "charge_already_refunded")
    if not 1 <= amount <= left:
        raise refused(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
    made = world.put({
        "id": world.new_id("re_3"), "object": "refund", "amount": amount, "balance_transaction": None,
        "charge": row["id"], "created": world.now(), "currency": row["currency"], "metadata": p.get("metadata") or {},
        "destination_details": {"card": {"type": "refund"}, "type": "card"}, "payment_intent": row["payment_intent"],
        "reason": p.get("reason"), "receipt_number": None, "source_transfer_reversal": None, "status": "succeeded",
        "transfer_reversal": None})
    with world.changing(row, "charge.refunded"):
        row["amount_refunded"] += amount
        row["refunded"] = row["amount_refunded"] == row["amount_captured"]
    world.emit("refund.created", made)
    return made


def get_refund(world, p, ident):
    return world.get("refund", ident)


def list_refunds(world, p):
    return page(world, matching(world.all("refund"), p, "charge", "payment_intent"), p, "/v1/refunds")


def dispute(world, row, reason="fraudulent"):
    """The customer's bank takes the money back, for the time being."""
    if not row["captured"] or row["disputed"] or row["refunded"]:
        raise refused("This charge cannot be disputed")
    made = world.put({
        **deepcopy(DISPUTE), "id": world.new_id("du_1"), "amount": row["amount"], "charge": row["id"],
        "created": world.now(), "currency": row["currency"], "payment_intent": row["payment_intent"],
        "reason": reason})
    made["evidence_details"]["due_by"] = world.now() + 7 * DAY
    row["disputed"] = True
    world.emit("charge.dispute.created", made)
    world.emit("charge.dispute.funds_withdrawn", made)
    return made


def close_dispute(world, row, won):
    if row["status"] not in OPEN_DISPUTES:
        raise refused("This dispute is closed")
    with world.changing(row, "charge.dispute.closed"):
        row["status"] = "won" if won else "lost"
    if won:
        world.emit("charge.dispute.funds_reinstated", row)
    return row


def get_dispute(world, p, ident):
    return world.get("dispute", ident)


def list_disputes(world, p):
    return page(world, matching(world.all("dispute"), p, "charge", "payment_intent"), p, "/v1/disputes")


def list_invoice_payments(world, p):
    """What joins an invoice and an intent, since neither names the other any more."""
    def pays(row, wanted):
        return all(row["payment"].get(name) == value for name, value in wanted.items())
    rows = matching(world.all("invoice_payment"), p, "invoice", "status", payment=pays)
    return page(world, rows, p, "/v1/invoice_payments")


CHARGE = {
    "object": "charge", "amount_refunded": 0, "application": None, "application_fee": None,
    "application_fee_amount": None, "balance_transaction": None,
    "billing_details": {"address": {"city": None, "country": "US", "line1": None, "line2": None,
                                    "postal_code": "94103", "state": None},
                        "email": None, "name": None, "phone": None, "tax_id": None},
    "calculated_statement_descriptor": "TOLLGATE", "description": "Subscription", "disputed": False,
    "failure_balance_transaction": None, "fraud_details": {}, "livemode": False, "metadata": {}, "on_behalf_of": None,
    "outcome": None, "receipt_email": None, "receipt_number": None, "receipt_url": None, "refunded": False,
    "review": None, "shipping": None, "source_transfer": None, "statement_descriptor": None,
    "statement_descriptor_suffix": None, "transfer_data": None, "transfer_group": None,
}
DISPUTE = {
    "object": "dispute", "balance_transactions": [], "enhanced_eligibility_types": [], "evidence": {},
    "evidence_details": {"due_by": None, "has_evidence": False, "past_due": False, "submission_count": 0},
    "is_charge_refundable": False, "livemode": False, "metadata": {}, "status": "needs_response",
}
