"""The customer portal: configurations, sessions, and what its page may do."""
from copy import deepcopy

from . import customers, lifecycle, subscriptions, tariff
from .errors import bad, refused
from .listing import matching, page
from .world import assign, merge_metadata

HOUR = 3600
REASONS = ["customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex",
           "too_expensive", "unused"]
FEATURES = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {"cancellation_reason": {"enabled": False, "options": REASONS}, "enabled": False,
                            "mode": "at_period_end", "proration_behavior": "none"},
    "subscription_update": {"billing_cycle_anchor": None, "default_allowed_updates": [], "enabled": False,
                            "_products": [], "proration_behavior": "none",
                            "schedule_at_period_end": {"conditions": []}, "trial_update_behavior": "continue_trial"},
}


def merged(base, changes):
    """base with the given parameters laid over it, as deep as they go."""
    found = dict(base)
    for key, value in changes.items():
        found[key] = merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return found


def build(world, p, default=False):
    ident = world.new_id("bpc_1")
    row = {
        "id": ident, "object": "billing_portal.configuration", "active": True, "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": world.now(), "default_return_url": None, "features": deepcopy(FEATURES), "is_default": default,
        "livemode": False, "login_page": {"enabled": False, "url": None}, "metadata": {}, "name": None,
        "updated": world.now(),
    }
    apply(world, row, p)
    return world.put(row)


def check_offered(price, product, where):
    if price["product"] != product:
        raise refused("The price does not belong to the product", where)
    subscriptions.check_recurring(price, where)


def check_intervals(world, product, where):
    """A product's prices are told apart by their interval."""
    intervals = [(price["currency"], price["recurring"]["interval"], price["recurring"]["interval_count"])
                 for price in (world.get("price", ident) for ident in product.get("prices", []))]
    if len(set(intervals)) < len(intervals):
        raise refused("For each product, its price must have unique billing intervals.", f"{where}[prices]")


def check_features(world, features):
    update = features.get("subscription_update", {})
    if update.get("enabled") and not (update.get("products") and update.get("default_allowed_updates")):
        raise bad("Subscription updates need `products` and `default_allowed_updates`.",
                  "features[subscription_update][products]", "parameter_missing")
    if len(update.get("products", [])) > 10:
        raise bad("You can specify at most 10 products", "features[subscription_update][products]")
    for n, product in enumerate(update.get("products", [])):
        where = f"features[subscription_update][products][{n}]"
        world.get("product", product["product"], f"{where}[product]")
        for m, price in enumerate(product.get("prices", [])):
            named = f"{where}[prices][{m}]"
            check_offered(world.get("price", price, named), product["product"], named)
        check_intervals(world, product, where)


def apply(world, row, p):
    features = p.get("features", {})
    if len(p.get("business_profile", {}).get("headline") or "") > 60:
        raise bad("The headline has at most 60 characters", "business_profile[headline]")
    check_features(world, features)
    row["features"] = merged(row["features"], features)
    update = row["features"]["subscription_update"]
    update["_products"] = update.pop("products", update["_products"])      # never shown unless asked for
    for product in update["_products"]:
        product.setdefault("prices", [])
        product["adjustable_quantity"] = {"enabled": False, "maximum": None, "minimum": 1}
    for name in ("business_profile", "login_page"):
        row[name] = merged(row[name], {key: value or (None if value == "" else value)
                                       for key, value in p.get(name, {}).items()})
    row["login_page"]["url"] = f"{world.base}/p/login/{row['id']}" if row["login_page"]["enabled"] else None
    assign(row, p, "default_return_url", "name")
    if "metadata" in p:
        merge_metadata(row, p["metadata"])
    if "active" in p:
        row["active"] = p["active"]


def create_configuration(world, p):
    if "features" not in p:
        raise bad("Missing required param: features.", "features", "parameter_missing")
    row = build(world, p)
    world.emit("billing_portal.configuration.created", row)
    return row


def get_configuration(world, p, ident):
    return world.get("billing_portal.configuration", ident)


def update_configuration(world, p, ident):
    row = world.get("billing_portal.configuration", ident)
    if row["is_default"] and p.get("active") is False:
        raise refused("The default configuration cannot be deactivated.", "active")
    with world.changing(row, "billing_portal.configuration.updated"):
        apply(world, row, p)
        row["updated"] = world.now()
    return row


def list_configurations(world, p):
    rows = matching(world.all("billing_portal.configuration"), p, "active", "is_default")
    return page(world, rows, p, "/v1/billing_portal/configurations")


def default_configuration(world):
    """What the Dashboard's portal settings are, once somebody has saved them."""
    row = next((row for row in world.all("billing_portal.configuration") if row["is_default"]), None)
    if row is None:
        raise refused("No configuration provided and your test mode default configuration has not been created. "
                      "Provide a configuration or create your default by saving your customer portal settings in test "
                      "mode at https://dashboard.stripe.com/test/settings/billing/portal.")
    return row


def check_cancelable(sub, where):
    if sub["status"] in subscriptions.ENDED:
        raise refused(f"The subscription `{sub['id']}` is already canceled.", where)
    if sub["cancel_at"] or sub["cancel_at_period_end"]:
        raise refused(f"The subscription `{sub['id']}` is already set to be canceled at period end.", where)


def flow_of(world, p, configuration):
    flow = p.get("flow_data")
    if not flow:
        return None
    feature = flow["type"].removesuffix("_confirm")
    if not configuration["features"][feature]["enabled"]:
        raise refused(f"The {feature} feature is disabled in the portal configuration {configuration['id']}.",
                      "flow_data[type]")
    after = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    row = {"after_completion": {**after, **flow.get("after_completion", {})}, "subscription_cancel": None,
           "subscription_update": None, "subscription_update_confirm": None, "type": flow["type"]}
    if flow["type"] == "payment_method_update":
        return row
    if flow["type"] not in flow:
        raise bad(f"Missing required param: flow_data[{flow['type']}].", f"flow_data[{flow['type']}]",
                  "parameter_missing")
    sub = world.get("subscription", flow[flow["type"]]["subscription"], f"flow_data[{flow['type']}][subscription]")
    if sub["customer"] != p["customer"]:
        raise refused("The subscription belongs to another customer", f"flow_data[{flow['type']}][subscription]")
    if flow["type"].startswith("subscription_update"):
        check_changeable(sub, f"flow_data[{flow['type']}][subscription]")
    if flow["type"] == "subscription_cancel":
        check_cancelable(sub, "flow_data[subscription_cancel][subscription]")
    row[flow["type"]] = {"subscription": sub["id"], **({"retention": None} if "cancel" in flow["type"] else {})}
    return row


def create(world, p):
    if "customer" not in p:
        raise bad("Missing required param: customer.", "customer", "parameter_missing")
    world.get("customer", p["customer"], "customer")
    if "configuration" in p:
        configuration = world.get("billing_portal.configuration", p["configuration"], "configuration")
    else:
        configuration = default_configuration(world)
    if not configuration["active"]:
        raise refused("This configuration is not active.", "configuration")
    return_url = p.get("return_url", configuration["default_return_url"])
    if not return_url:
        raise bad("Missing required param: return_url.", "return_url", "parameter_missing")
    ident = world.new_id("bps_1")
    row = world.put({
        "id": ident, "object": "billing_portal.session", "configuration": configuration["id"],
        "created": world.now(), "customer": p["customer"], "customer_account": None,
        "flow": flow_of(world, p, configuration),
        "livemode": False, "locale": p.get("locale"), "on_behalf_of": None, "return_url": return_url,
        "url": f"{world.base}/p/session/test_{world.new_id('', 40)}",
    })
    world.emit("billing_portal.session.created", row)
    return row


def find(world, secret):
    """The session of a page's address, or None when there is none or it is too old."""
    for row in world.all("billing_portal.session"):
        if row["url"].endswith(f"/p/session/test_{secret}"):
            return row if world.now() < row["created"] + HOUR else None
    return None


def live(world, row):
    return [sub for sub in world.all("subscription")
            if sub["customer"] == row["customer"] and sub["status"] not in subscriptions.ENDED]


def allows(world, row, action):
    """Whether the session's configuration offers this button. The default configuration offers both ways to cancel."""
    configuration = world.get("billing_portal.configuration", row["configuration"])
    features = configuration["features"]
    cancel = features["subscription_cancel"]
    both = configuration["is_default"]
    return {
        "cancel_at_period_end": cancel["enabled"] and (both or cancel["mode"] == "at_period_end"),
        "cancel_now": cancel["enabled"] and (both or cancel["mode"] == "immediately"),
        "renew": cancel["enabled"],
        "change": features["subscription_update"]["enabled"],
        "card": features["payment_method_update"]["enabled"],
        "pay": features["invoice_history"]["enabled"],
    }.get(action, False)


def offered_prices(world, row):
    update = world.get("billing_portal.configuration", row["configuration"])["features"]["subscription_update"]
    return [world.get("price", ident) for product in update["_products"] for ident in product["prices"]]


def act(world, row, action, subscription=None, price=None, card=None):
    """One button of the portal's page."""
    if not allows(world, row, action):
        raise refused("The configuration does not offer this")
    if action == "card":
        customers.attach_card(world, world.get("customer", row["customer"]), card or "good")
        return
    sub = next((sub for sub in live(world, row) if sub["id"] == subscription), None)
    if sub is None:
        raise refused("This subscription is not active any more")
    ACTIONS[action](world, row, sub, price)


def cancel_at_period_end(world, row, sub, price):
    """Flexible billing sets cancel_at and leaves cancel_at_period_end false; classic billing sets the flag."""
    flexible = sub["billing_mode"]["type"] == "flexible"
    subscriptions.update(world, {"cancel_at": "max_period_end"} if flexible else {"cancel_at_period_end": True},
                         sub["id"])


def check_changeable(sub, where=None):
    """The portal lets nobody change a subscription of several products or of metered prices; it can be canceled."""
    if len(sub["items"]["data"]) > 1 or any(tariff.is_metered(item["price"]) for item in sub["items"]["data"]):
        raise refused("This subscription cannot be updated because the subscription has multiple products or "
                      "usage-based prices.", where)


def change(world, row, sub, price):
    check_changeable(sub)
    if price not in [offer["id"] for offer in offered_prices(world, row)]:
        raise refused("This plan is not offered")
    behaviour = world.get("billing_portal.configuration", row["configuration"])["features"]["subscription_update"]
    item = sub["items"]["data"][0]
    subscriptions.update(world, {"items": [{"id": item["id"], "price": price}],
                                 "proration_behavior": behaviour["proration_behavior"]}, sub["id"])


ACTIONS = {
    "cancel_at_period_end": cancel_at_period_end,
    "cancel_now": lambda world, row, sub, price: subscriptions.cancel(world, {}, sub["id"]),
    "renew": lambda world, row, sub, price: subscriptions.update(world, {"cancel_at_period_end": False}, sub["id"]),
    "change": change,
    "pay": lambda world, row, sub, price: lifecycle.pay_open(world, sub),
}
