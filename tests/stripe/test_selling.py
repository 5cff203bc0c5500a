"""Products, prices and meters made over the API."""
import pytest

PRODUCT = {"id": "pro", "name": "Pro"}
PRICE = {"product": "pro", "unit_amount": "1900", "currency": "eur", "recurring[interval]": "month",
         "lookup_key": "pro_monthly"}
METER = {"display_name": "Tokens", "event_name": "tokens", "default_aggregation[formula]": "sum"}


def test_a_price_is_found_by_its_lookup_key(sim):
    sim.post("/v1/products", PRODUCT)
    made = sim.post("/v1/prices", PRICE)
    found = sim.get("/v1/prices", {"lookup_keys[0]": "pro_monthly"})["data"]
    assert [(row["id"], row["unit_amount"], row["recurring"]["interval"]) for row in found] == [
        (made["id"], 1900, "month")]


def test_a_lookup_key_moves_only_when_asked_to(sim):
    sim.post("/v1/products", PRODUCT)
    old = sim.post("/v1/prices", PRICE)["id"]
    assert sim.call("POST", "/v1/prices", {**PRICE, "unit_amount": "2900"}).status == 400
    new = sim.post("/v1/prices", {**PRICE, "unit_amount": "2900", "transfer_lookup_key": "true"})["id"]
    assert [sim.get(f"/v1/prices/{ident}")["lookup_key"] for ident in (old, new)] == [None, "pro_monthly"]


def test_the_amount_of_a_price_is_for_ever(sim):
    assert sim.call("POST", "/v1/prices/price_starter", "unit_amount=1").json["error"]["code"] == "parameter_unknown"
    assert sim.post("/v1/prices/price_starter", "active=false")["active"] is False


@pytest.mark.parametrize("path, form, param", [
    ("products", {}, "name"), ("prices", {"product": "prod_no", "unit_amount": "1", "currency": "eur"}, "product"),
    ("prices", {"unit_amount": "1", "currency": "eur"}, "product"),
    ("prices", {"product": "x", "currency": "eur"}, "unit_amount"), ("prices", {"product": "x", "unit_amount": "1"},
                                                                     "currency"),
    ("billing/meters", {"display_name": "x", "event_name": "x"}, "default_aggregation"),
    ("billing/meters", {**METER, "default_aggregation[formula]": "most"}, "default_aggregation[formula]")])
def test_what_is_missing_or_wrong_is_refused(sim, path, form, param):
    refusal = sim.call("POST", f"/v1/{path}", form)
    assert (refusal.status, refusal.json["error"]["param"]) == (400, param)


def test_an_id_is_taken_once(sim):
    assert [sim.call("POST", "/v1/products", PRODUCT).status for _ in range(2)] == [200, 400]


def test_an_active_meter_is_the_only_one_of_its_name(sim):
    ident = sim.post("/v1/billing/meters", METER)["id"]
    assert sim.call("POST", "/v1/billing/meters", METER).status == 400
    sim.post(f"/v1/billing/meters/{ident}/deactivate")
    assert sim.call("POST", "/v1/billing/meters", METER).status == 200
    assert len(sim.get("/v1/billing/meters", "status=active")["data"]) == 1
