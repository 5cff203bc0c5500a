"""Products, prices and meters, made and changed over the API."""
from . import money, tariff
from .errors import bad, missing_param, refused
from .listing import matching, page
from .parameters import parse_table
from .subscriptions import check_trial_days
from .tables import EXPAND, NOTHING, PAGE
from .world import assign, merge_metadata

PRODUCT_UPDATE = parse_table(EXPAND + """
    name                        string
    active                      boolean
    description                 text
    metadata                    metadata
    default_price               string
    statement_descriptor        string
    unit_label                  text
    url                         text
    images[]                    string
    marketing_features          !
    package_dimensions          !
    shippable                   !
    tax_code                    !
""")
PRODUCT_CREATE = parse_table(EXPAND + """
    id                          string
    name                        * string
    active                      boolean
    description                 string
    metadata                    metadata
    statement_descriptor        string
    unit_label                  string
    url                         string
    type                        good|service
    default_price_data          !
    images                      !
    marketing_features          !
    package_dimensions          !
    shippable                   !
    tax_code                    !
""")
PRICE_CREATE = parse_table(EXPAND + """
    currency                    * string
    product                     string
    unit_amount                 integer
    active                      boolean
    nickname                    string
    lookup_key                  string200
    transfer_lookup_key         boolean
    metadata                    metadata
    recurring.interval          * day|month|week|year
    recurring.interval_count    integer
    recurring.meter             string
    recurring.usage_type        licensed|metered
    recurring.trial_period_days integer
    tax_behavior                exclusive|inclusive|unspecified
    billing_scheme              per_unit|tiered
    currency_options            !
    custom_unit_amount          !
    product_data                !
    tiers[].up_to               * inf|<integer>
    tiers[].unit_amount         integer
    tiers[].unit_amount_decimal string
    tiers[].flat_amount         integer
    tiers[].flat_amount_decimal string
    tiers_mode                  graduated|volume
    transform_quantity          !
    unit_amount_decimal         string
""")
PRICE_UPDATE = parse_table(EXPAND + """
    active                      boolean
    nickname                    text
    lookup_key                  text200
    transfer_lookup_key         boolean
    metadata                    metadata
    tax_behavior                exclusive|inclusive|unspecified
    currency_options            !
""")
METER_CREATE = parse_table(EXPAND + """
    display_name                            * string
    event_name                              * string
    default_aggregation.formula             * count|last|sum
    customer_mapping.event_payload_key      * string
    customer_mapping.type                   * by_id
    value_settings.event_payload_key        * string
    event_time_window                       day|hour
""")
METER_UPDATE = parse_table(EXPAND + "display_name string\n")
THREE_YEARS = {"day": 1095, "week": 156, "month": 36, "year": 3}      # the longest interval of a price
METER_LIST = parse_table(PAGE + "status active|inactive\n")


def create_product(world, p):
    ident = p.get("id") or world.new_id("prod_", 14)
    if ident in world.objects["product"]:
        raise refused(f"Product already exists: {ident}", "id", "resource_already_exists")
    now = world.now()
    row = world.put({
        "id": ident, "object": "product", "active": p.get("active", True), "created": now, "default_price": None,
        "description": p.get("description"), "images": [], "livemode": False, "marketing_features": [],
        "metadata": p.get("metadata") or {}, "name": p["name"], "package_dimensions": None, "shippable": None,
        "statement_descriptor": p.get("statement_descriptor"), "tax_code": None, "type": p.get("type", "service"),
        "unit_label": p.get("unit_label"), "updated": now, "url": p.get("url"),
    })
    world.emit("product.created", row)
    return row


def update_product(world, p, ident):
    row = world.get("product", ident)
    if p.get("default_price") and world.get("price", p["default_price"], "default_price")["product"] != ident:
        raise refused(f"The price `{p['default_price']}` is not one of the product's.", "default_price")
    with world.changing(row, "product.updated"):
        assign(row, p, "name", "active", "description", "default_price", "statement_descriptor", "unit_label", "url")
        if "metadata" in p:
            merge_metadata(row, p["metadata"])
        if "images" in p:
            row["images"] = p["images"]
    return row


def give_lookup_key(world, row, p):
    """A key is one active or inactive price's; it moves only when asked to."""
    key = p.get("lookup_key") or None
    for other in world.all("price"):
        if key and other is not row and other["lookup_key"] == key:
            if not p.get("transfer_lookup_key"):
                raise refused(f"A price (`{other['id']}`) already uses that lookup key.", "lookup_key")
            with world.changing(other, "price.updated"):
                other["lookup_key"] = None
    row["lookup_key"] = key


def check_interval(interval, count):
    most = THREE_YEARS[interval]
    if count < 1:
        raise bad("This value must be greater than or equal to 1.", "recurring[interval_count]",
                  "parameter_invalid_integer")
    if count > most:
        raise bad(f"You cannot set an interval longer than three years ({most} {interval}s).",
                  "recurring[interval_count]")


def check_meter(world, given):
    meter = given.get("meter") and world.get("billing.meter", given["meter"], "recurring[meter]")
    if (given.get("usage_type") == "metered") != bool(meter):
        raise bad("Metered prices, and no others, have a meter", "recurring[meter]")
    if meter and meter["status"] != "active":
        raise refused(f"The meter `{meter['id']}` is not active.", "recurring[meter]")


def recurring(world, p):
    given = p.get("recurring")
    if given is None:
        return None
    check_meter(world, given)
    check_interval(given["interval"], given.get("interval_count", 1))
    if "trial_period_days" in given:
        check_trial_days(given["trial_period_days"], "recurring[trial_period_days]")
    return {"interval": given["interval"], "interval_count": given.get("interval_count", 1),
            "meter": given.get("meter"), "trial_period_days": given.get("trial_period_days"),
            "usage_type": given.get("usage_type", "licensed")}


def create_price(world, p):
    currency = p["currency"].lower()
    if "product" not in p:
        raise missing_param("product")
    money.check_currency(currency, "currency")
    tiers = tariff.read_tiers(p, currency)
    amount, decimal = tariff.read_amount(p, "unit_amount", "", currency)
    if not tiers and decimal is None:
        raise missing_param("unit_amount")
    product = world.get("product", p["product"], "product")
    row = {
        "id": world.new_id("price_1"), "object": "price", "active": p.get("active", True),
        "billing_scheme": p.get("billing_scheme", "per_unit"), "created": world.now(), "currency": currency,
        "custom_unit_amount": None, "livemode": False, "lookup_key": None, "metadata": p.get("metadata") or {},
        "nickname": p.get("nickname"), "product": product["id"], "recurring": recurring(world, p),
        "tax_behavior": p.get("tax_behavior", "unspecified"), "tiers_mode": p.get("tiers_mode"),
        "transform_quantity": None, "type": "recurring" if "recurring" in p else "one_time", "unit_amount": amount,
        "unit_amount_decimal": decimal, "_tiers": tiers,
    }
    if tiers and not tariff.is_metered(row):
        raise bad("The simulator has tiers of metered prices only", "tiers")
    give_lookup_key(world, row, p)
    world.put(row)
    world.emit("price.created", row)
    return row


def update_price(world, p, ident):
    row = world.get("price", ident)
    if p.get("active") is False and world.get("product", row["product"])["default_price"] == ident:
        raise refused("This price cannot be archived because it is the default price of its product.", "active")
    with world.changing(row, "price.updated"):
        assign(row, p, "active", "nickname", "tax_behavior")
        if "lookup_key" in p:
            give_lookup_key(world, row, p)
        if "metadata" in p:
            merge_metadata(row, p["metadata"])
    return row


def create_meter(world, p):
    for row in world.all("billing.meter"):
        if row["event_name"] == p["event_name"] and row["status"] == "active":
            raise refused(f"There is already an active meter with event name {p['event_name']}.", "event_name")
    if "default_aggregation" not in p:
        raise bad("Missing required param: default_aggregation.", "default_aggregation", "parameter_missing")
    now = world.now()
    row = world.put({
        "id": world.new_id("mtr_test_6", 20), "object": "billing.meter", "created": now,
        "customer_mapping": p.get("customer_mapping", {"event_payload_key": "stripe_customer_id", "type": "by_id"}),
        "default_aggregation": p["default_aggregation"], "display_name": p["display_name"],
        "event_name": p["event_name"], "event_time_window": p.get("event_time_window"), "livemode": False,
        "status": "active", "status_transitions": {"deactivated_at": None}, "updated": now,
        "value_settings": p.get("value_settings", {"event_payload_key": "value"}),
    })
    world.emit("billing.meter.created", row)
    return row


def get_meter(world, p, ident):
    return world.get("billing.meter", ident)


def update_meter(world, p, ident):
    row = world.get("billing.meter", ident)
    with world.changing(row, "billing.meter.updated"):
        assign(row, p, "display_name")
    return row


def deactivate_meter(world, p, ident):
    row = world.get("billing.meter", ident)
    with world.changing(row, "billing.meter.deactivated"):
        row["status"] = "inactive"
        row["status_transitions"] = {"deactivated_at": world.now()}
    return row


def list_meters(world, p):
    return page(world, matching(world.all("billing.meter"), p, "status"), p, "/v1/billing/meters")


ROUTES = (
    ("POST", "products", PRODUCT_CREATE, create_product),
    ("POST", "products/{id}", PRODUCT_UPDATE, update_product),
    ("POST", "prices", PRICE_CREATE, create_price),
    ("POST", "prices/{id}", PRICE_UPDATE, update_price),
    ("POST", "billing/meters", METER_CREATE, create_meter),
    ("GET", "billing/meters", METER_LIST, list_meters),
    ("GET", "billing/meters/{id}", NOTHING, get_meter),
    ("POST", "billing/meters/{id}", METER_UPDATE, update_meter),
    ("POST", "billing/meters/{id}/deactivate", NOTHING, deactivate_meter),
)
