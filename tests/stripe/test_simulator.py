"""The simulator as Stripe's own library and Stripe's own description see it, and as a process."""
import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

import contract
from conftest import PROGRAM
from simclient import KEY, SECRET, VERSION, send

needs_spec = pytest.mark.skipif(not contract.available(), reason="Stripe's openapi.json is not in ../shared/stripe")
SAMPLES = contract.PATH.parent / "events"


@pytest.fixture
def sdk(sim):
    """The official library, talking to the simulator."""
    stripe.api_key, stripe.api_base, stripe.api_version = KEY, sim.url, VERSION
    stripe.max_network_retries = 0
    return stripe


# The SDK

def test_sdk_verifies_each_delivery(sim, sdk):
    sim.subscribe()
    sim.quiet()
    assert len(sim.hooks.caught) > 3
    for entry in sim.hooks.caught:
        assert sdk.Webhook.construct_event(entry.raw, entry.signature, SECRET).id == entry.event["id"]


def test_sdk_refuses_another_secret(sim, sdk):
    sim.subscribe()
    sim.quiet()
    entry = sim.hooks.caught[0]
    with pytest.raises(sdk.error.SignatureVerificationError):
        sdk.Webhook.construct_event(entry.raw, entry.signature, SECRET[:-1] + "0")


def test_rolled_secrets_both_sign(sim, sdk):
    endpoint = sim.get("/v1/webhook_endpoints")["data"][0]["id"]
    sim.control(f"endpoints/{endpoint}", {"secrets": ["whsec_new", SECRET]})
    sim.post("/v1/customers")
    sim.quiet()
    for secret in ("whsec_new", SECRET):
        sdk.Webhook.construct_event(sim.hooks.caught[0].raw, sim.hooks.caught[0].signature, secret)


def test_sdk_carries_the_journey(sim, sdk):
    customer = sdk.Customer.create(email="Anna@example.com", metadata={"org": "1"})
    session = sdk.checkout.Session.create(
        mode="subscription", customer=customer.id, line_items=[{"price": "price_starter", "quantity": 1}],
        success_url="http://localhost/ok", idempotency_key="one", expand=["line_items"])
    assert session.line_items.data[0].amount_total == 1900
    sim.control(f"checkout/{session.id}/pay", {})
    sub = sdk.Subscription.list(customer=customer.id).data[0]
    assert sdk.Subscription.modify(sub.id, cancel_at_period_end=True).cancel_at_period_end
    portal = sdk.billing_portal.Session.create(customer=customer.id, return_url="http://localhost/")
    assert portal.url.startswith(sim.url)
    assert sdk.Subscription.delete(sub.id).status == "canceled"
    assert sdk.Event.list(type="customer.subscription.deleted").data[0].data.object.id == sub.id


def test_sdk_maps_refusals(sim, sdk):
    with pytest.raises(sdk.error.InvalidRequestError) as refusal:
        sdk.Customer.retrieve("cus_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    sdk.api_key = "sk_test_wrong"
    with pytest.raises(sdk.error.AuthenticationError):
        sdk.Customer.list()


def test_secret_of_an_endpoint_is_told_once(sim, sdk):
    made = sdk.WebhookEndpoint.create(url=sim.hooks.url, enabled_events=["customer.created"])
    assert made.secret.startswith("whsec_") and "secret" not in sdk.WebhookEndpoint.retrieve(made.id)
    sim.post("/v1/customers")
    sim.quiet()
    assert sorted(sim.hooks.types()) == ["customer.created"] * 2


# Shapes

@needs_spec
def test_objects_are_whole(sim):
    sub = sim.subscribe(**{"subscription_data[trial_period_days]": "14"})
    sim.subscribe(client_reference_id="x" * 200)
    sim.session()
    sim.post("/v1/billing_portal/sessions", {"customer": sub["customer"], "return_url": "http://localhost/",
                                             "flow_data[type]": "subscription_cancel",
                                             "flow_data[subscription_cancel][subscription]": sub["id"]})
    sim.advance(days=60)
    for path in ("customers", "checkout/sessions", "subscriptions", "invoices", "prices", "products",
                 "billing_portal/configurations", "events"):
        for row in sim.get(f"/v1/{path}", {"limit": "100"})["data"]:
            assert contract.check_object(row) == []
    for row in sim.control("state/billing_portal.session"):
        assert contract.check_object(row) == []


@needs_spec
def test_expanded_objects_are_whole(sim):
    sub = sim.subscribe()
    for path, wanted in ((f"subscriptions/{sub['id']}",
                          ["customer", "latest_invoice.payments", "items.data.price.product"]),
                         ("checkout/sessions/" + sim.control("state/checkout.session")[0]["id"],
                          ["subscription.latest_invoice", "line_items", "invoice"])):
        row = sim.get(f"/v1/{path}", {f"expand[{n}]": name for n, name in enumerate(wanted)})
        assert contract.check_object(row) == []
        assert all(isinstance(row[name.split(".")[0]], dict) for name in wanted)


def shape(value):
    """The names in an object, at all depths, without its values."""
    if isinstance(value, dict):
        return {key: shape(child) for key, child in value.items() if key not in ("metadata", "previous_attributes")}
    return [shape(child) for child in value[:1]] if isinstance(value, list) and value else None


def names(value, path=""):
    if isinstance(value, dict):
        return {path}.union(*(names(child, f"{path}.{key}") for key, child in value.items()))
    return {path}.union(*(names(child, path + "[]") for child in value)) if isinstance(value, list) else {path}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Stripe's sample events are not in ../shared/stripe")
@pytest.mark.parametrize("version", ["2024-10-28.acacia", "2026-07-29.dahlia"])
def test_events_have_the_shape_of_their_version(sim, version):
    sim.control("settings", {"api_version": version})
    sub = sim.subscribe()
    sim.post("/v1/billing_portal/sessions", {"customer": sub["customer"], "return_url": "http://localhost/"})
    sim.post("/v1/billing_portal/configurations", {
        "features[invoice_history][enabled]": "true", "features[subscription_update][enabled]": "true",
        "features[customer_update][enabled]": "true", "features[customer_update][allowed_updates][0]": "email",
        "features[subscription_update][default_allowed_updates][0]": "price",
        "features[subscription_update][products][0][product]": sub["items"]["data"][0]["price"]["product"],
        "features[subscription_update][products][0][prices][0]": "price_starter"})
    sim.advance(days=32)
    seen = {}
    for event in sim.control("events"):
        seen.setdefault(event["type"], event)
    compared = 0
    for path in sorted(SAMPLES.glob(f"*.{version}.json")):
        sample = json.loads(path.read_text(encoding="utf-8"))
        if sample["type"] in seen:
            ours, theirs = (names(shape(event)) for event in (seen[sample["type"]], sample))
            assert {name for name in theirs - ours if not optional(name)} == set(), sample["type"]
            assert {name for name in ours - theirs if not optional(name)} == set(), sample["type"]
            compared += 1
    assert compared >= 13


def optional(name):
    """Parts that depend on what the sample customer typed, and parts that Stripe sends only on request but that are in
    the samples."""
    return name.startswith((".data.object.customer_details.address.",
                            ".data.object.features.subscription_update.products"))


def test_renewal_tells_what_was_before_in_either_shape(sim):
    for version, key in (("old", "current_period_end"), ("new", "items")):
        sim.control("reset", {})
        sim.control("settings", {"api_version": version})
        sub = sim.subscribe()
        sim.advance(days=32)
        updates = sim.control("events?type=customer.subscription.updated")
        before = [event["data"]["previous_attributes"] for event in updates
                  if "latest_invoice" in event["data"]["previous_attributes"]][0]
        assert set(before) - {"current_period_start"} == {key, "latest_invoice"}
        end = before[key] if version == "old" else before["items"]["data"][0]["current_period_end"]
        assert end == sub["items"]["data"][0]["current_period_end"]


def test_endpoint_pinned_to_a_version_gets_that_shape(sim):
    endpoint = sim.get("/v1/webhook_endpoints")["data"][0]["id"]
    sim.control(f"endpoints/{endpoint}", {"api_version": "old"})
    sim.subscribe()
    sim.quiet()
    assert "current_period_end" in sim.hooks.objects("customer.subscription.created")[0]
    assert "current_period_end" not in sim.control("events?type=customer.subscription.created")[0]["data"]["object"]


# The process

def test_log_holds_what_was_sent_but_not_the_key(sim):
    sim.call("POST", "/v1/customers", "name=J%C3%BCrgen&metadata%5Ba%5D=1", key="k")
    entry = sim.control("requests?method=POST&path=/v1/customers")[0]
    assert entry["body"] == "name=J%C3%BCrgen&metadata%5Ba%5D=1"
    assert entry["params"] == {"name": "Jürgen", "metadata": {"a": "1"}} and entry["status"] == 200
    assert entry["headers"]["idempotency-key"] == "k" and KEY not in json.dumps(entry)
    sim.control("requests", method="DELETE")
    assert sim.control("requests") == []


def test_control_refuses_nonsense(sim):
    for path, body in (("mode", b'{"speed": 1}'), ("faults", b'{"answer": "dance"}'), ("clock", b'{"advance": -1}'),
                       ("settings", b'{"api_version": "1999"}'), ("mode", b"{")):
        assert send("POST", f"{sim.url}/_sim/{path}", body).status == 400


def test_many_at_once_make_one_each(sim):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sim.call("POST", "/v1/customers", f"name={n % 10}", key=f"k{n % 10}"), range(80)))
    assert len(sim.get("/v1/customers", {"limit": "100"})["data"]) == 10


def test_help_tells_the_command_line_and_the_control_api():
    text = subprocess.run([str(PROGRAM), "--help"], capture_output=True, text=True, check=True).stdout
    assert "--webhook" in text and "/_sim/faults" in text and "SIM_KEY" in text


@pytest.fixture
def anywhere():
    """A directory that other users can read."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield name


def test_it_works_as_a_copy_run_by_anyone(anywhere):
    copy = Path(shutil.copytree(PROGRAM.parent, Path(anywhere) / "copy", ignore=shutil.ignore_patterns("__pycache__")))
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    child = subprocess.Popen([str(copy / "simulator")], stdout=subprocess.PIPE, text=True, cwd="/", **user,
                             env={"PATH": "/usr/bin:/bin"})
    assert send("GET", json.loads(child.stdout.readline())["control"]).json["key"].startswith("sk_test_")
    child.terminate()
    child.stdout.close()
    assert child.wait(5) == 0
