"""Form parameters, decoded and checked as strictly as Stripe does, against tables of one line for each parameter.

A table is text: `path type`, where the path is written `line_items[].price`, a `*` before the type means required, and
the type is one of TYPES, or its values separated by `|`. Type `!` is a parameter that Stripe has and the simulator has
no model of: it is refused, with a message that says so.
"""
import re
from urllib.parse import unquote_to_bytes

from .errors import bad, missing_param, unknown_param

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode_text(raw, what):
    if re.search(r"%(?![0-9A-Fa-f]{2})", raw):
        raise bad(f"Invalid percent-encoding in {what}")
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise bad(f"Invalid UTF-8 in {what}") from None


def pairs(form):
    """[(["line_items", "0", "price"], value), ...] in the order sent."""
    found = []
    for item in filter(None, form.split("&")):
        if "=" not in item:
            raise bad(f"Invalid form encoding: {item}")
        name, value = (decode_text(part, "the request") for part in item.split("=", 1))
        match = NAME.match(name)
        if not match:
            raise bad(f"Invalid parameter name: {name}")
        found.append(([match[1]] + re.findall(r"\[([^\[\]]*)\]", match[2]), value))
    return found


def spelled(path):
    return path[0] + "".join(f"[{key}]" for key in path[1:])


def insert(tree, path, value):
    """Puts one value into nested dicts; the keys of arrays stay text until a table says that they are arrays."""
    for depth, key in enumerate(path[:-1]):
        tree = tree.setdefault(key if key else str(len(tree)), {})
        if not isinstance(tree, dict):
            raise bad(f"Invalid object: {spelled(path[:depth + 1])}", path[0])
    key = path[-1] if path[-1] else str(len(tree))
    if key in tree:
        raise bad(f"Parameter given twice: {spelled(path)}", spelled(path))
    tree[key] = value


def decode(form):
    tree = {}
    for path, value in pairs(form):
        insert(tree, path, value)
    return tree


def read_string(value, param):
    if value == "":
        raise bad(f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
                  f"parameter; however '{param}' cannot be unset. You should remove '{param}' from your request or "
                  "supply a non-empty value.", param, "parameter_invalid_empty")
    if "\0" in value or len(value) > 5000:
        raise bad(f"Invalid string: {param} must be at most 5000 characters", param)
    return value


def read_integer(value, param):
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise bad(f"Invalid integer: {value}", param, "parameter_invalid_integer")
    return int(value)


def read_boolean(value, param):
    if value not in ("true", "false", "True", "False"):     # the last two are what Stripe's Python library sends
        raise bad(f"Invalid boolean: {value}", param)
    return value.lower() == "true"


def read_email(value, param):
    if len(read_string(value, param)) > 512 or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+|[^@\s]+@[^@\s]+", value):
        raise bad(f"Invalid email address: {value}", param, "email_invalid")
    return value


def read_url(value, param):
    if not re.fullmatch(r"https?://[^/\s?#]+[^\s]*", read_string(value, param)):
        raise bad("Not a valid URL", param, "url_invalid")
    return value


def read_metadata(value, param):
    """Keys to text; an empty value unsets its key, and "" instead of a map unsets them all."""
    if value == "":
        return ""
    if not isinstance(value, dict):
        raise bad("Invalid object", param)
    for key, text in value.items():
        if not isinstance(text, str):
            raise bad(f"Metadata values must be strings: {param}[{key}]", f"{param}[{key}]")
        if not 1 <= len(key) <= 40 or len(text) > 500:
            raise bad("Metadata keys have at most 40 characters, values at most 500", f"{param}[{key}]")
    if len(value) > 50:
        raise bad("You can have up to 50 metadata keys", param)
    return value


def read_anchor(value, param):
    """now or unchanged: a word, since 2026-09-30.endive the `type` of an object."""
    if isinstance(value, dict):
        value, param = value.get("type"), f"{param}[type]"
    if value not in ("now", "unchanged"):
        raise bad(f"Invalid {param}: must be one of now, or unchanged", param)
    return value


def at_most(length):
    """Text of a bounded length; an empty one unsets."""
    def read(value, param):
        if len(value) > length:
            raise bad(f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {length} characters", param)
        return value
    return read


TYPES = {
    "string200": lambda value, param: at_most(200)(read_string(value, param), param), "text200": at_most(200),
    "string": read_string, "integer": read_integer, "boolean": read_boolean, "email": read_email, "url": read_url,
    "text": lambda value, param: value if value == "" else read_string(value, param),     # "" unsets
    "text_email": lambda value, param: value if value == "" else read_email(value, param),  # stripe-node#1834
    "text_url": lambda value, param: value if value == "" else read_url(value, param),
    "anchor": read_anchor, "timestamp": read_integer, "metadata": read_metadata, "map": read_metadata,
}
RANGE = ("gt", "gte", "lt", "lte")


def read_choice(choices, value, param):
    if value in choices:
        return value
    if "<integer>" in choices and re.fullmatch(r"[0-9]+", value):
        return int(value)
    if "<empty>" in choices and value == "":
        return value
    names = ", ".join(choices[:-1]) + (f", or {choices[-1]}" if len(choices) > 1 else choices[0])
    raise bad(f"Invalid {param}: must be one of {names}", param)


def parse_table(text):
    """A tree of dicts; leaves are (type, required), arrays {"[]": ...}."""
    root = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        path, kind = line.split(None, 1)
        keys = path.replace("[]", ".[]").split(".")
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = (kind.lstrip("*").strip(), kind.startswith("*"))
    return root


def read_leaf(kind, value, param):
    if kind == "!":
        raise bad(f"The simulator has no model of {param}", param)
    if kind == "range":
        return read_range(value, param)
    if not isinstance(value, str) and kind not in ("metadata", "map", "anchor"):
        raise bad(f"Invalid {kind if kind in TYPES else 'string'}: {param}", param)
    if kind in TYPES:
        return TYPES[kind](value, param)
    return read_choice(kind.split("|"), value, param)


def read_range(value, param):
    if isinstance(value, str):
        value = read_integer(value, param)
        return {"gte": value, "lte": value}
    for key in value:
        if key not in RANGE:
            raise unknown_param(f"{param}[{key}]")
    return {key: read_integer(bound, f"{param}[{key}]") for key, bound in value.items()}


def read_array(node, value, param):
    if value == "":
        return []
    if not isinstance(value, dict) or sorted(value) != sorted(str(i) for i in range(len(value))):
        raise bad("Invalid array", param)
    return [read_node(node, value[str(i)], f"{param}[{i}]") for i in range(len(value))]


def read_node(node, value, param):
    if isinstance(node, tuple):
        return read_leaf(node[0], value, param)
    if "[]" in node:
        return read_array(node["[]"], value, param)
    if not isinstance(value, dict):
        raise bad("Invalid object", param)
    return read_object(node, value, param)


def read_object(node, tree, prefix=""):
    def name(key):
        return f"{prefix}[{key}]" if prefix else key
    for key in tree:
        if key not in node or key == "[]":
            raise unknown_param(name(key))
    for key, child in node.items():
        if isinstance(child, tuple) and child[1] and key not in tree:
            raise missing_param(name(key))
    return {key: read_node(node[key], value, name(key)) for key, value in tree.items()}
