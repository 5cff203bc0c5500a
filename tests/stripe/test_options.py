"""What a checkout session asks of its buyer beside a card, and how it changes what is paid."""
import pytest

SESSION = {"mode": "subscription", "line_items[0][price]": "price_starter", "line_items[0][quantity]": "1",
           "success_url": "http://localhost/done", "customer_email": "a@example.com"}
CHOICE = "line_items[0][adjustable_quantity]"


def paid(sim, session, **fields):
    """The invoice of a session that is paid with these fields."""
    assert sim.control(f"checkout/{session['id']}/pay", fields)["paid"]
    done = sim.get(f"/v1/checkout/sessions/{session['id']}")
    return done, sim.get(f"/v1/invoices/{done['invoice']}")


def test_a_promotion_code_takes_off_what_its_coupon_says(sim):
    sim.post("/v1/coupons", {"id": "half", "percent_off": "50", "duration": "forever"})
    code = sim.post("/v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "half", "code": "HALF"})
    session = sim.post("/v1/checkout/sessions", {**SESSION, "allow_promotion_codes": "true"})
    assert sim.control(f"checkout/{session['id']}/pay", {"promotion_code": "NONE"})["paid"] is False
    done, invoice = paid(sim, session, promotion_code="half")
    assert (done["amount_subtotal"], done["amount_total"], done["total_details"]["amount_discount"]) == (1900, 950, 950)
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (1900, 950, 950)
    assert sim.get("/v1/promotion_codes/" + code["id"])["times_redeemed"] == 1


def test_without_leave_no_code_is_taken(sim):
    session = sim.post("/v1/checkout/sessions", SESSION)
    assert sim.control(f"checkout/{session['id']}/pay", {"promotion_code": "HALF"})["paid"] is False


@pytest.mark.parametrize("behavior, total, tax", [("exclusive", 2280, 380), ("inclusive", 1900, 317)])
def test_tax_is_added_or_within_the_price(sim, behavior, total, tax):
    sim.post("/v1/products", {"id": "pro", "name": "Pro"})
    price = sim.post("/v1/prices", {"product": "pro", "unit_amount": "1900", "currency": "usd",
                                    "recurring[interval]": "month", "tax_behavior": behavior})["id"]
    session = sim.post("/v1/checkout/sessions", {**SESSION, "line_items[0][price]": price,
                                                 "automatic_tax[enabled]": "true"})
    assert session["automatic_tax"]["status"] == "requires_location_inputs"
    done, invoice = paid(sim, session)
    assert (done["amount_total"], done["total_details"]["amount_tax"]) == (total, tax)
    assert (invoice["total"], [t["amount"] for t in invoice["total_taxes"]]) == (total, [tax])


def test_a_quantity_is_chosen_within_its_limits(sim):
    session = sim.post("/v1/checkout/sessions", {**SESSION, f"{CHOICE}[enabled]": "true", f"{CHOICE}[minimum]": "1",
                                                 f"{CHOICE}[maximum]": "5"})
    assert sim.control(f"checkout/{session['id']}/pay", {"quantity": 6})["paid"] is False
    done, invoice = paid(sim, session, quantity=3)
    assert (done["amount_total"], invoice["total"]) == (5700, 5700)
    assert sim.get(f"/v1/subscriptions/{done['subscription']}")["items"]["data"][0]["quantity"] == 3


def test_terms_must_be_accepted(sim):
    asked = {**SESSION, "consent_collection[terms_of_service]": "required"}
    refusal = sim.call("POST", "/v1/checkout/sessions", asked)
    assert (refusal.status, refusal.json["error"]["param"]) == (400, "consent_collection[terms_of_service]")
    sim.control("settings", {"terms_url": "https://example.com/terms"})
    session = sim.post("/v1/checkout/sessions", asked)
    assert sim.control(f"checkout/{session['id']}/pay", {"terms": False})["paid"] is False
    done, _ = paid(sim, session)
    assert done["consent"]["terms_of_service"] == "accepted"


@pytest.mark.parametrize("more, param", [
    ({"automatic_tax[enabled]": "true"}, None),
    ({"tax_id_collection[enabled]": "true"}, "customer_update[name]"),
    ({f"{CHOICE}[enabled]": "true", f"{CHOICE}[minimum]": "5", f"{CHOICE}[maximum]": "2"}, f"{CHOICE}[minimum]"),
    ({f"{CHOICE}[enabled]": "true", f"{CHOICE}[maximum]": "1000000"}, f"{CHOICE}[maximum]")])
def test_what_stripe_refuses_of_a_customer_that_is_there(sim, more, param):
    customer = sim.post("/v1/customers", {"email": "a@example.com"})["id"]
    asked = {**{k: v for k, v in SESSION.items() if k != "customer_email"}, "customer": customer, **more}
    refusal = sim.call("POST", "/v1/checkout/sessions", asked)
    assert (refusal.status, refusal.json["error"].get("param")) == (400, param)
    sim.post("/v1/checkout/sessions", {**asked, "customer_update[address]": "auto", "customer_update[name]": "auto",
                                       **({f"{CHOICE}[minimum]": "1", f"{CHOICE}[maximum]": "9"} if "line" in str(more)
                                          else {})})
