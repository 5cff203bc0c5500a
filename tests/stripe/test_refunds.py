"""What goes back to customers: refunds, disputes, paused collection; and events that a test delivers itself."""
import json

import pytest


def charge_of(sim, sub):
    intent = sim.get("/v1/invoice_payments", {"invoice": sub["latest_invoice"]})["data"][0]["payment"]["payment_intent"]
    return sim.get("/v1/charges", {"payment_intent": intent})["data"][0]


def test_refund_in_parts_until_nothing_is_left(sim):
    charge = charge_of(sim, sim.subscribe())
    assert (charge["amount"], charge["refunded"]) == (1900, False) and "invoice" not in charge
    assert sim.post("/v1/refunds", {"charge": charge["id"], "amount": "900"})["status"] == "succeeded"
    assert sim.post("/v1/refunds", {"payment_intent": charge["payment_intent"]})["amount"] == 1000
    after = sim.get(f"/v1/charges/{charge['id']}")
    assert (after["amount_refunded"], after["refunded"]) == (1900, True)
    sim.quiet()
    refunded = sorted(row["amount_refunded"] for row in sim.hooks.objects("charge.refunded"))
    assert refunded == [900, 1900]      # in any order
    assert len(sim.get("/v1/refunds", {"charge": charge["id"]})["data"]) == 2


@pytest.mark.parametrize("form, param, code", [
    ({}, "charge", "parameter_missing"), ({"charge": "ch_no"}, "charge", "resource_missing"),
    ({"amount": "1901"}, "amount", None), ({"amount": "0"}, "amount", None),
    ({"payment_intent": "pi_1"}, "charge", "parameters_exclusive"), ({"colour": "red"}, "colour", "parameter_unknown")])
def test_refunds_refused(sim, form, param, code):
    charge = charge_of(sim, sim.subscribe())
    answer = sim.call("POST", "/v1/refunds", form and {"charge": charge["id"], **form})
    error = answer.json["error"]
    assert (answer.status, error.get("param"), error.get("code")) == (400, param, code), error


def test_a_charge_names_its_invoice_in_the_old_shape_only(sim):
    sub = sim.subscribe()
    charge = charge_of(sim, sub)
    old = sim.call("GET", f"/v1/charges/{charge['id']}", Stripe_Version="2024-10-28.acacia").json
    assert old["invoice"] == sub["latest_invoice"]


@pytest.mark.parametrize("won", [True, False])
def test_dispute_from_beginning_to_end(sim, won):
    charge = charge_of(sim, sim.subscribe())
    dispute = sim.control(f"charges/{charge['id']}/dispute", {})
    assert sim.get(f"/v1/charges/{charge['id']}")["disputed"]
    assert sim.call("POST", "/v1/refunds", {"charge": charge["id"]}).json["error"]["code"] == "charge_disputed"
    sim.control(f"disputes/{dispute['id']}/close", {"won": won})
    assert sim.get(f"/v1/disputes/{dispute['id']}")["status"] == ("won" if won else "lost")
    sim.quiet()
    told = [kind for kind in sim.hooks.types() if kind.startswith("charge.dispute.")]
    assert sorted(told) == sorted(["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"]
                                  + ["charge.dispute.funds_reinstated"] * won)


@pytest.mark.parametrize("behavior, status", [("void", "void"), ("mark_uncollectible", "uncollectible"),
                                              ("keep_as_draft", "draft")])
def test_paused_collection_renews_and_takes_nothing(sim, behavior, status):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/pause", {"behavior": behavior})
    sim.advance(days=32)
    now = sim.get(f"/v1/subscriptions/{sub['id']}")
    assert (now["status"], now["pause_collection"]["behavior"]) == ("active", behavior)
    assert sim.get(f"/v1/invoices/{now['latest_invoice']}")["status"] == status
    sim.control(f"subscriptions/{sub['id']}/unpause", {})
    sim.advance(days=31)
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["pause_collection"] is None
    assert sim.get("/v1/invoices", {"status": "paid"})["data"][0]["billing_reason"] == "subscription_cycle"


def test_manual_events_wait_to_be_taken_and_stay_undelivered_until_told(sim):
    sim.control("mode", {"manual": True})
    sim.subscribe()
    taken = sim.control("take", {})
    assert {"customer.created", "checkout.session.completed"} <= {one["type"] for one in taken}
    assert [json.loads(one["payload"])["id"] for one in taken] == [one["event"] for one in taken]
    assert sim.control("take", {}) == [] and sim.hooks.caught == []
    sim.control("delivered", {"events": [taken[0]["event"]]})
    lost = sim.get("/v1/events", {"delivery_success": "false", "limit": "100"})["data"]
    assert {row["id"] for row in lost} == {one["event"] for one in taken[1:]}
