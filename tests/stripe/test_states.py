"""States of Stripe's objects that tests can bring about: pauses, discounts, schedules, invoices that are sent, trials
without a card, and the invoice to come."""
import pytest
from simclient import send

DAY = 86400


def again(sim, row):
    return sim.get(f"/v1/{row['object']}s/{row['id']}")


def renewed(sim, sub):
    """The invoice of the next period, once it is finalised."""
    sim.advance(to=again(sim, sub)["items"]["data"][0]["current_period_end"] + 7200)
    return sim.get("/v1/invoices", {"subscription": sub["id"]})["data"][0]


def preview(sim, sub, **more):
    return sim.post("/v1/invoices/create_preview", {"subscription": sub["id"], **more})


def coupon(sim, **more):
    return sim.post("/v1/coupons", {name: str(value) for name, value in more.items()})["id"]


@pytest.mark.parametrize("behavior, status", [("void", "void"), ("mark_uncollectible", "uncollectible"),
                                              ("keep_as_draft", "draft")])
def test_collection_is_paused_until_it_resumes_by_itself(sim, behavior, status):
    sub = sim.subscribe()
    until = sub["items"]["data"][0]["current_period_end"] + 10 * DAY
    sub = sim.post(f"/v1/subscriptions/{sub['id']}", {"pause_collection[behavior]": behavior,
                                                      "pause_collection[resumes_at]": str(until)})
    assert sub["pause_collection"] == {"behavior": behavior, "resumes_at": until}
    assert (renewed(sim, sub)["status"], again(sim, sub)["status"]) == (status, "active")
    sim.advance(to=until + 1)
    assert again(sim, sub)["pause_collection"] is None
    assert renewed(sim, sub)["status"] == "paid"


@pytest.mark.parametrize("ok, paid, status", [(True, "paid", "active"), (False, "open", "past_due")])
def test_a_bank_has_a_renewal_under_way_until_it_settles(sim, ok, paid, status):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/debit_next", {})
    invoice = renewed(sim, sub)
    assert (invoice["status"], invoice["attempt_count"], again(sim, sub)["status"]) == ("open", 1, "active")
    payment, = sim.get(f"/v1/invoices/{invoice['id']}", {"expand[0]": "payments"})["payments"]["data"]
    intent = payment["payment"]["payment_intent"]
    assert (payment["status"], sim.get(f"/v1/payment_intents/{intent}")["status"]) == ("open", "processing")
    sim.quiet()
    assert "payment_intent.processing" in sim.hooks.types() and "invoice.payment_failed" not in sim.hooks.types()
    sim.control(f"invoices/{invoice['id']}/settle", {"ok": ok})
    assert (again(sim, invoice)["status"], again(sim, sub)["status"]) == (paid, status)


@pytest.mark.parametrize("ok, paid, status", [(True, "paid", "active"), (False, "open", "past_due")])
def test_a_bank_wants_a_renewal_confirmed(sim, ok, paid, status):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/confirm_next", {})
    invoice = renewed(sim, sub)
    assert (invoice["status"], invoice["attempt_count"], again(sim, sub)["status"]) == ("open", 1, "past_due")
    payment, = sim.get(f"/v1/invoices/{invoice['id']}", {"expand[0]": "payments"})["payments"]["data"]
    intent = sim.get(f"/v1/payment_intents/{payment['payment']['payment_intent']}")
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    sim.quiet()
    assert {"invoice.payment_failed", "invoice.payment_action_required"} <= set(sim.hooks.types())
    sim.control(f"invoices/{invoice['id']}/settle", {"ok": ok})
    assert (again(sim, invoice)["status"], again(sim, sub)["status"]) == (paid, status)


def test_while_a_bank_has_a_payment_nobody_pays_a_second_time(sim):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/debit_next", {})
    invoice = renewed(sim, sub)
    for path in (f"invoices/{invoice['id']}/pay", f"subscriptions/{sub['id']}/pay_open"):
        answer = send("POST", f"{sim.url}/_sim/{path}", b"{}")
        assert answer.status == 400 and "processing" in answer.json["error"]


@pytest.mark.parametrize("ok", [True, False])
def test_what_ended_while_its_payment_was_under_way_stays_ended(sim, ok):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/debit_next", {})
    invoice = renewed(sim, sub)
    sim.call("DELETE", f"/v1/subscriptions/{sub['id']}")
    sim.control(f"invoices/{invoice['id']}/settle", {"ok": ok})
    assert again(sim, sub)["status"] == "canceled"
    invoice = again(sim, invoice)
    assert (invoice["status"], invoice["next_payment_attempt"]) == ("paid" if ok else "open", None)


@pytest.mark.parametrize("duration, second, third", [("once", 1710, 1900), ("forever", 1710, 1710)])
def test_a_discount_takes_off_what_its_coupon_says(sim, duration, second, third):
    sub = sim.subscribe()
    sub = sim.post(f"/v1/subscriptions/{sub['id']}", {
        "discounts[0][coupon]": coupon(sim, percent_off=10, duration=duration), "expand[0]": "discounts"})
    assert sub["discounts"][0]["source"]["type"] == "coupon"
    assert preview(sim, sub)["amount_due"] == second
    invoice = renewed(sim, sub)
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (1900, second, second)
    assert invoice["total_discount_amounts"][0]["amount"] == 190
    assert renewed(sim, sub)["total"] == third


def test_a_discount_ends_with_its_months(sim):
    sub = sim.subscribe()
    ident = coupon(sim, amount_off=500, currency="usd", duration="repeating", duration_in_months=1)
    sim.post(f"/v1/subscriptions/{sub['id']}", {"discounts[0][coupon]": ident})
    assert preview(sim, sub)["total"] in (1400, 1900)       # a month has 28 to 31 days
    sim.advance(days=35)
    assert renewed(sim, sub)["total"] == 1900
    assert sim.post(f"/v1/subscriptions/{sub['id']}", "discounts=")["discounts"] == []


def test_a_balance_pays_first(sim):
    sub = sim.subscribe()
    sim.post(f"/v1/customers/{sub['customer']}", "balance=-2500")
    assert preview(sim, sub)["amount_due"] == 0
    invoice = renewed(sim, sub)
    assert (invoice["total"], invoice["amount_due"], invoice["starting_balance"], invoice["ending_balance"]) == (
        1900, 0, -2500, -600)
    assert sim.get(f"/v1/customers/{sub['customer']}")["balance"] == -600
    assert renewed(sim, sub)["amount_due"] == 1300


def test_an_invoice_that_is_sent_is_due_and_then_overdue(sim):
    sub = sim.subscribe()
    path = f"/v1/subscriptions/{sub['id']}"
    assert sim.call("POST", path, "collection_method=send_invoice").json["error"]["param"] == "days_until_due"
    sub = sim.post(path, {"collection_method": "send_invoice", "days_until_due": "14"})
    assert sub["days_until_due"] == 14
    invoice = renewed(sim, sub)
    assert (invoice["status"], invoice["attempt_count"]) == ("open", 0)
    assert invoice["due_date"] == invoice["status_transitions"]["finalized_at"] + 14 * DAY
    sim.advance(to=invoice["due_date"] + 1)
    sim.quiet()
    assert [sim.hooks.types().count(kind) for kind in ("invoice.sent", "invoice.overdue")] == [1, 1]
    assert again(sim, sub)["status"] == "past_due"
    sim.control(f"invoices/{invoice['id']}/pay", {})
    assert (again(sim, invoice)["status"], again(sim, sub)["status"]) == ("paid", "active")


def trial(sim, behaviour):
    data = "subscription_data"
    session = sim.session(**{f"{data}[trial_period_days]": "14", "payment_method_collection": "if_required",
                             f"{data}[trial_settings][end_behavior][missing_payment_method]": behaviour})
    sim.control(f"checkout/{session['id']}/pay", {"card": "none"})
    return sim.get("/v1/subscriptions", "status=all")["data"][0]


@pytest.mark.parametrize("behaviour, status", [("cancel", "canceled"), ("pause", "paused"),
                                               ("create_invoice", "past_due")])
def test_a_trial_without_a_card_ends_as_its_settings_say(sim, behaviour, status):
    sub = trial(sim, behaviour)
    assert (sub["status"], sub["default_payment_method"]) == ("trialing", None)
    sim.advance(to=sub["trial_end"] + 7200)
    assert again(sim, sub)["status"] == status


def test_a_paused_subscription_resumes_with_a_card(sim):
    sub = trial(sim, "pause")
    sim.advance(to=sub["trial_end"] + 1)
    path = f"/v1/subscriptions/{sub['id']}/resume"
    sim.control(f"customers/{sub['customer']}/card", {"card": "good"})
    assert sim.post(path, "billing_cycle_anchor[type]=now")["status"] == "active"
    assert sim.get("/v1/invoices")["data"][0]["amount_paid"] == 1900
    refusal = sim.call("POST", path)
    assert (refusal.status, "Only paused" in refusal.json["error"]["message"]) == (400, True)
    sim.quiet()
    assert sim.hooks.types().count("customer.subscription.resumed") == 1


def test_a_subscription_stays_paused_until_its_invoice_is_paid(sim):
    sub = trial(sim, "pause")
    sim.advance(to=sub["trial_end"] + 1)
    sim.control(f"customers/{sub['customer']}/card", {"card": "failing"})
    path = f"/v1/subscriptions/{sub['id']}/resume"
    assert sim.post(path)["status"] == "paused"
    invoice = sim.get("/v1/invoices")["data"][0]
    sim.advance(advance=23 * 3600 + 1)
    assert (again(sim, invoice)["status"], again(sim, sub)["status"]) == ("void", "paused")
    sim.post(path)
    sim.control(f"invoices/{sim.get('/v1/invoices')['data'][0]['id']}/pay", {})
    assert again(sim, sub)["status"] == "active"
    assert sim.call("POST", path, "billing_cycle_anchor=later").json["error"]["param"] == "billing_cycle_anchor"


def test_a_schedule_changes_the_price_when_its_phase_begins(sim):
    sub = sim.subscribe()
    end = sub["items"]["data"][0]["current_period_end"]
    plan = sim.post("/v1/subscription_schedules", {"from_subscription": sub["id"]})
    assert again(sim, sub)["schedule"] == plan["id"]
    sim.post(f"/v1/subscription_schedules/{plan['id']}", {
        "phases[0][items][0][price]": "price_starter", "phases[0][end_date]": str(end),
        "phases[1][items][0][price]": "price_growth"})
    assert preview(sim, sub)["total"] == 4900
    assert again(sim, sub)["items"]["data"][0]["price"]["id"] == "price_starter"
    assert renewed(sim, sub)["total"] == 4900
    sim.advance(days=40)
    assert (again(sim, plan)["status"], again(sim, sub)["schedule"]) == ("released", None)
    sim.quiet()
    assert {f"subscription_schedule.{name}" for name in ("created", "updated", "released")} <= set(sim.hooks.types())


def test_a_schedule_is_released_once_and_a_subscription_has_one(sim):
    sub = sim.subscribe()
    plan = sim.post("/v1/subscription_schedules", {"from_subscription": sub["id"]})
    assert sim.call("POST", "/v1/subscription_schedules", {"from_subscription": sub["id"]}).status == 400
    path = f"/v1/subscription_schedules/{plan['id']}/release"
    assert [sim.call("POST", path).status for _ in range(2)] == [200, 400]
    assert again(sim, sub)["schedule"] is None


def test_a_schedule_ends_with_its_subscription(sim):
    sub = sim.subscribe()
    plan = sim.post("/v1/subscription_schedules", {"from_subscription": sub["id"]})
    sim.control(f"subscriptions/{sub['id']}/cancel", {})
    assert (again(sim, plan)["status"], again(sim, sub)["schedule"]) == ("canceled", None)
    sim.advance(days=40)
    sim.quiet()
    assert "subscription_schedule.canceled" in sim.hooks.types()


def test_an_update_that_waits_for_its_payment_is_given_up(sim):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/pending", {"price": "price_growth"})
    waits = again(sim, sub)["pending_update"]
    assert waits["subscription_items"][0]["price"]["id"] == "price_growth"
    sim.advance(to=waits["expires_at"] + 1)
    sim.quiet()
    assert again(sim, sub)["pending_update"] is None
    assert "customer.subscription.pending_update_expired" in sim.hooks.types()


def test_a_preview_is_the_invoice_to_come_and_changes_nothing(sim):
    sub = sim.subscribe()
    sim.quiet()
    before = sim.control("state")
    seen = preview(sim, sub)
    item = sub["items"]["data"][0]
    assert (seen["id"].startswith("upcoming_in_"), seen["billing_reason"], seen["total"]) == (True, "upcoming", 1900)
    assert seen["lines"]["data"][0]["period"]["start"] == seen["period_end"] == item["current_period_end"]
    more = preview(sim, sub, **{"subscription_details[items][0][id]": item["id"],
                                "subscription_details[items][0][price]": "price_growth"})
    assert more["total"] > 4900 and len(more["lines"]["data"]) == 3
    assert sim.control("state") == before
    made = renewed(sim, sub)
    assert [made[name] for name in ("total", "period_start", "period_end")] == [
        seen[name] for name in ("total", "period_start", "period_end")]


def test_what_ends_has_no_invoice_to_come(sim):
    sub = sim.subscribe()
    sim.control(f"subscriptions/{sub['id']}/cancel_at_period_end", {})
    answer = sim.call("POST", "/v1/invoices/create_preview", {"subscription": sub["id"]})
    assert (answer.status, answer.json["error"]["code"]) == (404, "invoice_upcoming_none")


def test_the_last_period_is_paid_for_in_part_when_its_end_is_set_before(sim):
    sub = sim.subscribe()
    end = sub["items"]["data"][0]["current_period_end"]
    sim.post(f"/v1/subscriptions/{sub['id']}", {"cancel_at": str(end + 10 * DAY)})
    seen, made = preview(sim, sub), renewed(sim, sub)
    whole = again(sim, sub)["items"]["data"][0]["current_period_end"] - end
    for invoice in (seen, made):
        line, = invoice["lines"]["data"]
        assert (line["period"], line["amount"]) == ({"start": end, "end": end + 10 * DAY},
                                                    round(1900 * 10 * DAY / whole))
        assert invoice["amount_due"] == line["amount"] < 1900
    sim.advance(to=end + 10 * DAY + 1)
    assert again(sim, sub)["status"] == "canceled"


def test_an_end_in_a_later_period_leaves_the_next_one_whole(sim):
    sub = sim.subscribe()
    end = sub["items"]["data"][0]["current_period_end"]
    sim.post(f"/v1/subscriptions/{sub['id']}", {"cancel_at": str(end + 40 * DAY)})
    assert (preview(sim, sub)["total"], renewed(sim, sub)["total"]) == (1900, 1900)
    assert preview(sim, sub)["total"] < 1900


def test_a_preview_is_of_the_subscriptions_own_customer(sim):
    sub, other = sim.subscribe(), sim.subscribe()
    assert preview(sim, sub, customer=sub["customer"])["customer"] == sub["customer"]
    for customer, code in ((other["customer"], None), ("cus_none", "resource_missing")):
        answer = sim.call("POST", "/v1/invoices/create_preview", {"subscription": sub["id"], "customer": customer})
        assert (answer.status, answer.json["error"]["param"], answer.json["error"].get("code")) == (
            400, "customer", code)
