"""Each member of Stripe's objects is read, or tests/README.md says why it does not matter."""
import json
import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests/harness"))
import npm  # noqa: E402

SPEC = ROOT.parent / "shared" / "stripe" / "openapi.json"
# Of which the description says nothing: as the types of Stripe's own client for Node have them.
TYPED = {"dispute": ("Disputes", "Dispute"), "refund": ("Refunds", "Refund")}
DESCRIBED = ("subscription", "subscription_item", "invoice", "checkout.session", "customer")


def typed(module, interface):
    client = npm.installed(ROOT / "tests/stripe/node", ROOT / "build/stripe-client") / "node_modules/stripe"
    text = (client / f"cjs/resources/{module}.d.ts").read_text()
    body, = re.findall(r"^export interface %s \{\n(.*?)^\}" % interface, text, re.M | re.S)
    return set(re.findall(r"^    (\w+)\??: ", body, re.M))


def members(kind):
    if kind in TYPED:
        return typed(*TYPED[kind])
    if not SPEC.is_file():
        pytest.skip(f"Stripe's description of its API is not there ({SPEC})")
    return set(json.loads(SPEC.read_text())["components"]["schemas"][kind]["properties"])


def named():
    """{object: members} of the table."""
    found = {}
    for kind, cell in re.findall(r"^\| ([a-z_.]+) \| (`[^|]+`) \| \S", (ROOT / "tests/README.md").read_text(), re.M):
        found.setdefault(kind, []).extend(re.findall(r"`(\w+)`", cell))
    return found


def read():
    """The names that functions of the database take from a document."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "schema/functions").glob("*/*.sql")))
    paths = re.findall(r"#>>? '{([\w,]+)}", text) + re.findall(r"@\.([\w.\[\]*]+)", text)
    return set(re.findall(r"->>? '(\w+)'", text)) | {name for path in paths for name in re.findall(r"\w+", path)}


@pytest.mark.parametrize("kind", (*DESCRIBED, *TYPED))
def test_each_member_is_read_or_named(kind):
    assert sorted(members(kind) - read() - set(named()[kind]) - set(named()["all"])) == []


def test_a_member_is_named_once_and_there():
    for kind, names in named().items():
        assert len(names) == len(set(names)), kind
        if kind != "all":
            assert sorted(set(names) - members(kind)) == []


# Members of other objects that have the same name.
SHARED = set("amount automatic_tax created currency default_payment_method default_source default_tax_rates discounts "
             "expires_at id invoice issuer managed_payments metadata name next_action object preferred_locales reason "
             "start_date status subscription".split())


def test_what_is_named_is_not_read():
    assert sorted({name for names in named().values() for name in names} & read() - SHARED) == []


def test_a_new_member_is_seen():
    assert "made_tomorrow" not in read() | set(named()["subscription"]) and "discounts" in read()
