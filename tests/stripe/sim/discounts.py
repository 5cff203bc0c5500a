"""Coupons, and the discounts that they are on a subscription: what an invoice comes to."""
from . import money, options
from .errors import bad, exclusive, refused
from .listing import page
from .parameters import parse_table
from .tables import EXPAND, LIST, NOTHING

MONTH = 30 * 86400
COUPON_CREATE = parse_table(EXPAND + """
    id                  string
    name                string
    percent_off         integer
    amount_off          integer
    currency            string
    duration            forever|once|repeating
    duration_in_months  integer
    metadata            metadata
    applies_to          !
    currency_options    !
    max_redemptions     !
    redeem_by           !
""")


def check_duration(p):
    months = p.get("duration_in_months")
    if (p.get("duration") == "repeating") != (months is not None):
        raise bad("You must pass `duration_in_months` if, and only if, `duration` is `repeating`.",
                  "duration_in_months", None if months else "parameter_missing")
    if months is not None and months < 1:
        raise bad("This value must be greater than or equal to 1.", "duration_in_months", "parameter_invalid_integer")


def check_off(p):
    if not 0 < p.get("percent_off", 1) <= 100:
        raise bad("Invalid percent_off; must be between 0 and 100", "percent_off")
    if p.get("amount_off", 1) < 1:
        raise bad("This value must be greater than or equal to 1.", "amount_off", "parameter_invalid_integer")
    if "currency" in p:
        money.check_currency(p["currency"].lower(), "currency")


def create_coupon(world, p):
    if "percent_off" in p and "amount_off" in p:
        raise exclusive("percent_off", "amount_off")
    if "percent_off" not in p and "amount_off" not in p:
        raise bad("You must pass either `percent_off` or `amount_off`", "percent_off", "parameter_missing")
    if "amount_off" in p and "currency" not in p:
        raise bad("You must pass currency when passing amount_off", "currency", "parameter_missing")
    check_duration(p)
    check_off(p)
    ident = p.get("id") or world.new_id("", 8)
    if ident in world.objects["coupon"]:
        raise refused(f"Coupon already exists: {ident}", "id", "resource_already_exists")
    row = world.put({
        "id": ident, "object": "coupon", "amount_off": p.get("amount_off"), "created": world.now(),
        "currency": p["currency"].lower() if "currency" in p else None, "duration": p.get("duration", "once"),
        "duration_in_months": p.get("duration_in_months"), "livemode": False, "max_redemptions": None,
        "metadata": p.get("metadata") or {}, "name": p.get("name"), "percent_off": p.get("percent_off"),
        "redeem_by": None, "times_redeemed": 0, "valid": True,
    })
    world.emit("coupon.created", row)
    return row


def get_coupon(world, p, ident):
    return world.get("coupon", ident)


def list_coupons(world, p):
    return page(world, world.all("coupon"), p, "/v1/coupons")


def begin(world, sub, coupon):
    """A discount of a subscription, from now on."""
    if coupon["currency"] not in (None, sub["currency"]):
        raise refused(f"The coupon {coupon['id']} is in {coupon['currency']}, and the subscription in "
                      f"{sub['currency']}.", "discounts")
    now = world.now()
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    coupon["times_redeemed"] += 1
    return world.put({
        "id": world.new_id("di_1"), "object": "discount", "checkout_session": None, "customer": sub["customer"],
        "customer_account": None, "end": now + months * MONTH if months else None, "invoice": None,
        "invoice_item": None, "promotion_code": None, "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now, "subscription": sub["id"], "subscription_item": None,
    })


def apply(world, sub, wanted):
    """Makes a subscription's discounts those that its parameter `discounts` asks for."""
    rows = [world.get("discount", one["discount"], "discounts") if "discount" in one else
            begin(world, sub, world.get("coupon", one["coupon"], f"discounts[{n}][coupon]"))
            for n, one in enumerate(wanted)]
    sub["discounts"] = [row["id"] for row in rows]


def redeem(world, sub, code, session):
    """The discount of a promotion code that was typed on a checkout's page."""
    row = begin(world, sub, world.objects["coupon"][code["promotion"]["coupon"]])
    row.update(promotion_code=code["id"], checkout_session=session)
    code["times_redeemed"] += 1
    sub["discounts"] = [row["id"]]


def reduction(coupon, total):
    off = round(total * coupon["percent_off"] / 100) if coupon["percent_off"] else coupon["amount_off"]
    return max(0, min(total, off))


def of(world, sub, when):
    """[(discount, coupon)] that an invoice of that time is reduced by."""
    rows = [world.objects["discount"][ident] for ident in sub["discounts"]]
    return [(row, world.objects["coupon"][row["source"]["coupon"]]) for row in rows
            if row["end"] is None or row["end"] > when]


def sums(world, sub, lines, when):
    """The sums of an invoice: discounts are taken off in turn, then the customer's balance."""
    subtotal = total = sum(item["amount"] for item in lines)
    taken = []
    for row, coupon in of(world, sub, when):
        off = reduction(coupon, total)
        total -= off
        taken.append({"amount": off, "discount": row["id"]})
    net = total
    behavior = next((line["_price"]["tax_behavior"] for line in lines), "unspecified")
    taxes = options.tax_lines(sub["automatic_tax"]["enabled"], max(0, total), behavior)
    total += sum(line["amount"] for line in taxes if line["tax_behavior"] == "exclusive")
    net -= sum(line["amount"] for line in taxes if line["tax_behavior"] == "inclusive")
    balance = world.objects["customer"][sub["customer"]].get("balance", 0)
    due = max(0, total + balance)
    return {"subtotal": subtotal, "subtotal_excluding_tax": subtotal, "total": total, "total_excluding_tax": net,
            "total_taxes": taxes,
            "total_discount_amounts": taken, "discounts": [one["discount"] for one in taken],
            "starting_balance": balance, "amount_due": due, "amount_remaining": due}


def used(world, sub):
    """After an invoice: a coupon that holds once is gone."""
    sub["discounts"] = [row["id"] for row, coupon in of(world, sub, world.now()) if coupon["duration"] != "once"]


ROUTES = (
    ("POST", "coupons", COUPON_CREATE, create_coupon),
    ("GET", "coupons", LIST, list_coupons),
    ("GET", "coupons/{id}", NOTHING, get_coupon),
)
