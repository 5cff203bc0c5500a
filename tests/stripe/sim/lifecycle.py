"""What time does: periods renew, trials end, payments are tried again, cancellations and sessions fall due."""
from . import checkout, invoices, meters, schedules, subscriptions
from .errors import bad

DAY = 86400
WARN = 3 * DAY          # before a trial's end
GIVE_UP = 23 * 3600     # for the first payment


def due_of_subscription(world, row):
    """[(when, what to do)] still ahead of one subscription."""
    if row["status"] in subscriptions.ENDED or row["status"] == "paused":
        return []
    if row["status"] == "incomplete":
        return [(row["created"] + GIVE_UP, expire_incomplete)]
    found = []
    if row["pause_collection"] and row["pause_collection"]["resumes_at"]:
        found.append((row["pause_collection"]["resumes_at"], collect_again))
    if row["pending_update"]:
        found.append((row["pending_update"]["expires_at"], drop_pending))
    if row["cancel_at"]:
        found.append((row["cancel_at"], cancel_scheduled))
    if row["status"] == "trialing":
        if not world.keep(row["id"]).get("warned"):
            found.append((max(row["trial_end"] - WARN, row["created"]), warn_of_trial_end))
        found.append((row["trial_end"], end_trial))
    else:
        found.append((subscriptions.period_end(row), renew))
    return found


def due_of_invoice(world, row):
    if row["status"] == "draft" and row["automatically_finalizes_at"]:
        return [(row["automatically_finalizes_at"], collect)]
    if row["status"] == "open" and row["next_payment_attempt"]:
        return [(row["next_payment_attempt"], try_again)]
    if row["status"] == "open" and "voids_at" in world.keep(row["id"]):
        return [(world.keep(row["id"])["voids_at"], give_up_resuming)]
    if row["status"] == "open" and row["due_date"] and not world.keep(row["id"]).get("overdue"):
        return [(row["due_date"], fall_overdue)]
    return []


def give_up_resuming(world, row):
    """The invoice that would have resumed a subscription was not paid; the subscription stays paused."""
    world.keep(invoices.subscription_of(row)).pop("resuming", None)
    invoices.void(world, row)


def fall_overdue(world, row):
    """An invoice that was sent and not paid by its date."""
    world.keep(row["id"])["overdue"] = True
    world.emit("invoice.overdue", row)
    sub = subscription_for(world, row)
    if sub["status"] == "active":
        with world.changing(sub, "customer.subscription.updated"):
            sub["status"] = "past_due"


def due_of_session(world, row):
    return [(row["expires_at"], checkout.close)] if row["status"] == "open" else []


SOURCES = (("subscription", due_of_subscription), ("invoice", due_of_invoice),
           ("subscription_schedule", schedules.due), ("checkout.session", due_of_session))


def next_due(world):
    """(when, order, what to do, object) of what comes first, or None. A cancellation comes before a renewal."""
    found = [(when, action is renew, action, row)
             for kind, source in SOURCES for row in world.all(kind) for when, action in source(world, row)]
    return min(found, key=lambda entry: entry[:2], default=None)


def advance(world, seconds):
    """Moves the clock forward; it goes on from there at its usual pace."""
    if seconds < 0:
        raise bad("The clock goes forward only", "advance")
    start = world.now()
    world.frozen = start
    try:
        step(world, start + seconds)
        meters.process(world)
    finally:
        world.frozen = None
    world.offset += seconds


def step(world, target):
    """Carries out everything due until then, each thing at its own time."""
    while True:
        entry = next_due(world)
        if entry is None or entry[0] > target:
            break
        world.frozen = max(world.frozen, entry[0])
        entry[2](world, entry[3])
    world.frozen = target


def latest_open(world, row):
    rows = [inv for inv in world.all("invoice") if invoices.subscription_of(inv) == row["id"]
            and inv["status"] == "open"]
    return rows[-1] if rows else None


def expire_incomplete(world, row):
    invoice = latest_open(world, row)
    if invoice:
        invoices.void(world, invoice)
    with world.changing(row, "customer.subscription.updated"):
        row.update(status="incomplete_expired", ended_at=world.now())


def collect_again(world, row):
    """The pause of collection ends by itself; what stayed a draft meanwhile stays one."""
    with world.changing(row, "customer.subscription.updated"):
        row["pause_collection"] = None


def drop_pending(world, row):
    row["pending_update"] = None
    world.emit("customer.subscription.pending_update_expired", row)


def cancel_scheduled(world, row):
    """What was used up to the end is invoiced with it."""
    trial, item = row["status"] == "trialing", row["items"]["data"][0]
    subscriptions.end(world, row, "cancellation_requested")
    subscriptions.bill_used(world, row, item["current_period_start"], trial)


def warn_of_trial_end(world, row):
    world.keep(row["id"])["warned"] = True
    world.emit("customer.subscription.trial_will_end", row)


def end_trial(world, row):
    """To active, or whatever trial_settings say when there is no card."""
    behaviour = row["trial_settings"]["end_behavior"]["missing_payment_method"]
    if invoices.card_of(world, row) is None and behaviour != "create_invoice":
        if behaviour == "cancel":
            subscriptions.end(world, row, "cancellation_requested")
            return
        row["status"] = "paused"
        world.emit("customer.subscription.paused", row)
        return
    renew(world, row)


def renew(world, row):
    """A new period begins at once; its invoice is a draft first, charged when it is finalised."""
    trial = row["status"] == "trialing"
    with world.changing(row, "customer.subscription.updated"):
        if trial:
            row["status"] = "active"
        subscriptions.start_period(world, row, subscriptions.period_end(row))
        invoice = invoices.cycle(world, row, trial, invoices.period_lines(world, row))
    if row["status"] == "unpaid":
        with world.changing(invoice, "invoice.updated"):
            invoice.update(auto_advance=False, automatically_finalizes_at=None)


def subscription_for(world, invoice):
    return world.objects["subscription"][invoices.subscription_of(invoice)]


def collect(world, invoice):
    """While collection is paused, the invoice stays a draft, or is made and given up at once."""
    pause = subscription_for(world, invoice)["pause_collection"]
    if pause and pause["behavior"] == "keep_as_draft":
        invoice.update(auto_advance=False, automatically_finalizes_at=None)
        world.emit("invoice.updated", invoice)
        return
    invoices.finalize(world, invoice)
    if pause:
        invoices.give_up(world, invoice, pause["behavior"])
        return
    if invoice["collection_method"] == "send_invoice":
        world.emit("invoice.sent", invoice)
        return
    try_again(world, invoice)


def try_again(world, invoice):
    """One attempt; the subscription follows its outcome, and stays as it is while a bank has the payment."""
    row = subscription_for(world, invoice)
    if invoices.ask_to_confirm(world, invoice, row):
        follow(world, invoice, row, False)
    elif not invoices.begin_debit(world, invoice, row):
        follow(world, invoice, row, invoices.pay(world, invoice, row))


def settle_debit(world, invoice, ok):
    """A debit comes through, or does not."""
    invoices.end_debit(world, invoice, ok)
    follow(world, invoice, subscription_for(world, invoice), ok)
    return invoice


def follow(world, invoice, row, paid):
    """What ended while its payment was under way stays ended."""
    if row["status"] in subscriptions.ENDED:
        return
    if paid:
        recover(world, row)
        return
    if invoice["next_payment_attempt"]:
        with world.changing(row, "customer.subscription.updated"):
            row["status"] = "past_due"
        return
    give_up(world, row)


def recover(world, row):
    if row["status"] == "paused" and world.keep(row["id"]).pop("resuming", None):
        subscriptions.become_active(world, row)
    if row["status"] in ("past_due", "unpaid", "incomplete"):
        with world.changing(row, "customer.subscription.updated"):
            row["status"] = "active"


def give_up(world, row):
    """After the last attempt: as the account's settings say."""
    end = world.settings["dunning_end"]
    if end == "cancel":
        subscriptions.end(world, row, "payment_failed")
        return
    with world.changing(row, "customer.subscription.updated"):
        row["status"] = end


def pay_open(world, row):
    """The customer pays the latest open invoice with the present card."""
    invoice = latest_open(world, row)
    if invoice is None:
        raise bad(f"{row['id']} has no open invoice")
    if invoices.waits_for_bank(world, invoice):
        raise bad("This invoice's payment is processing")
    try_again(world, invoice)


def pay_by_hand(world, row):
    """Pays an open invoice outside the card that is kept, as its page does."""
    if row["status"] not in ("open", "uncollectible"):
        raise bad(f"This invoice is {row['status']}")
    if invoices.waits_for_bank(world, row):
        raise bad("This invoice's payment is processing")
    invoices.settle(world, row, None)
    recover(world, subscription_for(world, row))
    return row
