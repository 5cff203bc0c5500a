"""Answers made of several objects: pages of a list, search results, and expansion of ids into objects."""
import base64
from copy import deepcopy

from .errors import bad, refused

KINDS = {
    "charge": "charge", "schedule": "subscription_schedule",
    "configuration": "billing_portal.configuration", "customer": "customer",
    "default_payment_method": "payment_method",
    "default_price": "price", "invoice": "invoice", "latest_invoice": "invoice", "payment_intent": "payment_intent",
    "product": "product", "subscription": "subscription",
}
MAX_DEPTH = 4


def read_limit(p):
    limit = p.get("limit", 10)
    if not 1 <= limit <= 100:
        raise bad(f"This value must be {'greater' if limit < 1 else 'less'} than or equal to {1 if limit < 1 else 100} "
                  f"(you passed {limit}).", "limit", "parameter_invalid_integer")
    return limit


def search_page(rows, p, url):
    """A page of a search, newest first. What follows it is named by an opaque text, not by an id."""
    limit = read_limit(p)
    start = 0
    if "page" in p:
        try:
            start = int(base64.urlsafe_b64decode(p["page"]).decode().removeprefix("from:"))
        except ValueError:
            raise bad(f"Invalid page: {p['page']}", "page") from None
    more = start + limit < len(rows)
    following = base64.urlsafe_b64encode(f"from:{start + limit}".encode()).decode() if more else None
    return {"object": "search_result", "data": rows[start:start + limit], "has_more": more, "next_page": following,
            "url": url}


def page(world, objects, p, url):
    """objects: oldest first, already filtered. Stripe lists newest first."""
    limit = read_limit(p)
    if "starting_after" in p and "ending_before" in p:
        raise bad("You can only specify one of starting_after and ending_before", "starting_after",
                  "parameters_exclusive")
    rows = list(reversed(objects))
    ids = [row["id"] for row in rows]
    start, end = 0, len(rows)
    for param in ("starting_after", "ending_before"):
        if param in p and p[param] not in ids:
            raise refused(f"No such object: '{p[param]}'", param, "resource_missing")
    if "starting_after" in p:
        start = ids.index(p["starting_after"]) + 1
    if "ending_before" in p:
        end = ids.index(p["ending_before"])
        start = max(0, end - limit)
        return {"object": "list", "data": rows[start:end], "has_more": start > 0, "url": url}
    return {"object": "list", "data": rows[start:start + limit], "has_more": start + limit < end, "url": url}


def in_range(value, bounds):
    if value is None:
        return not bounds
    return all({"gt": value > n, "gte": value >= n, "lt": value < n, "lte": value <= n}[op]
               for op, n in bounds.items())


def matching(objects, p, *fields, **derived):
    """Objects whose fields equal (or, for ranges, lie within) the parameters of the same names."""
    def fits(row):
        for name in fields:
            if name in p and row.get(name) != p[name]:
                return False
        if "created" in p and not in_range(row["created"], p["created"]):
            return False
        return all(derive(row, p[name]) for name, derive in derived.items() if name in p)
    return [row for row in objects if fits(row)]


def included(world, row, name):
    """Fields that are left out unless asked for."""
    if row.get("object") == "checkout.session" and name == "line_items":
        return world.line_items[row["id"]]
    if row.get("object") == "invoice" and name == "payments":
        data = [pay for pay in world.all("invoice_payment") if pay["invoice"] == row["id"]]
        return {"object": "list", "data": data, "has_more": False, "url": f"/v1/invoice_payments?invoice={row['id']}"}
    if name == "products" and "_products" in row:
        return row["_products"]
    return None


def expand_one(world, row, keys, path):
    if isinstance(row, list):
        for child in row:
            expand_one(world, child, keys, path)
        return
    if row is None or not keys:
        return
    name, rest = keys[0], keys[1:]
    if name == "tiers" and isinstance(row, dict) and row.get("object") == "price":
        row.update({"tiers": deepcopy(row["_tiers"])} if row["_tiers"] else {})    # a price without tiers says nothing
        return
    if not isinstance(row, dict) or (name not in row and included(world, row, name) is None):
        raise bad(f"This property cannot be expanded ({path}).", "expand")
    if name == "discounts" and isinstance(row.get(name), list):
        row[name] = [deepcopy(world.objects["discount"][one]) if isinstance(one, str) else one for one in row[name]]
    elif name not in row:
        row[name] = deepcopy(included(world, row, name))
    elif isinstance(row[name], str):
        if name not in KINDS:
            raise bad(f"This property cannot be expanded ({path}).", "expand")
        row[name] = deepcopy(world.objects[KINDS[name]][row[name]])
    elif not rest and name not in KINDS and not isinstance(row[name], (dict, list)):
        raise bad(f"This property cannot be expanded ({path}).", "expand")
    expand_one(world, row[name], rest, path)


def expanded(world, answer, paths):
    """A copy of the answer with the named ids replaced by their objects."""
    answer = deepcopy(answer)
    for path in paths:
        keys = path.split(".")
        if len(keys) > MAX_DEPTH:
            raise bad(f"You cannot expand more than {MAX_DEPTH} levels of a property", "expand")
        expand_one(world, answer, keys, path)
    return answer
