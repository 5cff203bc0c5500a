"""What Stripe refuses to sell: each refusal with its status, type, code, parameter and sentence."""
import time

import pytest

SUCCESS = "http://x.example/"
MONTH = {"recurring[interval]": "month"}
COUNT = "recurring[interval_count]"


def product(sim, **more):
    return sim.post("/v1/products", {"name": "Thing", **more})["id"]


def price(sim, amount="900", currency="usd", of=None, recurring="month", **more):
    form = {"product": of or product(sim), "unit_amount": amount, "currency": currency, **more}
    return sim.post("/v1/prices", {**form, **({"recurring[interval]": recurring} if recurring else {})})["id"]


def refused(sim, path, form, param, sentence, code=None):
    sim.quiet()     # since an event counts its deliveries
    before = sim.control("state")
    answer = sim.call("POST", f"/v1/{path}", form)
    error = answer.json["error"]
    assert (answer.status, error["type"], error.get("code"), error.get("param")) == (
        400, "invalid_request_error", code, param), error
    assert sentence in error["message"]
    assert sim.control("state") == before


def session(*prices, **more):
    lines = {f"line_items[{n}][{name}]": value for n, ident in enumerate(prices)
             for name, value in (("price", ident), ("quantity", "1"))}
    return {"mode": "subscription", "success_url": SUCCESS, "customer_email": "a@b.example", **lines, **more}


def test_a_price_of_an_inactive_product_is_not_sold(sim):
    thing = product(sim)
    ident = price(sim, of=thing)
    sim.post(f"/v1/products/{thing}", "active=false")
    refused(sim, "checkout/sessions", session(ident), "line_items[0][price]",
            f"Price `{ident}` is not available to be purchased because its product is not active.")


def test_an_inactive_price_is_not_sold(sim):
    sim.post("/v1/prices/price_starter", "active=false")
    refused(sim, "checkout/sessions", session("price_starter"), "line_items[0][price]",
            "The price specified is inactive.")


def test_a_subscription_begins_with_a_recurring_price(sim):
    refused(sim, "checkout/sessions", session(price(sim, recurring=None)), "line_items",
            "You must provide at least one recurring price in `subscription` mode when using prices.")


@pytest.mark.parametrize("version", ["new", "old"])
def test_what_is_paid_once_is_on_the_first_invoice_only(sim, version):
    sim.control("settings", {"api_version": version})
    made = sim.post("/v1/checkout/sessions", session("price_starter", price(sim, "500", recurring=None)))
    assert made["amount_total"] == 2400
    sim.control(f"checkout/{made['id']}/pay", {})
    sub = sim.get("/v1/subscriptions")["data"][0]
    assert [item["price"]["id"] for item in sub["items"]["data"]] == ["price_starter"]
    assert sim.get(f"/v1/invoices/{sub['latest_invoice']}")["total"] == 2400
    sim.advance(days=32)
    assert sim.get("/v1/invoices")["data"][0]["total"] == 1900


def test_what_is_paid_once_is_paid_though_a_trial_begins(sim):
    made = sim.post("/v1/checkout/sessions", session("price_starter", price(sim, "500", recurring=None),
                                                     **{"subscription_data[trial_period_days]": "7"}))
    sim.control(f"checkout/{made['id']}/pay", {})
    made = sim.get(f"/v1/checkout/sessions/{made['id']}")
    assert (made["amount_total"], made["payment_status"]) == (500, "paid")


def test_a_session_has_one_currency(sim):
    refused(sim, "checkout/sessions", session("price_starter", price(sim, currency="eur")), "line_items[1][price]",
            "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.")


def test_a_subscription_keeps_its_currency(sim):
    sub = sim.subscribe()
    refused(sim, f"subscriptions/{sub['id']}", {"items[0][id]": sub["items"]["data"][0]["id"],
                                                "items[0][price]": price(sim, currency="eur")}, "items[0][price]",
            "The price specified only supports `eur`. This doesn't match the expected currency: `usd`.")


def test_a_subscription_takes_recurring_prices_only(sim):
    sub = sim.subscribe()
    refused(sim, f"subscriptions/{sub['id']}", {"items[0][price]": price(sim, recurring=None)}, "items[0][price]",
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.")


@pytest.mark.parametrize("recurring", ["month", None])
def test_twenty_prices_of_a_kind_are_the_most(sim, recurring):
    prices = [price(sim, recurring=recurring) for _ in range(21)]
    refused(sim, "checkout/sessions", session("price_growth", *prices), "line_items", "at most 20")
    few = prices[:19] if recurring else prices[:20]
    assert sim.call("POST", "/v1/checkout/sessions", session("price_growth", *few)).status == 200


@pytest.mark.parametrize("amount, currency, least", [("49", "usd", "$0.50 usd"), ("29", "gbp", "£0.30 gbp"),
                                                     ("49", "jpy", "¥50 jpy"), ("17499", "huf", "175.00 HUF huf")])
def test_less_than_the_least_charge_is_not_sold(sim, amount, currency, least):
    refused(sim, "checkout/sessions", session(price(sim, amount, currency)), None,
            f"The Checkout Session's total amount due must add up to at least {least}", "amount_too_small")
    assert sim.call("POST", "/v1/checkout/sessions", session(price(sim, "0", currency))).status == 200


def test_a_total_has_a_greatest_value(sim):
    ident = price(sim, "99999999")
    refused(sim, "checkout/sessions", session(ident, "price_starter"), None, "$999,999.99 usd", "amount_too_large")
    assert sim.call("POST", "/v1/checkout/sessions", session(ident)).status == 200


@pytest.mark.parametrize("days, ok", [("730", True), ("731", False), ("0", False)])
def test_a_trial_lasts_two_years_at_most(sim, days, ok):
    form = session("price_starter", **{"subscription_data[trial_period_days]": days})
    assert (sim.call("POST", "/v1/checkout/sessions", form).status == 200) == ok
    if not ok:
        refused(sim, "checkout/sessions", form, "subscription_data[trial_period_days]", "than or equal to",
                "parameter_invalid_integer")


@pytest.mark.parametrize("more, param, sentence, code", [
    ({"currency": "xyz"}, "currency", "Invalid currency: xyz. Stripe currently supports these currencies: usd,", None),
    ({"currency": "euro"}, "currency", "Invalid currency: euro.", None),
    ({"unit_amount": "100000000"}, "unit_amount", "Amount must be no more than $999,999.99", "amount_too_large"),
    ({"currency": "kwd", "unit_amount": "9005"}, "unit_amount", "divisible by 10", "parameter_invalid_integer"),
    ({"currency": "isk", "unit_amount": "90050"}, "unit_amount", "divisible by 100", "parameter_invalid_integer"),
    ({"unit_amount": "-1"}, "unit_amount", "Invalid non-negative integer", "parameter_invalid_integer"),
    ({"lookup_key": "k" * 201}, "lookup_key", "must be at most 200 characters", None),
    ({"recurring[interval]": "day", "recurring[interval_count]": "1096"}, COUNT, "1095 days", None),
    ({"recurring[interval]": "week", "recurring[interval_count]": "157"}, COUNT, "156 weeks", None),
    ({**MONTH, "recurring[interval_count]": "37"}, COUNT, "36 months", None),
    ({"recurring[interval]": "year", "recurring[interval_count]": "4"}, COUNT, "3 years", None),
    ({**MONTH, "recurring[interval_count]": "0"}, COUNT, "greater", "parameter_invalid_integer"),
    ({**MONTH, "recurring[trial_period_days]": "731"}, "recurring[trial_period_days]", "730",
     "parameter_invalid_integer")])
def test_a_price_is_within_limits(sim, more, param, sentence, code):
    form = {"product": product(sim), "unit_amount": "900", "currency": "usd"}
    refused(sim, "prices", {**form, **more}, param, sentence, code)


def test_a_price_may_be_at_its_limits(sim):
    form = {"product": product(sim), "unit_amount": "99999999", "currency": "USD", "lookup_key": "k" * 200,
            "recurring[interval]": "year", "recurring[interval_count]": "3"}
    made = sim.post("/v1/prices", form)
    assert (made["currency"], made["lookup_key"]) == ("usd", "k" * 200)
    refused(sim, f"prices/{made['id']}", {"lookup_key": "k" * 201}, "lookup_key", "at most 200 characters")


def test_a_portal_tells_the_prices_of_a_product_apart_by_interval(sim):
    thing = product(sim)
    month, year, other = (price(sim, of=thing, recurring=interval) for interval in ("month", "year", "month"))
    once = price(sim, of=thing, recurring=None)
    update = "features[subscription_update]"
    form = {f"{update}[enabled]": "true", f"{update}[default_allowed_updates][0]": "price",
            f"{update}[products][0][product]": thing, f"{update}[products][0][prices][0]": month}
    path, second = "billing_portal/configurations", f"{update}[products][0][prices][1]"
    refused(sim, path, {**form, second: other}, f"features[subscription_update][products][0][prices]",
            "For each product, its price must have unique billing intervals")
    refused(sim, path, {**form, second: once}, second, "set to `type=one_time`")
    assert sim.call("POST", f"/v1/{path}", {**form, second: year}).status == 200


@pytest.mark.parametrize("how, sentence", [("cancel_at_period_end", "is already set to be canceled at period end."),
                                           ("cancel", "is already canceled.")])
def test_what_is_canceled_is_not_canceled_in_the_portal(sim, how, sentence):
    sub = sim.subscribe()
    form = {"customer": sub["customer"], "return_url": SUCCESS, "flow_data[type]": "subscription_cancel",
            "flow_data[subscription_cancel][subscription]": sub["id"]}
    assert sim.call("POST", "/v1/billing_portal/sessions", form).status == 200
    sim.control(f"subscriptions/{sub['id']}/{how}", {})
    refused(sim, "billing_portal/sessions", form, "flow_data[subscription_cancel][subscription]", sentence)


def test_an_endpoint_gets_events_that_exist(sim):
    form = {"url": "https://x.example/hook", "enabled_events[0]": "invoice.paid", "enabled_events[1]": "invoice.payed"}
    refused(sim, "webhook_endpoints", form, "enabled_events[1]", "Invalid enabled_events[1]: must be one of")
    made = sim.post("/v1/webhook_endpoints", {"url": "https://x.example/hook", "enabled_events[0]": "*"})["id"]
    refused(sim, f"webhook_endpoints/{made}", form, "enabled_events[1]", "Invalid enabled_events[1]: must be one of")


def test_metadata_has_fifty_keys_at_most(sim):
    ident = sim.post("/v1/customers", {f"metadata[k{n}]": "x" for n in range(40)})["id"]
    more = {f"metadata[n{n}]": "x" for n in range(11)}
    refused(sim, f"customers/{ident}", more, "metadata", "up to 50 keys")
    assert len(sim.post(f"/v1/customers/{ident}", {**more, "metadata[k0]": ""})["metadata"]) == 50


def test_a_portal_needs_a_configuration_that_somebody_has_made(sim):
    sim.control("portal", method="DELETE")
    form = {"customer": sim.subscribe()["customer"], "return_url": SUCCESS}
    assert sim.get("/v1/billing_portal/configurations")["data"] == []
    refused(sim, "billing_portal/sessions", form, None, "No configuration provided and your test mode default "
            "configuration has not been created.")
    made = sim.post("/v1/billing_portal/configurations", "features[invoice_history][enabled]=true")
    assert (made["is_default"], sim.call("POST", "/v1/billing_portal/sessions", form).status) == (False, 400)
    assert sim.call("POST", "/v1/billing_portal/sessions", {**form, "configuration": made["id"]}).status == 200
    saved = sim.control("portal", {})
    assert sim.post("/v1/billing_portal/sessions", form)["configuration"] == saved["id"]


NOW = int(time.time())
YEARS = NOW + 731 * 86400


@pytest.mark.parametrize("form, param, sentence, code", [
    ({"items[0][price]": "price_growth", "items[0][quantity]": "-1"}, "items[0][quantity]",
     "Invalid non-negative integer", "parameter_invalid_integer"),
    ({"items[0][price]": "price_growth", "items[0][quantity]": "999999"}, "items", "$999,999.99", "amount_too_large"),
    ({"pause_collection[behavior]": "void", "pause_collection[resumes_at]": "1"}, "pause_collection[resumes_at]",
     "must be in the future", None),
    ({"collection_method": "send_invoice", "days_until_due": "-1"}, "days_until_due", "Invalid non-negative integer",
     "parameter_invalid_integer")])
def test_a_subscription_is_changed_within_limits(sim, form, param, sentence, code):
    refused(sim, f"subscriptions/{sim.subscribe()['id']}", form, param, sentence, code)


@pytest.mark.parametrize("end, sentence", [("1", "must be in the future"), (str(YEARS), "at most 730 days")])
def test_a_trial_ends_within_two_years(sim, end, sentence):
    made = sim.post("/v1/checkout/sessions", session("price_starter", **{"subscription_data[trial_period_days]": "7"}))
    sim.control(f"checkout/{made['id']}/pay", {})
    sub = sim.get("/v1/subscriptions")["data"][0]
    refused(sim, f"subscriptions/{sub['id']}", {"trial_end": end}, "trial_end", sentence)
    extended = sim.post(f"/v1/subscriptions/{sub['id']}", {"trial_end": str(sub["trial_end"] + 86400)})
    assert extended["items"]["data"][0]["current_period_end"] == extended["trial_end"] == sub["trial_end"] + 86400


def test_a_subscription_has_twenty_items_at_most(sim):
    sub = sim.subscribe()
    prices = [price(sim) for _ in range(20)]
    form = {f"items[{n}][price]": ident for n, ident in enumerate(prices)}
    refused(sim, f"subscriptions/{sub['id']}", form, "items", "at most 20")


def test_a_customer_pays_in_one_currency(sim):
    sub, euros = sim.subscribe(), price(sim, currency="eur")
    form = {**session(euros), "customer": sub["customer"]}
    form.pop("customer_email")
    refused(sim, "checkout/sessions", form, None, "You cannot combine currencies on a single customer.")
    sim.call("DELETE", f"/v1/subscriptions/{sub['id']}")
    assert sim.call("POST", "/v1/checkout/sessions", form).status == 200


@pytest.mark.parametrize("form, param, sentence, code", [
    ({"percent_off": "101"}, "percent_off", "between 0 and 100", None),
    ({"percent_off": "0"}, "percent_off", "between 0 and 100", None),
    ({"amount_off": "0", "currency": "usd"}, "amount_off", "greater", "parameter_invalid_integer"),
    ({"amount_off": "1", "currency": "xyz"}, "currency", "Invalid currency: xyz.", None),
    ({"percent_off": "5", "duration": "repeating"}, "duration_in_months", "if, and only if", "parameter_missing"),
    ({"percent_off": "5", "duration": "once", "duration_in_months": "2"}, "duration_in_months", "only if", None)])
def test_a_coupon_is_within_limits(sim, form, param, sentence, code):
    refused(sim, "coupons", form, param, sentence, code)


def test_a_coupon_of_an_amount_is_of_one_currency(sim):
    coupon = sim.post("/v1/coupons", {"amount_off": "100", "currency": "eur"})["id"]
    refused(sim, f"subscriptions/{sim.subscribe()['id']}", {"discounts[0][coupon]": coupon}, "discounts",
            "is in eur, and the subscription in usd")


@pytest.mark.parametrize("more, param, sentence, code", [
    ({"phases[1][items][0][price]": "eur"}, "phases[1][items][0][price]", "expected currency: `usd`", None),
    ({"phases[1][items][0][quantity]": "-1"}, "phases[1][items][0][quantity]", "Invalid non-negative integer",
     "parameter_invalid_integer"),
    ({"phases[1][end_date]": str(NOW)}, "phases[1][end_date]", "must be after its start date", None)])
def test_a_schedule_is_within_limits(sim, more, param, sentence, code):
    sub = sim.subscribe()
    made = sim.post("/v1/subscription_schedules", {"from_subscription": sub["id"]})
    form = {"phases[0][items][0][price]": "price_starter", "phases[0][end_date]": str(made["phases"][0]["end_date"]),
            "phases[1][items][0][price]": "price_growth", **more}
    if form["phases[1][items][0][price]"] == "eur":
        form["phases[1][items][0][price]"] = price(sim, currency="eur")
    refused(sim, f"subscription_schedules/{made['id']}", form, param, sentence, code)


def test_a_schedule_has_prices_in_each_phase(sim):
    made = sim.post("/v1/subscription_schedules", {"from_subscription": sim.subscribe()["id"]})
    refused(sim, f"subscription_schedules/{made['id']}", {"phases[0][end_date]": str(YEARS)}, "phases[0][items]",
            "Missing required param: phases[0][items].", "parameter_missing")


@pytest.mark.parametrize("form", [{"cancel_at_period_end": "true"}, {"cancel_at": str(YEARS)}])
def test_a_subscription_with_a_schedule_is_ended_by_it(sim, form):
    sub = sim.subscribe()
    made = sim.post("/v1/subscription_schedules", {"from_subscription": sub["id"]})
    refused(sim, f"subscriptions/{sub['id']}", form, None, f"The subscription is managed by the subscription schedule "
            f"`{made['id']}`, and updating any cancelation behavior directly is not allowed.")
    sim.post(f"/v1/subscription_schedules/{made['id']}/release")
    assert sim.post(f"/v1/subscriptions/{sub['id']}", form)["cancel_at"]


def test_nobody_moves_to_a_price_of_an_inactive_product(sim):
    sub, thing = sim.subscribe(), product(sim)
    form = {"items[0][id]": sub["items"]["data"][0]["id"], "items[0][price]": price(sim, of=thing)}
    sim.post(f"/v1/products/{thing}", "active=false")
    refused(sim, f"subscriptions/{sub['id']}", form, "items[0][price]", f"The product {thing} is marked as inactive")


def test_the_default_price_of_a_product_is_its_own(sim):
    refused(sim, f"products/{product(sim)}", {"default_price": "price_starter"}, "default_price",
            "is not one of the product's")


def test_the_default_price_of_a_product_is_not_archived(sim):
    thing = product(sim)
    ident = price(sim, of=thing)
    sim.post(f"/v1/products/{thing}", {"default_price": ident})
    refused(sim, f"prices/{ident}", "active=false", "active", "it is the default price of its product")


@pytest.mark.parametrize("flow", ["payment_method_update", "subscription_cancel", "subscription_update"])
def test_a_portal_begins_with_nothing_that_its_configuration_disables(sim, flow):
    sub = sim.subscribe()
    made = sim.post("/v1/billing_portal/configurations", "features[invoice_history][enabled]=true")["id"]
    form = {"customer": sub["customer"], "return_url": SUCCESS, "flow_data[type]": flow, "configuration": made}
    if flow != "payment_method_update":
        form[f"flow_data[{flow}][subscription]"] = sub["id"]
    refused(sim, "billing_portal/sessions", form, "flow_data[type]", f"The {flow} feature is disabled")


def test_sixteen_endpoints_are_the_most(sim):
    form = {"url": "https://x.example/hook", "enabled_events[0]": "*"}
    while len(sim.get("/v1/webhook_endpoints", "limit=100")["data"]) < 16:
        sim.post("/v1/webhook_endpoints", form)
    refused(sim, "webhook_endpoints", form, None, "the maximum of 16 test webhook endpoints")


def test_an_invoice_that_was_given_up_may_still_be_paid(sim):
    sub = sim.subscribe()
    sim.post(f"/v1/subscriptions/{sub['id']}", {"pause_collection[behavior]": "mark_uncollectible"})
    sim.advance(days=32)
    invoice = sim.get("/v1/invoices")["data"][0]
    assert invoice["status"] == "uncollectible"
    assert sim.control(f"invoices/{invoice['id']}/pay", {})["status"] == "paid"


def test_f211_an_empty_text_unsets_what_a_customer_says_of_a_person(sim):
    """The address as well (stripe-node#1834)."""
    ident = sim.post("/v1/customers", {"email": "anna@example.com", "name": "Anna", "phone": "1",
                                       "address[city]": "Ulm"})["id"]
    emptied = sim.post(f"/v1/customers/{ident}", {"email": "", "name": "", "phone": "", "address[city]": ""})
    assert [emptied[key] for key in ("email", "name", "phone")] == [None] * 3
    assert not any((emptied["address"] or {}).values())
    refused(sim, f"customers/{ident}", {"email": "nobody"}, "email", "Invalid email", "email_invalid")
