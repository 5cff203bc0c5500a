"""Checkout sessions of mode subscription: made, shown, paid, expired."""
from contextlib import nullcontext
from copy import deepcopy

from . import customers, discounts, invoices, money, options, subscriptions, tariff
from .errors import bad, missing_param, exclusive, refused
from .listing import matching, page
from .shapes import OLD

HOUR = 3600
DAY = 24 * HOUR
FRAGMENT = "#fidkdWxOYHwnPyd1blpxblpxYHZxWjA0S2xhdG9y"     # Stripe's addresses have one too
MOST_LINES = 20     # of recurring prices, and as many of one-time ones
Declined = options.Declined
CARDS = ("good", "declined", "failing", "bank", "amounts", "none")


def check(world, p):
    if p["mode"] != "subscription":
        raise bad("The simulator has no model of this mode; use subscription", "mode")
    if not p.get("line_items"):
        raise missing_param("line_items")
    if "success_url" not in p:
        raise missing_param("success_url")
    if "customer" in p and "customer_email" in p:
        raise exclusive("customer", "customer_email")
    if "customer_update" in p and "customer" not in p:
        raise bad("`customer_update` can only be used with `customer`", "customer_update")
    if len(p.get("client_reference_id", "")) > 200:
        raise bad("client_reference_id must be at most 200 characters", "client_reference_id")
    if not 30 * 60 <= p.get("expires_at", world.now() + DAY) - world.now() <= DAY:
        raise bad("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    data = p.get("subscription_data", {})
    if "trial_end" in data and "trial_period_days" in data:
        raise exclusive("subscription_data[trial_end]", "subscription_data[trial_period_days]")
    subscriptions.check_trial_days(data.get("trial_period_days", 1), "subscription_data[trial_period_days]")
    if data.get("trial_end", world.now() + 2 * DAY) < world.now() + 2 * DAY:
        raise bad("The `trial_end` date has to be at least 2 days in the future.", "subscription_data[trial_end]")
    if "trial_end" in data:
        subscriptions.check_trial_end(world, data["trial_end"], "subscription_data[trial_end]")
    options.check(world, p)


def read_lines(world, p):
    """[(price, quantity)] of what is bought."""
    lines = []
    for n, item in enumerate(p["line_items"]):
        where = f"line_items[{n}][price]"
        if "price" not in item:
            raise missing_param(where)
        price = world.get("price", item["price"], where)
        check_sold(world, price, where)
        money.check_same_currency(price, (lines[0][0] if lines else price)["currency"], where)
        if tariff.is_metered(price):
            subscriptions.check_quantity(price, item, f"line_items[{n}][quantity]")
        elif item.get("quantity", 0) < 1:
            raise refused("Quantity is required. Add `quantity` to `line_items[%d]`" % n, f"line_items[{n}][quantity]")
        lines.append((price, item.get("quantity")))
    check_counts(lines)
    check_intervals(lines)
    return lines


def check_sold(world, price, where):
    if not price["active"]:
        raise refused(subscriptions.INACTIVE, where)
    if not world.get("product", price["product"])["active"]:
        raise refused(f"Price `{price['id']}` is not available to be purchased because its product is not active.",
                      where)


def check_counts(lines):
    """One recurring price at least, and at most 20 of it and 20 others."""
    count = sum(price["type"] == "recurring" for price, _ in lines)
    if not count:
        raise refused("You must provide at least one recurring price in `subscription` mode when using prices.",
                      "line_items")
    for kind, number in (("recurring", count), ("one-time", len(lines) - count)):
        if number > MOST_LINES:
            raise refused(f"You can include at most {MOST_LINES} {kind} prices in `line_items`.", "line_items")


def check_intervals(lines):
    """The simulator has no subscription whose items are billed at different times."""
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price, _ in lines
            if price["type"] == "recurring"}) > 1:
        raise bad("The simulator has no model of prices with different intervals", "line_items")


def create(world, p):
    check(world, p)
    lines = read_lines(world, p)
    if "customer" in p:
        check_customer(world, world.get("customer", p["customer"], "customer"), lines[0][0]["currency"])
    ident = world.new_id("cs_test_a1", 56)
    data = p.get("subscription_data", {})
    trial = "trial_end" in data or "trial_period_days" in data
    total = sum(tariff.at_once(price, quantity) for price, quantity in lines
                if price["type"] == "one_time" or not trial)
    money.check_total(total, lines[0][0]["currency"])
    row = deepcopy(EMPTY)
    row.update(
        id=ident, allow_promotion_codes=p.get("allow_promotion_codes"), amount_subtotal=total, amount_total=total,
        billing_address_collection=p.get("billing_address_collection"), cancel_url=p.get("cancel_url"),
        client_reference_id=p.get("client_reference_id"), created=world.now(), currency=lines[0][0]["currency"],
        customer=p.get("customer"), customer_creation=None if "customer" in p else "always",
        customer_email=p.get("customer_email"), expires_at=p.get("expires_at", world.now() + DAY),
        integration_identifier=p.get("integration_identifier"), locale=p.get("locale"),
        metadata={key: text for key, text in (p.get("metadata") or {}).items() if text},
        payment_method_collection=p.get("payment_method_collection", "always"), submit_type=p.get("submit_type"),
        success_url=p["success_url"], url=f"{world.base}/c/pay/{ident}{FRAGMENT}")
    if "customer" in p:
        row["customer_details"] = details(world.get("customer", p["customer"]))
    elif "customer_email" in p:
        row["customer_details"] = {**details({"email": p["customer_email"], "name": None}), "address": None}
    for name in ("automatic_tax", "tax_id_collection", "phone_number_collection"):
        row[name].update(p.get(name, {}))
    if "consent_collection" in p:
        row["consent_collection"] = {"payment_method_reuse_agreement": None, "promotions": "none",
                                     "terms_of_service": "none", **p["consent_collection"]}
    if row["automatic_tax"]["enabled"]:
        row["automatic_tax"].update(status="requires_location_inputs", provider="stripe")
    world.keep(ident).update(lines=[(price["id"], n) for price, n in lines], data=data, trial=trial,
                             update=p.get("customer_update", {}))
    world.line_items[ident] = line_list(world, ident, lines, p["line_items"])
    options.reckon(world, row)
    return world.put(row)


def check_customer(world, customer, currency):
    """Whoever pays for a subscription pays for others in the same currency."""
    for sub in world.all("subscription"):
        if (sub["customer"], sub["status"] in subscriptions.ENDED) == (customer["id"], False) \
                and sub["currency"] != currency:
            raise refused("You cannot combine currencies on a single customer. This customer has an active "
                          f"subscription with currency {sub['currency']}.")


def line_list(world, session, lines, asked):
    data = [{
        "id": world.new_id("li_1"), "object": "item", "adjustable_quantity": options.choice_of(item),
        "amount_discount": 0, "amount_subtotal": tariff.at_once(price, quantity), "amount_tax": 0,
        "amount_total": tariff.at_once(price, quantity), "currency": price["currency"],
        "description": invoices.product_name(world, price), "metadata": {}, "price": deepcopy(price),
        "quantity": quantity,
    } for (price, quantity), item in zip(lines, asked)]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/checkout/sessions/{session}/line_items"}


def details(customer):
    return {"address": {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": "94103",
                        "state": None},
            "business_name": None, "email": customer["email"], "individual_name": None, "name": customer["name"],
            "phone": None, "tax_exempt": "none", "tax_ids": []}


def retrieve(world, p, ident):
    return world.get("checkout.session", ident)


def list_all(world, p):
    def email_is(row, wanted):
        return (row["customer_details"] or {}).get("email") == wanted["email"]
    rows = matching(world.all("checkout.session"), p, "customer", "subscription", "status", customer_details=email_is)
    return page(world, rows, p, "/v1/checkout/sessions")


def expire(world, p, ident):
    row = world.get("checkout.session", ident)
    if row["status"] != "open":
        raise refused("Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a "
                      f"status of `{row['status']}`.")
    close(world, row)
    return row


def close(world, row):
    row.update(status="expired", url=None)
    world.emit("checkout.session.expired", row)


def pay(world, row, card, email=None, fields=None):
    """What the hosted page does when its button is pressed. fields: what else was filled in. Raises Declined, or leaves
    the session complete."""
    fields = fields or {}
    if card not in CARDS:
        raise bad(f"card is one of {', '.join(CARDS)}", "card")
    if row["status"] != "open":
        raise refused(f"This session is {row['status']}", "session")
    options.take(world, row, fields)
    options.accept(row, fields)
    if card == "declined" or card == "failing" and row["amount_total"]:
        raise Declined("Your card was declined. Please try a different card.")
    if card == "none" and (row["payment_method_collection"] == "always" or row["amount_total"]):
        raise Declined("A card is required.")
    customer = paying_customer(world, row, email)
    save_address(world, row, customer)
    if card != "none":
        customers.attach_card(world, customer, card)
    sub, once = subscribe(world, row, customer)
    invoice = invoices.draft(world, sub, "subscription_create", invoices.period_lines(world, sub) + once)
    invoices.finalize(world, invoice)
    complete(world, row, customer, sub, invoice, card)


def paying_customer(world, row, email):
    """The session's customer, made now when it has none."""
    if row["customer"]:
        return world.get("customer", row["customer"])
    email = row["customer_email"] or email
    if not email:
        raise bad("An e-mail address is required", "email")
    customer = customers.build(world, email=email, name=email.split("@")[0].title())
    row["customer"] = customer["id"]
    world.emit("customer.created", customer)
    return customer


def save_address(world, row, customer):
    """What was typed goes to a new customer, and to one that was there if the session said so."""
    if row["automatic_tax"]["enabled"]:
        row["automatic_tax"]["status"] = "complete"
    if not customer.get("address") and (not world.keep(row["id"])["update"] == {} or row["customer_creation"]) \
            and (row["automatic_tax"]["enabled"] or row["billing_address_collection"] == "required"):
        with world.changing(customer, "customer.updated"):
            customer["address"] = {"city": None, "country": "US", "line1": None, "line2": None,
                                   "postal_code": "94103", "state": None}


def subscribe(world, row, customer):
    """The subscription, and the invoice lines of what is paid once with it."""
    kept = world.keep(row["id"])
    lines = [(world.get("price", ident), quantity) for ident, quantity in kept["lines"]]
    recurring = [(price, quantity) for price, quantity in lines if price["type"] == "recurring"]
    sub = subscriptions.build(world, customer["id"], recurring, kept["data"],
                              customer["invoice_settings"]["default_payment_method"])
    sub["automatic_tax"]["enabled"] = row["automatic_tax"]["enabled"]
    if kept.get("code"):
        discounts.redeem(world, sub, kept["code"], row["id"])
    return sub, [invoices.line_once(world, sub, price, quantity) for price, quantity in lines
                 if price["type"] == "one_time"]


def complete(world, row, customer, sub, invoice, card):
    """The burst of events, in the order in which things happen; a bank debit is paid later (settle), after the account
    was proven where amounts are asked for."""
    trial = sub["status"] == "trialing"
    debit = card in ("bank", "amounts")
    status = "no_payment_required" if trial and not row["amount_total"] else "unpaid" if debit else "paid"
    early = world.settings["api_version"] == OLD        # which made the subscription before the payment
    if early:
        world.emit("customer.subscription.created", sub)
    if status != "unpaid":
        invoices.pay(world, invoice, sub)
        with world.changing(sub, "customer.subscription.updated") if early else nullcontext():
            sub["status"] = "trialing" if trial else "active"
    if not early:
        world.emit("customer.subscription.created", sub)
    if status == "unpaid" and card == "amounts":
        invoices.ask_amounts(world, invoice, sub)
    row.update(status="complete", payment_status=status, url=None, subscription=sub["id"], invoice=invoice["id"],
               customer_details={**details(customer), "tax_ids": world.keep(row["id"]).get("tax_ids", [])})
    world.emit("checkout.session.completed", row)


def settle(world, row, ok):
    """A bank debit comes through, or does not."""
    if row["status"] != "complete" or row["payment_status"] != "unpaid":
        raise refused("This session waits for no payment", "session")
    sub = world.get("subscription", row["subscription"])
    invoice = world.get("invoice", row["invoice"])
    if waiting := invoices.open_payment(world, invoice):
        del world.objects["invoice_payment"][waiting["id"]]     # another is made below
    if not ok:
        world.keep(sub["id"])["fail_payments"] = 1
        invoices.pay(world, invoice, sub)
        world.emit("checkout.session.async_payment_failed", row)
        return
    ok, intent, paid = invoices.charge(world, sub, invoice, invoices.PAYS[0])
    invoice.update(_payment_intent=intent["id"], _charge=paid["id"], attempt_count=1)
    invoices.settle(world, invoice, intent)
    with world.changing(sub, "customer.subscription.updated"):
        sub["status"] = "active"
    row["payment_status"] = "paid"
    world.emit("checkout.session.async_payment_succeeded", row)


EMPTY = {
    "object": "checkout.session", "adaptive_pricing": {"enabled": False}, "after_expiration": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None}, "client_secret": None,
    "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
    "consent": None, "consent_collection": None, "currency_conversion": None, "custom_fields": [],
    "custom_text": {"after_submit": None, "shipping_address": None, "submit": None,
                    "terms_of_service_acceptance": None},
    "customer_account": None, "customer_details": None, "discounts": [], "integration_identifier": None,
    "invoice": None, "invoice_creation": None, "livemode": False, "managed_payments": {"enabled": False},
    "mode": "subscription", "optional_items": None, "origin_context": None, "payment_intent": None,
    "payment_link": None, "payment_method_configuration_details": {"id": "pmc_1Simulator", "parent": None},
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}}, "payment_method_types": ["card"],
    "payment_status": "unpaid", "permissions": None, "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": {"allow_redisplay_filters": ["always"], "payment_method_remove": "disabled",
                                     "payment_method_save": None},
    "setup_intent": None, "shipping_address_collection": None, "shipping_cost": None, "shipping_options": [],
    "status": "open", "subscription": None, "tax_id_collection": {"enabled": False, "required": "never"},
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}, "ui_mode": "hosted_page",
    "wallet_options": None,
}
