"""Customers and their cards."""
import re

from . import subscriptions
from .errors import bad, refused
from .listing import matching, page, search_page
from .world import assign, merge_metadata

PLAIN = ("email", "name", "description", "phone", "business_name", "individual_name", "address")
# What each of Stripe's test cards does when it is charged.
CARDS = {"good": "4242", "declined": "0002", "failing": "0341", "bank": "3000", "amounts": "3001"}


def build(world, email=None, name=None, metadata=None):
    return world.put({
        "id": world.new_id("cus_", 14), "object": "customer", "address": None, "balance": 0, "created": world.now(),
        "currency": None, "customer_account": None, "default_source": None, "delinquent": False, "description": None,
        "discount": None, "email": email, "invoice_prefix": world.new_id("", 8).upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "livemode": False, "metadata": metadata or {}, "name": name, "next_invoice_sequence": 1, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none", "test_clock": None,
    })


def apply(world, row, p):
    assign(row, p, *PLAIN)
    if "metadata" in p:
        merge_metadata(row, p["metadata"])
    if "tax_exempt" in p:
        row["tax_exempt"] = p["tax_exempt"] or "none"
    for name in ("preferred_locales", "balance", "invoice_prefix", "next_invoice_sequence"):
        row[name] = p.get(name, row[name])
    if row["address"]:
        row["address"] = {key: row["address"].get(key) or None for key in
                          ("city", "country", "line1", "line2", "postal_code", "state")}
    settings = p.get("invoice_settings", {})
    for method in filter(None, (p.get("payment_method"), settings.get("default_payment_method"))):
        world.get("payment_method", method, "payment_method")["customer"] = row["id"]
        row["invoice_settings"]["default_payment_method"] = method
    if "footer" in settings:
        row["invoice_settings"]["footer"] = settings["footer"] or None


def create(world, p):
    row = build(world)
    apply(world, row, p)
    world.emit("customer.created", row)
    return row


def retrieve(world, p, ident):
    """A deleted customer is still found, as a stump."""
    row = world.objects["customer"].get(ident)
    return row if row else world.get("customer", ident)


def update(world, p, ident):
    row = world.get("customer", ident)
    with world.changing(row, "customer.updated"):
        apply(world, row, p)
    return row


def delete(world, p, ident):
    row = world.get("customer", ident)
    for sub in world.all("subscription"):
        if sub["customer"] == ident and sub["status"] not in subscriptions.ENDED:
            subscriptions.end(world, sub, "cancellation_requested")
    world.emit("customer.deleted", row)
    world.objects["customer"][ident] = {"id": ident, "object": "customer", "deleted": True}
    return world.objects["customer"][ident]


def list_all(world, p):
    """The filter by e-mail is exact and minds the case."""
    return page(world, matching(world.all("customer"), p, "email"), p, "/v1/customers")


CLAUSE = re.compile(r"""\s*(-?)(email|name|phone|metadata\['((?:[^'\\]|\\.)+)'\])(:|~)"""
                    r"""(['"])((?:(?!\5)[^\\]|\\.)*)\5\s*""")


def parse_query(query):
    """[(field, metadata key, operator, text, negated)] and the word that joins them."""
    clauses, joins, at = [], set(), 0
    while True:
        match = CLAUSE.match(query, at)
        if not match:
            raise bad(f"We were unable to parse your search query: `{query}`.", "query")
        negated, field, key, op, _, text = match.groups()
        clauses.append((field.split("[")[0], key, op, re.sub(r"\\(.)", r"\1", text), bool(negated)))
        at = match.end()
        if at == len(query):
            break
        join = re.compile(r"(AND|OR)\s", re.I).match(query, at)
        joins.add(join[1].upper() if join else "AND")
        at = join.end() if join else at
    if len(joins) > 1:
        raise bad("AND and OR cannot be mixed in a search query", "query")
    return clauses, any if "OR" in joins else all


def known_to_search(world, row):
    """The customer as it was search_lag seconds ago, or None, since Stripe's search is not read-after-write."""
    until = world.now() - world.settings["search_lag"]
    return next((seen for when, seen in reversed(world.found.get(row["id"], [])) if when <= until), None)


def search(world, p):
    clauses, combine = parse_query(p["query"])

    def fits(row, clause):
        field, key, op, text, negated = clause
        value = row["metadata"].get(key) if key else row[field]
        same = value is not None and (text.lower() in value.lower() if op == "~" else value.lower() == text.lower())
        return same != negated
    rows = [row for row in reversed(world.all("customer"))
            if (known := known_to_search(world, row)) and combine(fits(known, clause) for clause in clauses)]
    return search_page(rows, p, "/v1/customers/search")


def attach_card(world, customer, card):
    """A new card of one of the kinds of CARDS, made the customer's default and that of the live subscriptions."""
    if card not in CARDS:
        raise refused(f"No such card: '{card}'", "card")
    last4 = CARDS[card]
    method = world.put({
        "id": world.new_id("pm_1"), "object": "payment_method", "allow_redisplay": "unspecified",
        "billing_details": {"address": {"city": None, "country": "US", "line1": None, "line2": None,
                                        "postal_code": "94103", "state": None},
                            "email": customer["email"], "name": customer["name"], "phone": None, "tax_id": None},
        "card": {"brand": "visa", "checks": {"address_line1_check": None, "address_postal_code_check": "pass",
                                             "cvc_check": "pass"},
                 "country": "US", "display_brand": "visa", "exp_month": 8, "exp_year": 2040,
                 "fingerprint": world.new_id("", 16), "funding": "credit", "generated_from": None, "last4": last4,
                 "networks": {"available": ["visa"], "preferred": None}, "regulated_status": "unregulated",
                 "three_d_secure_usage": {"supported": True}, "wallet": None},
        "created": world.now(), "customer": customer["id"], "livemode": False, "metadata": {}, "type": "card",
    })
    world.emit("payment_method.attached", method)
    with world.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for sub in world.all("subscription"):
        if sub["customer"] == customer["id"] and sub["status"] not in subscriptions.ENDED:
            with world.changing(sub, "customer.subscription.updated"):
                sub["default_payment_method"] = method["id"]
    return method
