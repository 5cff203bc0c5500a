"""What a price comes to: by the unit, by graduated tiers, by what a meter counted."""
import re
from decimal import ROUND_HALF_UP, Decimal

from . import money
from .errors import bad, exclusive

DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


def is_metered(price):
    return bool(price["recurring"]) and price["recurring"]["usage_type"] == "metered"


def at_once(price, quantity):
    """What is paid when it is bought, and before each period: nothing of what is metered."""
    return 0 if is_metered(price) else price["unit_amount"] * quantity


def plain(number):
    """A decimal as Stripe answers it: no zeros at its end, no exponent."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole(number):
    """A decimal as an amount in minor units: null where it is a part of one."""
    return int(Decimal(number)) if Decimal(number) == int(Decimal(number)) else None


def read_decimal(text, param):
    if not DECIMAL.fullmatch(text):
        raise bad(f"Invalid decimal: {text}; must have at most 12 decimal places", param, "parameter_invalid_decimal")
    return plain(text)


def read_amount(p, name, where, currency):
    """(whole amount or None, decimal text or None) of NAME and NAME_decimal, of which at most one is given."""
    whole_at, decimal_at = ((f"{where}[{key}]" if where else key) for key in (name, f"{name}_decimal"))
    if name in p and f"{name}_decimal" in p:
        raise exclusive(whole_at, decimal_at)
    if f"{name}_decimal" in p:
        text = read_decimal(p[f"{name}_decimal"], decimal_at)
        money.check_amount(int(Decimal(text)), currency, decimal_at)
        return whole(text), text
    if name in p:
        money.check_amount(p[name], currency, whole_at)
        return p[name], str(p[name])
    return None, None


def read_tier(tier, where, currency):
    unit, unit_decimal = read_amount(tier, "unit_amount", where, currency)
    flat, flat_decimal = read_amount(tier, "flat_amount", where, currency)
    if unit_decimal is None and flat_decimal is None:
        raise bad(f"You must pass at least one of `unit_amount`, `unit_amount_decimal`, `flat_amount` or "
                  f"`flat_amount_decimal` for `{where}`.", where, "parameter_missing")
    return {"flat_amount": flat, "flat_amount_decimal": flat_decimal, "unit_amount": unit,
            "unit_amount_decimal": unit_decimal, "up_to": None if tier["up_to"] == "inf" else tier["up_to"]}


def read_tiers(p, currency):
    """The tiers of a new price, or None."""
    if p.get("billing_scheme", "per_unit") != "tiered":
        for name in ("tiers", "tiers_mode"):
            if name in p:
                raise bad(f"`{name}` can only be set when `billing_scheme` is `tiered`.", name)
        return None
    for name in ("tiers", "tiers_mode"):
        if not p.get(name):
            raise bad(f"You must pass `{name}` when `billing_scheme` is `tiered`.", name, "parameter_missing")
    for name in ("unit_amount", "unit_amount_decimal"):
        if name in p:
            raise bad(f"`{name}` cannot be set when `billing_scheme` is `tiered`.", name)
    if p["tiers_mode"] != "graduated":
        raise bad("The simulator has no model of tiers by volume", "tiers_mode")
    rows = [read_tier(tier, f"tiers[{n}]", currency) for n, tier in enumerate(p["tiers"])]
    bounds = [row["up_to"] for row in rows]
    if bounds[-1] is not None or None in bounds[:-1]:
        raise bad("The last tier, and no other, must have `up_to` set to `inf`.", "tiers")
    if any(bound < 1 for bound in bounds[:-1]) or sorted(set(bounds[:-1])) != bounds[:-1]:
        raise bad("The `up_to` of each tier must be greater than that of the tier before.", "tiers")
    return rows


def shares(price, units):
    """[(what it is called, units, amount in minor units, price of a unit)] of so many units, a line for each tier that
    is reached. Each is rounded by itself, half a minor unit up."""
    if not price["_tiers"]:
        return [("", units, rounded(Decimal(price["unit_amount_decimal"]) * units), price["unit_amount_decimal"])]
    found, below = [], 0
    for n, tier in enumerate(price["_tiers"]):
        inside = max(0, min(units, tier["up_to"] or units) - below)
        if inside or not n:
            each = tier["unit_amount_decimal"] or "0"
            flat = Decimal(tier["flat_amount_decimal"] or "0") if inside else 0
            found.append((f"Tier {n + 1} at ", inside, rounded(Decimal(each) * inside + flat), each))
        below = tier["up_to"]
    return found


def rounded(amount):
    return int(Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP))
