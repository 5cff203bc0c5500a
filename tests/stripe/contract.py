"""Stripe's own description of its API (openapi.json), asked two questions: is a request allowed, is an object whole.

The description is no part of this repository; available() says whether it lies beside it, in ../shared/stripe.
"""
import json
import re
from functools import lru_cache
from pathlib import Path

from sim.errors import ApiError
from sim.parameters import decode, spelled

PATH = Path(__file__).resolve().parents[3] / "shared" / "stripe" / "openapi.json"
FORM = "application/x-www-form-urlencoded"


# What the description at hand lacks, as stripe-node's types have it: the parameters that we send.
LACKING = {("POST", "/v1/invoices/create_preview"): ("subscription",),
           ("POST", "/v1/subscriptions/[^/]+/resume"): ("billing_cycle_anchor", "proration_behavior"),
           ("GET", "/v1/billing/meters"): ("limit", "starting_after", "status"),
           ("GET", "/v1/billing/meters/[^/]+/event_summaries"): (
               "customer", "start_time", "end_time", "value_grouping_window", "limit", "starting_after")}


def available():
    return PATH.is_file()


@lru_cache(maxsize=1)
def spec():
    return json.loads(PATH.read_text(encoding="utf-8"))


def operation(method, path):
    """The description of a call by its real path, or None."""
    for template, methods in sorted(spec()["paths"].items(), key=lambda entry: "{" in entry[0]):
        pattern = re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in methods:
            return methods[method.lower()]
    return None


def lacking(method, path):
    names = next((names for (verb, pattern), names in LACKING.items()
                  if verb == method and re.fullmatch(pattern, path)), None)
    return names and {"requestBody": {"content": {FORM: {"schema": {
        "type": "object", "properties": {name: {"type": "string"} for name in names}}}}}}


def parameters(described, method):
    """One object schema of everything the call takes besides the ids in its path."""
    if method.upper() == "POST":
        return described["requestBody"]["content"][FORM]["schema"] if "requestBody" in described else {"properties": {}}
    found = {"type": "object", "properties": {}, "required": []}
    for parameter in described.get("parameters", []):
        if parameter["in"] == "query":
            found["properties"][parameter["name"]] = parameter["schema"]
            found["required"] += [parameter["name"]] if parameter.get("required") else []
    body = described.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema", {})
    found["properties"].update(body.get("properties", {}))      # of a DELETE, which travel in its query string
    return found


def check_request(method, path, params):
    """Faults of a call, as sentences; none when Stripe's description allows it. params: the form's or query's text, or
    nested dicts as the simulator's log has them."""
    described = operation(method, path) or lacking(method, path)
    if described is None:
        return [f"{method} {path}: no such call"]
    try:
        tree = decode(params) if isinstance(params, str) else params or {}
    except ApiError as refusal:
        return [f"{method} {path}: {refusal}"]
    return [f"{method} {path}: {fault}" for fault in form_faults(parameters(described, method), tree, [])]


def form_faults(schema, value, path):
    """Faults of a decoded form value, whose leaves are all text."""
    if "$ref" in schema:
        schema = spec()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        tries = [form_faults(option, value, path) for option in schema["anyOf"]]
        return [] if schema.get("nullable") and value == "" else min(tries, key=len)
    name = spelled(path) if path else "parameters"
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if kind == "object":
        return object_faults(schema, value, path, name)
    if kind == "array":
        if not isinstance(value, dict):
            return [] if value == "" else [f"{name} is not an array"]
        return [fault for key, item in value.items() for fault in form_faults(schema["items"], item, path + [key])]
    if not isinstance(value, str):
        return [f"{name} is not a {kind}"]
    return leaf_faults(schema, kind, value, name)


def object_faults(schema, value, path, name):
    if not isinstance(value, dict):
        return [] if value == "" and schema.get("nullable") else [f"{name} is not an object"]
    known, open_to = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{name} lacks {key}" for key in schema.get("required", []) if key not in value]
    for key, child in value.items():
        if key in known:
            found += form_faults(known[key], child, path + [key])
        elif isinstance(open_to, dict):
            found += form_faults(open_to, child, path + [key])
        elif open_to is not True:
            found.append(f"{spelled(path + [key])} is unknown")
    return found


def leaf_faults(schema, kind, value, name):
    if value == "" and (schema.get("nullable") or "" in schema.get("enum", [])):
        return []
    patterns = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "true|false"}
    if kind in patterns and not re.fullmatch(patterns[kind], value):
        return [f"{name} is not a {kind}: {value}"]
    if "enum" in schema and value not in map(str, schema["enum"]):
        return [f"{name} is none of the values allowed: {value}"]
    if len(value) > schema.get("maxLength", 5000):
        return [f"{name} is too long"]
    return []


def check_object(row, kind=None):
    """Faults of an answered object against its component."""
    return row_faults({"$ref": f"#/components/schemas/{kind or row['object']}"}, row, row.get("id", kind or "object"))


TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}


def row_faults(schema, value, name):
    if "$ref" in schema:
        schema = {**spec()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]],
                  **({"nullable": True} if schema.get("nullable") else {})}
    if value is None:
        return [] if schema.get("nullable") else [f"{name} is null"]
    if "anyOf" in schema:
        return min((row_faults(option, value, name) for option in schema["anyOf"]), key=len)
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{name} is not a {kind}: {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{name} is none of the values allowed: {value!r}"]
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in row_faults(schema.get("items", {}), item,
                                                                              f"{name}[{n}]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = [f"{name}.{key} is missing" for key in schema.get("required", []) if key not in value]
    for key, child in value.items():
        if key in schema["properties"]:
            found += row_faults(schema["properties"][key], child, f"{name}.{key}")
        elif not schema.get("additionalProperties", False) and not schema.get("title", "").endswith("(trimmed stub)"):
            found.append(f"{name}.{key} is unknown")
    return found
