"""The simulator as Stripe's SDK, Stripe's description and a lossy network see it."""
import http.client
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

import contract
from conftest import PROGRAM
from simclient import KEY, SECRET, VERSION, send

needs_spec = pytest.mark.skipif(not contract.available(), reason="Stripe's openapi.json is not in ../shared/stripe")
SAMPLES = contract.PATH.parent / "events"
LOST = (http.client.HTTPException, OSError)


@pytest.fixture
def sdk(sim):
    """The official library, talking to the simulator."""
    stripe.api_key, stripe.api_base, stripe.api_version = KEY, sim.url, VERSION
    stripe.max_network_retries = 0
    return stripe


def until(true, seconds=5):
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# The SDK

def test_sdk_verifies_each_delivery(sim, sdk):
    sim.subscribe()
    sim.quiet()
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
    for path, wanted in ((f"subscriptions/{sub['id']}", ["customer", "latest_invoice.payments", "items.data.price.product"]),
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
    """Parts whose presence depends on what the sample customer had filled in."""
    return name.startswith(".data.object.customer_details.address.")


def test_renewal_tells_what_was_before_in_either_shape(sim):
    for version, key in (("old", "current_period_end"), ("new", "items")):
        sim.control("reset", {})
        sim.control("settings", {"api_version": version})
        sub = sim.subscribe()
        sim.advance(days=32)
        before = [event["data"]["previous_attributes"] for event in sim.control("events?type=customer.subscription.updated")
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


# Idempotency

def test_same_key_repeats_the_answer(sim):
    first, second = (sim.call("POST", "/v1/customers", "name=x", key="k") for _ in range(2))
    assert first.raw == second.raw and second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Idempotent-Replayed"] is None and len(sim.get("/v1/customers")["data"]) == 1


@pytest.mark.parametrize("path, form", [("/v1/customers", "name=y"), ("/v1/billing_portal/configurations",
                                        "features[invoice_history][enabled]=true")])
def test_same_key_for_something_else_is_refused(sim, path, form):
    sim.call("POST", "/v1/customers", "name=x", key="k")
    answer = sim.call("POST", path, form, key="k")
    assert (answer.status, answer.json["error"]["type"]) == (400, "idempotency_error")


def test_failed_validation_is_not_saved(sim):
    assert sim.call("POST", "/v1/customers", "colour=x", key="k").status == 400
    assert sim.call("POST", "/v1/customers", "name=x", key="k").status == 200


def test_refusal_after_execution_began_is_saved(sim):
    form = "customer=cus_nobody&return_url=http://x.example/"
    answers = [sim.call("POST", "/v1/billing_portal/sessions", form, key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [400, 400]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_key_in_use_is_409(sim):
    sim.control("faults", {"method": "POST", "answer": "real", "before": 0.5})
    with ThreadPoolExecutor() as pool:
        first = pool.submit(sim.call, "POST", "/v1/customers", "name=x", "k")
        until(lambda: sim.control("requests"))
        second = sim.call("POST", "/v1/customers", "name=x", key="k")
        assert (second.status, second.json["error"]["code"]) == (409, "idempotency_key_in_use")
        assert first.result().status == 200
    assert sim.call("POST", "/v1/customers", "name=x", key="k").raw == first.result().raw


def test_keys_are_forgotten_after_a_day(sim):
    sim.call("POST", "/v1/customers", "name=x", key="k")
    sim.advance(days=1)
    assert sim.call("POST", "/v1/customers", "name=y", key="k").status == 200


def test_keys_mean_nothing_to_get(sim):
    assert [sim.call("GET", "/v1/customers", f"limit={n}", key="k").status for n in (1, 2)] == [200, 200]


# Deliveries

def test_refused_delivery_is_repeated_and_signed_anew(sim, sdk):
    sim.hooks.statuses[:] = [500, 302]
    sim.post("/v1/customers")
    sim.quiet()
    assert [entry.status for entry in sim.hooks.caught] == [500, 302, 200]
    assert len({entry.raw for entry in sim.hooks.caught}) == 1
    sdk.Webhook.construct_event(sim.hooks.caught[2].raw, sim.hooks.caught[2].signature, SECRET)


def test_delivery_is_given_up_and_listed_as_failed(sim):
    sim.control("mode", {"retries": [0.01, 0.01]})
    sim.hooks.statuses[:] = [500] * 3
    ident = sim.post("/v1/customers")["id"]
    sim.quiet()
    failed = sim.get("/v1/events", {"delivery_success": "false"})["data"]
    assert [event["data"]["object"]["id"] for event in failed] == [ident]
    assert sim.control("deliveries")[0]["statuses"] == [500] * 3
    assert sim.get("/v1/events", {"delivery_success": "true"})["data"] == []


def test_hold_keeps_deliveries_back(sim):
    sim.control("mode", {"hold": True})
    sim.subscribe()
    time.sleep(0.1)
    assert sim.hooks.caught == [] and sim.control("pending")["pending"] > 10
    sim.control("mode", {"hold": False})
    sim.quiet()
    assert len(sim.hooks.caught) > 10


def test_duplicate_delivers_each_event_again(sim):
    sim.control("mode", {"duplicate": 1})
    sim.subscribe()
    sim.quiet()
    ids = [entry.event["id"] for entry in sim.hooks.caught]
    assert len(ids) == 2 * len(set(ids)) == 2 * len(sim.control("events"))


@pytest.mark.parametrize("mode", [{"shuffle": 0.3}, {"reverse": 0.2}])
def test_order_can_be_spoilt(sim, mode):
    sim.control("mode", {**mode, "parallel": 1})
    sim.subscribe()
    sim.quiet()
    sent = [event["id"] for event in sim.control("events")][::-1]
    got = [entry.event["id"] for entry in sim.hooks.caught]
    assert sorted(got) == sorted(sent) and got != sent
    assert "reverse" not in mode or got == sent[::-1]


def test_delay_waits(sim):
    sim.control("mode", {"delay": 0.3})
    begun = time.monotonic()
    sim.post("/v1/customers")
    sim.quiet()
    assert time.monotonic() - begun >= 0.3


def test_dropped_delivery_is_repeated(sim):
    sim.control("mode", {"drop": 1})
    sim.post("/v1/customers")
    sim.quiet()
    assert sim.control("deliveries")[0]["statuses"] == ["dropped", 200] and len(sim.hooks.caught) == 1


def test_event_can_be_sent_again_and_made_up(sim):
    sim.post("/v1/customers")
    sim.quiet()
    first = sim.hooks.caught[0].event["id"]
    sim.control("resend", {"event": first, "times": 2})
    sim.control("emit", {"type": "future.thing", "livemode": True, "object": {"id": "fut_1", "object": "future"}})
    sim.quiet()
    assert [entry.event["id"] for entry in sim.hooks.caught].count(first) == 3
    made = [entry.event for entry in sim.hooks.caught if entry.event["type"] == "future.thing"][0]
    assert made["livemode"] is True and made["data"]["object"]["id"] == "fut_1"


def test_event_names_the_request_that_caused_it(sim):
    answer = sim.call("POST", "/v1/customers", "name=x", key="k-1")
    request = sim.control("events")[0]["request"]
    assert request == {"id": answer.headers["Request-Id"], "idempotency_key": "k-1"}


# Faults

def fault(sim, **what):
    sim.control("faults", {"method": "POST", "path": "/v1/customers", **what})


def customers(sim):
    return len(sim.get("/v1/customers")["data"])


def test_fault_500_without_effect_happens_once(sim):
    fault(sim, status=500)
    assert [sim.call("POST", "/v1/customers", "name=x", key="k").status for _ in range(2)] == [500, 200]
    assert customers(sim) == 1


def test_fault_502_after_the_effect_repeats_the_true_answer(sim):
    fault(sim, status=502, effect=True, body="<h1>Bad gateway</h1>")
    assert [sim.call("POST", "/v1/customers", "name=x", key="k").status for _ in range(2)] == [502, 200]
    assert customers(sim) == 1


def test_fault_500_after_the_effect_is_what_stripe_repeats(sim):
    fault(sim, status=500, effect=True)
    answers = [sim.call("POST", "/v1/customers", "name=x", key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [500, 500] and customers(sim) == 1
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_fault_429_carries_its_headers(sim):
    fault(sim, status=429, headers={"Retry-After": "3", "Stripe-Should-Retry": "true"})
    answer = sim.call("POST", "/v1/customers", "name=x")
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Stripe-Should-Retry"]) == (429, "3", "true")


@pytest.mark.parametrize("effect, made", [(False, 0), (True, 1)])
@pytest.mark.parametrize("answer", ["hang", "close", "partial"])
def test_fault_loses_the_answer(sim, answer, effect, made):
    fault(sim, answer=answer, effect=effect)
    with pytest.raises(LOST):
        sim.call("POST", "/v1/customers", "name=x", key="k", timeout=0.3)
    assert customers(sim) == (1 if answer == "partial" else made)
    assert sim.call("POST", "/v1/customers", "name=x", key="k").status == 200
    assert customers(sim) == 1


def test_fault_answers_late_with_the_effect_done(sim):
    fault(sim, answer="real", after=1)
    with pytest.raises(LOST):
        sim.call("POST", "/v1/customers", "name=x", key="k", timeout=0.2)
    assert customers(sim) == 1
    assert sim.call("POST", "/v1/customers", "name=x", key="k").headers["Idempotent-Replayed"] == "true"


def test_fault_truncates_json(sim):
    fault(sim, answer="truncate")
    request = http.client.HTTPConnection(sim.url.removeprefix("http://"))
    request.request("POST", "/v1/customers", "name=x", {"Authorization": f"Bearer {KEY}", "Stripe-Version": VERSION,
                                                       "Content-Type": "application/x-www-form-urlencoded"})
    answer = request.getresponse()
    with pytest.raises(ValueError):
        json.loads(answer.read())
    request.close()
    assert answer.status == 200


def test_fault_answers_html(sim):
    fault(sim, answer="html")
    answer = sim.call("POST", "/v1/customers", "name=x")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")


def test_fault_overwrites_a_field(sim):
    sim.control("faults", {"path": "/v1/checkout/sessions", "answer": "real", "set": {"url": "https://evil.example/"}})
    assert sim.session()["url"] == "https://evil.example/"
    assert sim.session()["url"].startswith(sim.url)


def test_faults_count_and_skip(sim):
    fault(sim, status=503, skip=1, times=2)
    assert [sim.call("POST", "/v1/customers", "name=x").status for _ in range(4)] == [200, 503, 503, 200]


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


def test_it_works_as_a_copy_run_by_anyone(tmp_path):
    import os
    import shutil
    copy = Path(shutil.copytree(PROGRAM.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__")))
    os.chmod(tmp_path, 0o755)
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    reachable = all(os.stat(parent).st_mode & 0o005 == 0o005 for parent in copy.parents)
    if not reachable:
        user = {}
    child = subprocess.Popen([str(copy / "simulator")], stdout=subprocess.PIPE, text=True, cwd="/", **user,
                             env={"PATH": "/usr/bin:/bin"})
    assert send("GET", json.loads(child.stdout.readline())["control"]).json["key"].startswith("sk_test_")
    child.terminate()
    child.stdout.close()
    assert child.wait(5) == 0
