"""mirror: compares our rows with Stripe's objects, field by field, and checks what else must hold for a tenant."""
from datetime import datetime, timezone

PLANS = {"price_starter": "starter", "price_growth": "growth"}


def time_of(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def item(row):
    return row["items"]["data"][0]


def item_price(items):
    price = items[0]["price"] if items else None
    return price["id"] if isinstance(price, dict) else price


def coming(row, state):
    """The next phase of the subscription's schedule, or None."""
    plan = next((one for one in state["subscription_schedule"] if one["id"] == row["schedule"]), None)
    if not plan or not plan["current_phase"]:
        return None
    return next((one for one in plan["phases"] if one["start_date"] >= plan["current_phase"]["end_date"]), None)


# Our column: how it follows from the object.
SUBSCRIPTION = {
    "id": lambda row: row["id"], "tenant_id": lambda row: row["metadata"]["tenant_id"],
    "customer_id": lambda row: row["customer"], "status": lambda row: row["status"],
    "plan": lambda row: PLANS[item(row)["price"]["id"]], "price": lambda row: item(row)["price"]["id"],
    "quantity": lambda row: item(row)["quantity"],
    "plans": lambda row: sorted({PLANS[i["price"]["id"]] for i in row["items"]["data"]}),
    "currency": lambda row: row["currency"],
    "amount": lambda row: sum(i["price"]["unit_amount"] * i["quantity"] for i in row["items"]["data"]),
    "period_start": lambda row: time_of(min(i["current_period_start"] for i in row["items"]["data"])),
    "period_end": lambda row: time_of(max(i["current_period_end"] for i in row["items"]["data"])),
    "renews_at": lambda row: time_of(min(i["current_period_end"] for i in row["items"]["data"])),
    "pause_behavior": lambda row: (row["pause_collection"] or {}).get("behavior"),
    "pause_resumes_at": lambda row: time_of((row["pause_collection"] or {}).get("resumes_at")),
    "pending_until": lambda row: time_of((row["pending_update"] or {}).get("expires_at")),
    "pending_price": lambda row: item_price((row["pending_update"] or {}).get("subscription_items")),
    "coming_at": lambda row: time_of(row["_coming"] and row["_coming"]["start_date"]),
    "coming_price": lambda row: row["_coming"] and item_price(row["_coming"]["items"]),
    "cancel_at_period_end": lambda row: row["cancel_at_period_end"], "cancel_at": lambda row: time_of(row["cancel_at"]),
    "canceled_at": lambda row: time_of(row["canceled_at"]), "ended_at": lambda row: time_of(row["ended_at"]),
    "trial_end": lambda row: time_of(row["trial_end"]), "created_at": lambda row: time_of(row["created"]),
}
CHECKOUT = {
    "session_id": lambda row: row["id"], "tenant_id": lambda row: row["client_reference_id"],
    "status": lambda row: ("failed" if row["failed"] else "unpaid") if row["status"] == "complete"
    and row["payment_status"] == "unpaid" else row["status"],
}
INVOICE = {
    "id": lambda row: row["id"],
    "tenant_id": lambda row: row["parent"]["subscription_details"]["metadata"]["tenant_id"],
    "customer_id": lambda row: row["customer"],
    "subscription_id": lambda row: row["parent"]["subscription_details"]["subscription"],
    **{name: lambda row, name=name: row[name] for name in (
        "number", "status", "currency", "amount_due", "amount_paid", "total", "attempt_count", "billing_reason")},
    "created_at": lambda row: time_of(row["created"]), "period_start": lambda row: time_of(row["period_start"]),
    "period_end": lambda row: time_of(row["period_end"]), "due_at": lambda row: time_of(row["due_date"]),
    "paid_at": lambda row: time_of(row["status_transitions"]["paid_at"]),
    "next_attempt_at": lambda row: time_of(row["next_payment_attempt"]),
    "action_required": lambda row: row["status"] == "open" and row["_asked"],
    "bank_since is not null": lambda row: row["status"] == "open" and row["_at_bank"],
    "hosted_url": lambda row: row["hosted_invoice_url"], "pdf_url": lambda row: row["invoice_pdf"],
}
REFUND = {
    "id": lambda row: row["id"], "charge": lambda row: row["id"], "kind": lambda row: "refund",
    "policy": lambda row: "refund_full" if row["refunded"] else "refund_partial",
    "amount": lambda row: row["amount_refunded"], "currency": lambda row: row["currency"],
    "created_at": lambda row: time_of(row["created"]),
}
DISPUTE = {
    "id": lambda row: row["id"], "charge": lambda row: row["charge"], "kind": lambda row: "dispute",
    **{name: lambda row, name=name: row[name] for name in ("status", "amount", "currency", "reason")},
    "created_at": lambda row: time_of(row["created"]),
}


def ours(db, table, fields, key, ident):
    """Our row as a dictionary, None when there is none."""
    found = db.row(f"select {', '.join(fields)} from {table} where {key} = %s", ident)
    return found and {name: str(value) if name == "tenant_id" else value for name, value in zip(fields, found)}


def differences(db, table, fields, key, row):
    """[(table, id, field, ours, Stripe's)]."""
    mine = ours(db, table, fields, key, row["id"])
    if mine is None:
        return [(table, row["id"], "is missing", None, None)]
    wanted = {name: read(row) for name, read in fields.items()}
    return [(table, row["id"], name, mine[name], wanted[name]) for name in fields if mine[name] != wanted[name]]


def was_paid(life, state):
    """Whether a tenant must be active now: a session of it was paid, or needed no payment."""
    return any(row["payment_status"] in ("paid", "no_payment_required") for row in state["checkout.session"]
               if row["client_reference_id"] == life.tenant)


def customer_differences(db, life, state):
    """One customer, the one Stripe has for the tenant; its address too."""
    known = {row["id"]: row for row in state["customer"]}
    wanted = {row["customer"] for row in state["subscription"] if row["metadata"].get("tenant_id") == life.tenant}
    live = [ident for ident in wanted if not known[ident].get("deleted")]
    mine = db.rows("select id, email from billing.customers where tenant_id = %s and not deleted", life.tenant)
    expected = [(ident, known[ident]["email"]) for ident in live] if was_paid(life, state) else []
    return [] if mine == expected else [("billing.customers", life.tenant, "all", mine, expected)]


def tenant_differences(db, life, state):
    """Active or not; one owner; one welcome, sent once."""
    paid = was_paid(life, state)
    found = db.row("""
        select t.status, t.activated_at is not null,
            (select array_agg(m.role || ' ' || u.email_canonical) from app.members m
                join auth.users u on u.id = m.user_id where m.tenant_id = t.id),
            (select array_agg(o.state || ' ' || o.recipient) from mail.outbox o where o.template = 'welcome'
                and o.recipient = %s)
        from app.tenants t where t.id = %s""", life.email, life.tenant)
    wanted = ("active", True, [f"owner {life.email}"], [f"sent {life.email}"]) if paid else ("draft", False, None, None)
    return [] if found == wanted else [("app.tenants", life.tenant, "all", found, wanted)]


def mail_differences(db, life, mails):
    """The mails that arrived are those marked as sent. A mail sent twice, because its sender died, counts once: it has
    one Message-ID."""
    came = {value.strip("<>").partition("@")[0] for mail in mails if life.email in mail["to"]
            for name, value in mail["headers"] if name == "Message-ID"}
    sent = {str(ident) for ident, in db.rows("select id from mail.outbox where recipient = %s and state = 'sent'",
                                             life.email)}
    return [] if came == sent else [("mail.outbox", life.email, "sent", sent, came)]


def invoices_whose_intent(state, status):
    """Those whose payment is under way at a bank, or is to be confirmed."""
    wanted = {row["id"] for row in state["payment_intent"] if row["status"] == status}
    return {row["invoice"] for row in state["invoice_payment"]
            if row["status"] == "open" and row["payment"]["payment_intent"] in wanted}


def money_differences(world, state, lives):
    """Invoices, what was paid back, and disputes."""
    db, mine = world.db, {life.tenant for life in lives}
    customers = {row["customer"] for row in state["subscription"] if row["metadata"].get("tenant_id") in mine}
    charges = {row["id"]: row for row in state["charge"] if row["customer"] in customers}
    at_bank, asked = invoices_whose_intent(state, "processing"), invoices_whose_intent(state, "requires_action")
    found = []
    for row in state["invoice"] if world.follows("invoice") else []:
        if row["customer"] in customers:
            found += differences(db, "billing.invoices", INVOICE, "id", {
                **row, "_at_bank": row["id"] in at_bank, "_asked": row["id"] in asked})
    for row in charges.values() if world.follows("charge") else []:
        if row["amount_refunded"]:
            found += differences(db, "billing.disputes", REFUND, "id", row)
    for row in state["dispute"] if world.follows("dispute") else []:
        if row["charge"] in charges:
            found += differences(db, "billing.disputes", DISPUTE, "id", row)
    return found


def subscription_differences(db, state, lives):
    mine = {life.tenant: life for life in lives}
    found = []
    for row in state["subscription"]:
        life = mine.get(row["metadata"].get("tenant_id"))
        if life:
            found += differences(db, "billing.subscriptions", SUBSCRIPTION, "id",
                                 {**row, "_coming": coming(row, state)})
            found += charge_differences(db, life, row)
    return found


def charge_differences(db, life, row):
    """What will be charged is what Stripe's preview says."""
    ours, due = db.row("select (billing.next_amount(s) ->> 'minor')::bigint, billing.renews(s) "
                       "from billing.subscriptions s where s.id = %s", row["id"])
    if not due:
        return []
    preview = life.ask("POST", "invoices/create_preview", {"subscription": row["id"]})
    theirs = preview.json()["amount_due"] if preview.ok else None
    return [] if ours == theirs else [("billing.subscriptions", row["id"], "charge", ours, theirs)]


GRANTS = {"active": True, "trialing": True, "past_due": None, "unpaid": False, "canceled": False, "incomplete": False,
          "incomplete_expired": False, "paused": False}


def grants(row):
    """Whether a subscription grants access by its object alone; None: a grace that began when we saw it decides."""
    pause = (row["pause_collection"] or {}).get("behavior")
    return None if pause == "void" and GRANTS.get(row["status"]) else GRANTS.get(row["status"], False)


def entitlement_differences(db, life, state):
    said = [grants(row) for row in state["subscription"] if row["metadata"].get("tenant_id") == life.tenant]
    wanted = True if True in said else None if None in said else False
    customers = {row["customer"] for row in state["subscription"] if row["metadata"].get("tenant_id") == life.tenant}
    charges = {row["id"] for row in state["charge"] if row["customer"] in customers}
    ours = db.value("select (billing.entitlement(%s) -> 'allowed')::boolean", life.tenant)
    disputed = any(row["charge"] in charges for row in state["dispute"])
    if wanted is None or wanted == ours or wanted and disputed:
        return []
    return [("billing.entitlement", life.tenant, "allowed", ours, wanted)]


def payment_failed(session, state):
    """Which the session itself does not say."""
    ended = {row["id"] for row in state["subscription"] if row["status"] in ("canceled", "incomplete_expired")}
    return session["subscription"] in ended or any(
        row["type"] == "checkout.session.async_payment_failed" and row["data"]["object"]["id"] == session["id"]
        for row in state["event"])


def all_differences(world, lives):
    """All differences from Stripe and from what must hold; [] if there are none."""
    state, db = world.sim.get("state"), world.db
    mails = world.mails()
    found = subscription_differences(db, state, lives) + money_differences(world, state, lives)
    for life in lives:
        found += tenant_differences(db, life, state) + customer_differences(db, life, state)
        found += entitlement_differences(db, life, state)
        found += mail_differences(db, life, mails)
        session = next(row for row in state["checkout.session"] if row["id"] == life.session)
        found += differences(db, "billing.checkouts", CHECKOUT, "session_id",
                             {**session, "failed": payment_failed(session, state)})
    return found
