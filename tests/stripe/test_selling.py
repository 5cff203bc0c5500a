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


TIERS = {"product": "pro", "currency": "eur", "recurring[interval]": "month", "recurring[usage_type]": "metered",
         "billing_scheme": "tiered", "tiers_mode": "graduated", "lookup_key": "pro_tokens", "tiers[0][up_to]": "1000",
         "tiers[0][unit_amount]": "0", "tiers[1][up_to]": "inf", "tiers[1][unit_amount_decimal]": "0.25"}


def metered(sim, **more):
    """A price whose first 1,000 units are free; after them a unit is a quarter of a cent."""
    sim.call("POST", "/v1/products", PRODUCT)
    meter = sim.call("POST", "/v1/billing/meters", METER)
    ident = meter.json["id"] if meter.status == 200 else sim.get("/v1/billing/meters", "status=active")["data"][0]["id"]
    return {**TIERS, "recurring[meter]": ident, **more}


def without(form, *names):
    return {name: value for name, value in form.items() if not name.startswith(names)}


def test_c76_a_metered_price_has_tiers_that_are_shown_when_asked_for(sim):
    made = sim.post("/v1/prices", {**metered(sim), "expand[0]": "tiers"})
    assert [(tier["up_to"], tier["unit_amount"], tier["unit_amount_decimal"]) for tier in made["tiers"]] == [
        (1000, 0, "0"), (None, None, "0.25")]
    assert (made["unit_amount"], made["unit_amount_decimal"], made["tiers_mode"]) == (None, None, "graduated")
    found = sim.get("/v1/prices", {"lookup_keys[0]": "pro_tokens"})["data"][0]
    assert "tiers" not in found and found["recurring"]["meter"] == made["recurring"]["meter"]
    plain = {**without(metered(sim), "tiers", "billing", "lookup"), "unit_amount_decimal": "0.500"}
    flat = sim.post("/v1/prices", plain)
    assert (flat["unit_amount"], flat["unit_amount_decimal"]) == (None, "0.5")


@pytest.mark.parametrize("change, drop, param", [
    ({}, "recurring[meter]", "recurring[meter]"), ({"recurring[usage_type]": "licensed"}, "-", "recurring[meter]"),
    ({"unit_amount": "1"}, "-", "unit_amount"), ({}, "tiers_mode", "tiers_mode"), ({}, "billing_scheme", "tiers"),
    ({"tiers[1][up_to]": "2000"}, "-", "tiers"), ({"tiers[0][up_to]": "inf"}, "-", "tiers"),
    ({"tiers[1][unit_amount]": "1"}, "-", "tiers[1][unit_amount]"), ({}, "tiers[1][unit", "tiers[1]"),
    ({"tiers[1][unit_amount_decimal]": "0.0000000000001"}, "-", "tiers[1][unit_amount_decimal]"),
    ({}, "tiers[1][up_to]", "tiers[1][up_to]")])
def test_c76_tiers_that_are_no_tiers_are_refused(sim, change, drop, param):
    refusal = sim.call("POST", "/v1/prices", {**without(metered(sim), drop), **change})
    assert (refusal.status, refusal.json["error"]["param"]) == (400, param)


def test_c76_a_meter_that_was_deactivated_sells_nothing(sim):
    form = metered(sim)
    sim.post(f"/v1/billing/meters/{form['recurring[meter]']}/deactivate")
    assert sim.call("POST", "/v1/prices", form).json["error"]["param"] == "recurring[meter]"


def bought(sim, session="", **more):
    """(subscription, customer) of a plan with a metered price beside it."""
    price = sim.post("/v1/prices", metered(sim, currency="usd"))["id"]
    lines = "line_items[0][price]=price_starter&line_items[0][quantity]=1&line_items[1][price]=" + price
    made = sim.post("/v1/checkout/sessions", "mode=subscription&success_url=https://a.example/&" + lines + session)
    assert made["amount_total"] == 1900
    sim.control(f"checkout/{made['id']}/pay", {"card": "good", "email": "a@example.com"})
    sub = sim.get("/v1/subscriptions")["data"][0]
    return sub, sub["customer"]


def use(sim, customer, units, **more):
    sim.post("/v1/billing/meter_events", {"event_name": "tokens", "payload[stripe_customer_id]": customer,
                                          "payload[value]": str(units), **more})


def lines_of(sim, subscription):
    """[(amount, units, when it begins)] of the latest invoice."""
    row = sim.get("/v1/invoices", {"subscription": subscription})["data"][0]
    return [(line["amount"], line["quantity"], line["period"]["start"]) for line in row["lines"]["data"]], row


def test_c76_what_a_meter_counted_is_on_the_invoice_of_the_ended_period(sim):
    sub, customer = bought(sim)
    metered_item = sub["items"]["data"][1]
    assert "quantity" not in metered_item and sub["items"]["data"][0]["quantity"] == 1
    use(sim, customer, 1500)
    use(sim, customer, 2)
    start, end = metered_item["current_period_start"], metered_item["current_period_end"]
    preview = sim.post("/v1/invoices/create_preview", {"subscription": sub["id"]})
    assert preview["amount_due"] == 1900 + 126        # 502 at a quarter of a cent are 125.5 cents, rounded up
    sim.advance(to=end + 60)
    use(sim, customer, 4, timestamp=str(end - 1))     # late, while the invoice is a draft
    use(sim, customer, 7000)                          # of the next period
    sim.advance(advance=7200)
    lines, invoice = lines_of(sim, sub["id"])
    assert lines == [(0, 1000, start), (127, 506, start), (1900, 1, end)]
    assert (invoice["amount_due"], invoice["status"]) == (2027, "paid")


def test_c76_a_metered_item_has_no_quantity_and_its_subscription_no_change_in_the_portal(sim):
    sub, customer = bought(sim)
    price = sub["items"]["data"][1]["price"]["id"]
    lines = f"mode=subscription&success_url=https://a.example/&line_items[0][price]={price}"
    assert sim.call("POST", "/v1/checkout/sessions", lines + "&line_items[0][quantity]=1").json["error"]["param"] == \
        "line_items[0][quantity]"
    assert sim.call("POST", "/v1/checkout/sessions", lines).status == 200
    item = sub["items"]["data"][1]["id"]
    assert sim.call("POST", f"/v1/subscriptions/{sub['id']}", {"items[0][id]": item, "items[0][quantity]": "2"}
                    ).json["error"]["param"] == "items[0][quantity]"
    sim.control("portal", {})
    flow = {"customer": customer, "return_url": "https://a.example/", "flow_data[type]": "subscription_update",
            "flow_data[subscription_update][subscription]": sub["id"]}
    assert "usage-based" in sim.call("POST", "/v1/billing_portal/sessions", flow).json["error"]["message"]


def test_c76_a_subscription_that_ends_is_billed_what_it_used(sim):
    sub, customer = bought(sim)
    use(sim, customer, 1400)
    sim.post(f"/v1/subscriptions/{sub['id']}", "cancel_at_period_end=true")
    end = sub["items"]["data"][0]["current_period_end"]
    sim.advance(to=end + 7200)
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "canceled"
    lines, invoice = lines_of(sim, sub["id"])
    assert [line[:2] for line in lines] == [(0, 1000), (100, 400)] and invoice["status"] == "paid"


@pytest.mark.parametrize("query, amounts", [("?invoice_now=true", [(0, 1000), (100, 400)]), ("", [(1900, 1)])])
def test_c76_one_that_is_ended_at_once_is_billed_what_it_used_only_if_that_is_asked_for(sim, query, amounts):
    sub, customer = bought(sim)
    use(sim, customer, 1400)
    sim.advance(advance=60)
    assert sim.call("DELETE", f"/v1/subscriptions/{sub['id']}{query}").json["status"] == "canceled"
    sim.advance(advance=7200)
    lines, invoice = lines_of(sim, sub["id"])
    assert [line[:2] for line in lines] == amounts and invoice["status"] == "paid"


def test_c76_nothing_is_paid_for_use_during_a_trial(sim):
    price = sim.post("/v1/prices", metered(sim, currency="usd"))["id"]
    made = sim.post("/v1/checkout/sessions", "mode=subscription&success_url=https://a.example/"
                    f"&line_items[0][quantity]=1&line_items[0][price]=price_starter&line_items[1][price]={price}"
                    "&subscription_data[trial_period_days]=7")
    sim.control(f"checkout/{made['id']}/pay", {"card": "good", "email": "a@example.com"})
    sub = sim.get("/v1/subscriptions")["data"][0]
    use(sim, sub["customer"], 5000)
    sim.advance(advance=7 * 86400 + 7200)
    lines, invoice = lines_of(sim, sub["id"])
    assert [line[:2] for line in lines] == [(0, 1000), (0, 4000), (1900, 1)] and invoice["amount_due"] == 1900
