"""What a checkout session may ask of its buyer, beside a card: how many, a promotion code, terms, an address, a tax id.

Where Stripe works out the tax, it is 20 % here, of every buyer.
"""
from . import discounts, promotions, tariff
from .errors import bad

MOST_QUANTITY = 999_999
TAX_PERCENT = 20


class Declined(Exception):
    """The page says why, the session stays open."""


def check(world, p):
    update = p.get("customer_update", {})
    for n, item in enumerate(p["line_items"]):
        check_quantity(item, f"line_items[{n}]")
    if p.get("tax_id_collection", {}).get("enabled") and "customer" in p and update.get("name") != "auto":
        raise bad("Tax ID collection requires updating business name on the customer. To enable tax ID collection for "
                  "an existing customer, please set `customer_update[name]` to `auto`.", "customer_update[name]")
    if p.get("automatic_tax", {}).get("enabled") and "customer" in p and update.get("address") != "auto" \
            and not world.get("customer", p["customer"], "customer").get("address"):
        raise bad("Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address "
                  "to the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` "
                  "to 'auto' to save the address entered in Checkout to the Customer.", None,
                  "customer_tax_location_invalid")
    if p.get("consent_collection", {}).get("terms_of_service") == "required" and not world.settings["terms_url"]:
        raise bad("You cannot collect consent to your terms of service unless a URL is set in the Stripe Dashboard. "
                  "Update your public business details in the Dashboard.", "consent_collection[terms_of_service]")


def check_quantity(item, where):
    choice = item.get("adjustable_quantity", {})
    if not choice.get("enabled"):
        return
    where += "[adjustable_quantity]"
    least, most = choice.get("minimum", 0), choice.get("maximum", 99)
    if not 0 <= least < most:
        raise bad(f"`{where}[minimum]` must be less than `{where}[maximum]`.", f"{where}[minimum]")
    if most > MOST_QUANTITY:
        raise bad(f"`{where}[maximum]` must be at most {MOST_QUANTITY}.", f"{where}[maximum]")
    if not least <= item.get("quantity", 1) <= most:
        raise bad(f"The quantity must be between {least} and {most}.", where.replace("adjustable_quantity", "quantity"))


def choice_of(item):
    choice = item.get("adjustable_quantity", {})
    if not choice.get("enabled"):
        return None
    return {"enabled": True, "maximum": choice.get("maximum", 99), "minimum": choice.get("minimum", 0)}


def tax_of(amount, behavior):
    """(the tax in or on an amount, what is paid)."""
    if behavior == "inclusive":
        return amount - round(amount * 100 / (100 + TAX_PERCENT)), amount
    tax = round(amount * TAX_PERCENT / 100)
    return tax, amount + tax


def tax_lines(taxed, amount, behavior):
    """The tax of an invoice: [] where none is worked out."""
    if not taxed:
        return []
    tax, paid = tax_of(amount, behavior)
    return [{"amount": tax, "tax_behavior": "inclusive" if behavior == "inclusive" else "exclusive",
             "tax_rate_details": None, "taxability_reason": "standard_rated", "taxable_amount": paid - tax,
             "type": "tax_rate_details"}]


def reckon(world, row):
    """The session's sums, as its page shows them: after the code and with the tax."""
    kept = world.keep(row["id"])
    lines = [(world.get("price", ident), quantity) for ident, quantity in kept["lines"]]
    subtotal = sum(tariff.at_once(price, quantity) for price, quantity in lines
                   if price["type"] == "one_time" or not kept["trial"])
    code = kept.get("code")
    off = discounts.reduction(promotions.coupon_of(world, code), subtotal) if code else 0
    taxes = tax_lines(row["automatic_tax"]["enabled"], subtotal - off, lines[0][0]["tax_behavior"])
    added = sum(line["amount"] for line in taxes if line["tax_behavior"] == "exclusive")
    row.update(amount_subtotal=subtotal, amount_total=subtotal - off + added)
    row["total_details"].update(amount_discount=off, amount_tax=sum(line["amount"] for line in taxes))
    row["discounts"] = [{"coupon": None, "promotion_code": code["id"]}] if code else []


def take(world, row, fields):
    """What the buyer filled in. Raises Declined."""
    kept = world.keep(row["id"])
    if fields.get("quantity"):
        change_quantity(world, row, fields["quantity"])
    if fields.get("promotion_code"):
        code = promotions.find(world, fields["promotion_code"]) if row["allow_promotion_codes"] else None
        if code is None:
            raise Declined("This code is invalid.")
        kept["code"] = code
    if fields.get("tax_id") and row["tax_id_collection"]["enabled"]:
        kept["tax_ids"] = [{"type": "eu_vat", "value": fields["tax_id"]}]
    reckon(world, row)


def change_quantity(world, row, said):
    line = world.line_items[row["id"]]["data"][0]
    choice = line["adjustable_quantity"]
    if choice is None or not str(said).isdigit() or not choice["minimum"] <= int(said) <= choice["maximum"]:
        raise Declined("This quantity cannot be bought.")
    kept = world.keep(row["id"])
    kept["lines"][0] = (kept["lines"][0][0], int(said))
    total = line["price"]["unit_amount"] * int(said)
    line.update(quantity=int(said), amount_subtotal=total, amount_total=total)


def accept(row, fields):
    """The terms, where they must be accepted."""
    if (row["consent_collection"] or {}).get("terms_of_service") != "required":
        return
    if not fields.get("terms"):
        raise Declined("You must accept the terms of service.")
    row["consent"] = {"promotions": None, "terms_of_service": "accepted"}
