"""What Stripe refuses reaches the operator in Stripe's own words, and nothing that is secret does."""
import json
from pathlib import Path

import pytest
from journey import sign_up, wait_until
from test_billing import at_stripe
from test_jobs import stack_tollgate

PAGE = "https://dashboard.stripe.com/test/logs/req_1"


def told(db):
    return db.rows("select subject, detail ->> 'message', detail ->> 'request_log_url' from ops.alerts "
                   "where kind = 'stripe_refusal' and cleared_at is null")


def clear(db):
    db.execute("update ops.alerts set cleared_at = now() where kind = 'stripe_refusal'")


@pytest.fixture
def refuse(sim, db, calm):
    """Makes Stripe refuse every checkout session with this error."""
    def refused(**error):
        sim.fault(method="POST", path="/v1/checkout/sessions", times=9, status=400,
                  body={"error": {"type": "invalid_request_error", **error}})
    clear(db)
    yield refused
    sim.delete("faults")
    clear(db)


def log_lines(stack, since):
    path = Path(stack["log_dir"]) / ("signup.log" if stack["server"] == "nginx" else "apache.log")
    text = path.read_text(errors="replace") if path.exists() else ""
    return len(text), [json.loads(line) for line in text[since:].splitlines()
                       if line.startswith("{") and '"event":"stripe"' in line]


def test_f99_what_stripe_says_of_a_refusal_is_in_the_alert_and_the_log(browser, stack, db, fresh, refuse):
    email = fresh()
    since, _ = log_lines(stack, 0)
    refuse(message=f"No price for {email} here", request_log_url=PAGE)
    assert [sign_up(browser, email).status for _ in range(2)] == [503, 503]
    assert told(db) == [("POST /v1/checkout/sessions", "No price for *** here", PAGE)]
    assert "No price for *** here" in stack_tollgate(stack, "alerts", "list")
    if stack["server"] == "nginx":
        line = log_lines(stack, since)[1][0]
        assert (line["reason"], line["request_log_url"]) == ("No price for *** here", PAGE)


def test_f99_a_refusal_without_a_word_is_not_logged_with_an_empty_reason(browser, stack, db, fresh, refuse):
    since, _ = log_lines(stack, 0)
    refuse()
    assert sign_up(browser, fresh()).status == 503
    assert told(db) == [("POST /v1/checkout/sessions", None, None)]
    if stack["server"] == "nginx":
        assert log_lines(stack, since)[1][0]["reason"] == "Stripe gives no reason"


def test_f99_what_is_the_visitors_own_fault_raises_no_alert(browser, db, fresh, refuse):
    refuse(code="email_invalid", param="customer_email", message="Invalid email address")
    answer = sign_up(browser, fresh())
    assert (answer.status, told(db)) == (422, [])
    assert "does not accept this e-mail address" in answer.html.one(id="email-error").text
    assert answer.html.one("input", id="email").get("aria-invalid") == "true"


def test_f99_who_signs_up_reads_that_the_operator_has_been_told(browser, db, fresh, refuse):
    """As of a price whose product is inactive."""
    refuse(message="The price specified is inactive.")
    answer = sign_up(browser, fresh())
    assert answer.status == 503 and "we have been told" in answer.html.one(role="alert").text
    assert told(db) == [("POST /v1/checkout/sessions", "The price specified is inactive.", None)]


def test_f99_the_alert_ends_once_the_same_price_is_sold_again(new_browser, sim, db, fresh, refuse):
    refuse(message="The price specified is inactive.", param="line_items[0][price]")
    assert sign_up(new_browser(), fresh()).status == 503
    assert len(told(db)) == 1
    sim.delete("faults")
    assert sign_up(new_browser(), fresh(), "growth").status == 303
    assert len(told(db)) == 1, "another price says nothing of this one"
    assert sign_up(new_browser(), fresh()).status == 303
    assert told(db) == []


def test_f99_a_portal_without_a_default_configuration_is_the_operators(customer, db, sim, stack, calm):
    browser, _ = customer
    clear(db)
    wait_until(lambda: browser.get("/settings/billing").html.all(id="manage"))
    page = browser.get("/settings/billing")
    sim.delete("portal")
    try:
        answer = browser.submit(page)
    finally:
        sim.post("portal")
    assert answer.status == 503 and "we have been told" in answer.html.one(role="alert").text
    (call, message, _), = told(db)
    assert call == "POST /v1/billing_portal/sessions" and "default configuration" in message
    clear(db)


def test_f99_a_portal_that_takes_no_cards_is_the_operators(customer, db, sim, stack, calm):
    browser, _ = customer
    clear(db)
    wait_until(lambda: browser.get("/settings/billing").html.all(id="manage"))
    fields = {name: browser.get("/settings/billing").html.one("main").all("input", name=name)[0].get("value")
              for name in ("csrf", "tenant")}
    default = next(row["id"] for row in sim.get("state/billing_portal.configuration") if row["is_default"])

    def offers_cards(on):
        at_stripe(stack, f"billing_portal/configurations/{default}", {"features[payment_method_update][enabled]": on})
    offers_cards("false")
    try:
        answer = browser.post("/settings/billing/card", fields, came_from=browser.base)
    finally:
        offers_cards("true")
    assert answer.status == 503 and "we have been told" in answer.html.one(role="alert").text
    (call, message, _), = told(db)
    assert call == "POST /v1/billing_portal/sessions" and "payment_method_update feature is disabled" in message
    clear(db)
