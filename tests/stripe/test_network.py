"""Retries, deliveries and faults: Stripe behind an unreliable network."""
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from simclient import KEY, SECRET, VERSION

LOST = (http.client.HTTPException, OSError)


def until(true, seconds=5):
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


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

def test_refused_delivery_is_repeated_and_signed_anew(sim):
    sim.hooks.statuses[:] = [500, 302]
    sim.post("/v1/customers")
    sim.quiet()
    assert [entry.status for entry in sim.hooks.caught] == [500, 302, 200]
    assert len({entry.raw for entry in sim.hooks.caught}) == 1
    stripe.Webhook.construct_event(sim.hooks.caught[2].raw, sim.hooks.caught[2].signature, SECRET)


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
