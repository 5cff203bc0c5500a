"""Promotion codes: coupons by a word that the buyer types on the hosted page."""
from .errors import bad, refused
from .listing import matching, page
from .parameters import parse_table
from .tables import EXPAND, NOTHING, PAGE

CREATE = parse_table(EXPAND + """
    promotion.type      * coupon
    promotion.coupon    string
    code                string
    active              boolean
    metadata            metadata
    customer            !
    expires_at          !
    max_redemptions     !
    restrictions        !
""")
LIST = parse_table(PAGE + """
    active  boolean
    code    string
    coupon  string
    created range
""")


def create(world, p):
    if "coupon" not in p.get("promotion", {}):
        raise bad("Missing required param: promotion[coupon].", "promotion[coupon]", "parameter_missing")
    coupon = world.get("coupon", p["promotion"]["coupon"], "promotion[coupon]")
    code = p.get("code") or world.new_id("", 8).upper()
    if not code.isalnum():
        raise bad("Promotion codes can only contain alphanumeric characters.", "code")
    if find(world, code):
        raise refused("An active promotion code with `code: %s` already exists." % code, "code")
    row = world.put({
        "id": world.new_id("promo_1"), "object": "promotion_code", "active": p.get("active", True), "code": code,
        "created": world.now(), "customer": None, "customer_account": None, "expires_at": None, "livemode": False,
        "max_redemptions": None, "metadata": p.get("metadata") or {},
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    })
    world.emit("promotion_code.created", row)
    return row


def find(world, code):
    """The active one of that word, in any case; or None."""
    return next((row for row in world.all("promotion_code") if row["active"]
                 and row["code"].lower() == code.strip().lower()), None)


def coupon_of(world, row):
    return world.objects["coupon"][row["promotion"]["coupon"]]


def retrieve(world, p, ident):
    return world.get("promotion_code", ident)


def list_all(world, p):
    rows = matching(world.all("promotion_code"), p, "active", "code",
                    coupon=lambda row, wanted: row["promotion"]["coupon"] == wanted)
    return page(world, rows, p, "/v1/promotion_codes")


ROUTES = (
    ("POST", "promotion_codes", CREATE, create),
    ("GET", "promotion_codes", LIST, list_all),
    ("GET", "promotion_codes/{id}", NOTHING, retrieve),
)
