"""Products and prices: made from the command line, read by the API."""
from .errors import bad
from .listing import matching, page


def add_plan(world, name, price_id, amount, currency="usd"):
    """One product with one monthly price, whose lookup key is <name>_monthly."""
    now = world.now()
    product = world.put({
        "id": world.new_id("prod_", 14), "object": "product", "active": True, "created": now,
        "default_price": None, "description": None, "images": [], "livemode": False, "marketing_features": [],
        "metadata": {"plan": name}, "name": name.capitalize(), "package_dimensions": None, "shippable": None,
        "statement_descriptor": None, "tax_code": None, "type": "service", "unit_label": None, "updated": now,
        "url": None,
    })
    world.put({
        "id": price_id, "object": "price", "active": True, "billing_scheme": "per_unit", "created": now,
        "currency": currency, "custom_unit_amount": None, "livemode": False, "lookup_key": f"{name}_monthly",
        "metadata": {}, "nickname": None, "product": product["id"],
        "recurring": {"interval": "month", "interval_count": 1, "meter": None, "trial_period_days": None,
                      "usage_type": "licensed"},
        "tax_behavior": "unspecified", "tiers_mode": None, "transform_quantity": None, "type": "recurring",
        "unit_amount": amount, "unit_amount_decimal": str(amount), "_tiers": None,
    })


def list_prices(world, p):
    keys = p.get("lookup_keys", [])
    if len(keys) > 10:
        raise bad("You can specify at most 10 lookup_keys", "lookup_keys")
    rows = matching(world.all("price"), p, "active", "product", "currency", "type",
                    lookup_keys=lambda row, wanted: row["lookup_key"] in wanted,
                    recurring=lambda row, wanted: all((row["recurring"] or {}).get(k) == v for k, v in wanted.items()))
    return page(world, rows, p, "/v1/prices")


def get_price(world, p, ident):
    return world.get("price", ident)


def list_products(world, p):
    rows = matching(world.all("product"), p, "active", ids=lambda row, wanted: row["id"] in wanted)
    return page(world, rows, p, "/v1/products")


def get_product(world, p, ident):
    return world.get("product", ident)


def money(amount, currency="usd"):
    return f"{'$' if currency == 'usd' else currency.upper() + ' '}{amount / 100:.2f}"
