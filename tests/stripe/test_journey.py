"""The hosted pages, the portal and the life of a subscription, as a browser and the clock see them."""
import re
import urllib.parse

import pytest

from simclient import send

DAY = 86400


def fields(page):
    """The hidden fields of a page's first form."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def press(url, **more):
    """Loads a page and sends one of its forms."""
    page = send("GET", url).raw.decode()
    return send("POST", url, urllib.parse.urlencode({"token": fields(page)["token"], **more}).encode())


def test_paying_redirects_to_success_url_with_the_session(sim):
    session = sim.session()
    answer = press(session["url"], card="good")
    assert answer.status == 303
    assert answer.headers["Location"] == f"http://localhost/welcome?session_id={session['id']}"


def test_paying_completes_the_session_and_subscribes_with_the_metadata(sim):
    session = sim.session()
    press(session["url"], card="good")
    paid = sim.get(f"/v1/checkout/sessions/{session['id']}", {"expand[0]": "subscription"})
    assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)
    assert paid["customer_details"]["email"] == "anna@example.com"
    assert paid["subscription"]["status"] == "active"
    assert paid["subscription"]["metadata"] == {"tenant_id": "tenant-1"}
    assert sim.get(f"/v1/invoices/{paid['invoice']}")["status"] == "paid"


def test_paying_sends_the_burst_of_events(sim):
    press(sim.session()["url"], card="good")
    sim.quiet()
    assert {"customer.created", "payment_method.attached", "customer.updated", "invoice.created", "invoice.finalized",
            "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice_payment.paid", "invoice.paid",
            "invoice.payment_succeeded", "customer.subscription.created",
            "checkout.session.completed"} <= set(sim.hooks.types())


def test_declined_card_leaves_the_session_open_without_subscription(sim):
    session = sim.session()
    answer = press(session["url"], card="declined")
    assert answer.status == 402 and b"declined" in answer.raw
    assert sim.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open"
    assert sim.get("/v1/subscriptions", {"status": "all"})["data"] == []


def test_a_page_pays_once(sim):
    session = sim.session()
    token = fields(send("GET", session["url"]).raw.decode())["token"]
    body = urllib.parse.urlencode({"token": token, "card": "declined"}).encode()
    assert [send("POST", session["url"], body).status for _ in range(2)] == [402, 409]


def test_pressing_pay_twice_makes_one_subscription(sim):
    session = sim.session()
    token = fields(send("GET", session["url"]).raw.decode())["token"]
    body = urllib.parse.urlencode({"token": token, "card": "good"}).encode()
    assert [send("POST", session["url"], body).status for _ in range(2)] == [303, 200]
    assert len(sim.get("/v1/subscriptions")["data"]) == 1


def test_an_invoice_has_a_page_where_it_is_paid_and_a_pdf(sim):
    press(sim.session()["url"], card="good")
    paid, = sim.get("/v1/invoices")["data"]
    page = send("GET", paid["hosted_invoice_url"])
    assert page.status == 200 and paid["number"] in page.raw.decode() and b"Status: paid" in page.raw
    assert b"<form" not in page.raw and b"<script" not in page.raw
    document = send("GET", paid["invoice_pdf"])
    assert document.raw.startswith(b"%PDF-") and b"Total: $19.00" in document.raw
    customer = sim.get("/v1/customers")["data"][0]["id"]
    sim.control(f"customers/{customer}/card", {"card": "failing"})
    sim.control("clock", {"days": 32})
    due, = sim.get("/v1/invoices", {"status": "open"})["data"]
    token = fields(send("GET", due["hosted_invoice_url"]).raw.decode())["token"]
    body = urllib.parse.urlencode({"token": token}).encode()
    assert [send("POST", due["hosted_invoice_url"], body).status for _ in range(2)] == [303, 409]
    assert sim.get("/v1/invoices/" + due["id"])["status"] == "paid"
    assert sim.get("/v1/subscriptions")["data"][0]["status"] == "active"
    assert send("GET", due["hosted_invoice_url"].replace("test_in", "test_no")).status == 404


def test_page_needs_no_script_and_offers_the_way_back(sim):
    page = send("GET", sim.session()["url"]).raw.decode()
    assert "<script" not in page and 'id="cancel" href="http://localhost/signup"' in page


def test_bank_debit_is_unpaid_until_it_settles(sim):
    session = sim.session()
    press(session["url"], card="bank")
    before = sim.get(f"/v1/checkout/sessions/{session['id']}", {"expand[]": "subscription"})
    assert (before["payment_status"], before["subscription"]["status"]) == ("unpaid", "incomplete")
    sim.control(f"checkout/{session['id']}/settle", {"ok": True})
    after = sim.get(f"/v1/checkout/sessions/{session['id']}", {"expand[]": "subscription"})
    assert (after["payment_status"], after["subscription"]["status"]) == ("paid", "active")
    sim.quiet()
    assert "checkout.session.async_payment_succeeded" in sim.hooks.types()


def test_bank_debit_from_an_account_that_has_to_be_proven_waits_for_the_amounts(sim):
    session = sim.session()
    press(session["url"], card="amounts")
    invoice = sim.get(f"/v1/checkout/sessions/{session['id']}", {"expand[]": "invoice.payments"})["invoice"]
    at = "/v1/payment_intents/" + invoice["payments"]["data"][0]["payment"]["payment_intent"]
    asked = sim.get(at)["next_action"]
    assert (invoice["status"], asked["type"]) == ("open", "verify_with_microdeposits")
    press(asked["verify_with_microdeposits"]["hosted_verification_url"])
    after = sim.get(at)
    assert (after["status"], after["next_action"]) == ("processing", None)
    assert send("GET", asked["verify_with_microdeposits"]["hosted_verification_url"]).status == 410
    sim.control(f"checkout/{session['id']}/settle", {"ok": True})
    assert sim.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"
    sim.quiet()
    assert {"payment_intent.requires_action", "payment_intent.processing"} <= set(sim.hooks.types())


def test_bank_debit_that_fails_expires_the_subscription(sim):
    session = sim.session()
    press(session["url"], card="bank")
    sim.control(f"checkout/{session['id']}/settle", {"ok": False})
    sim.advance(days=1)
    assert sim.get("/v1/subscriptions", {"status": "all"})["data"][0]["status"] == "incomplete_expired"
    sim.quiet()
    assert "checkout.session.async_payment_failed" in sim.hooks.types()


def test_session_expires_after_a_day(sim):
    session = sim.session()
    sim.advance(advance=DAY + 1)
    assert sim.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "expired"
    assert send("GET", session["url"]).status == 410
    sim.quiet()
    assert sim.hooks.types() == ["checkout.session.expired"]


def portal_of(sim, sub, **more):
    return sim.post("/v1/billing_portal/sessions", {"customer": sub["customer"], "return_url": "http://localhost/b",
                                                    **more})


def test_portal_shows_the_plan_and_the_way_back(sim):
    page = send("GET", portal_of(sim, sim.subscribe())["url"]).raw.decode()
    assert "Starter" in page and 'id="return" href="http://localhost/b"' in page


@pytest.mark.parametrize("mode, flag", [("flexible", False), ("classic", True)])
def test_portal_cancels_at_period_end_in_either_way(sim, mode, flag):
    sub = sim.subscribe(**{"subscription_data[billing_mode][type]": mode})
    end = sub["items"]["data"][0]["current_period_end"]
    press(portal_of(sim, sub)["url"], action="cancel_at_period_end", subscription=sub["id"])
    after = sim.get(f"/v1/subscriptions/{sub['id']}")
    assert (after["status"], after["cancel_at"], after["cancel_at_period_end"]) == ("active", end, flag)


def test_portal_renews_what_was_to_end(sim):
    sub = sim.subscribe()
    url = portal_of(sim, sub)["url"]
    press(url, action="cancel_at_period_end", subscription=sub["id"])
    press(url, action="renew", subscription=sub["id"])
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["cancel_at"] is None


def test_portal_cancels_now(sim):
    sub = sim.subscribe()
    press(portal_of(sim, sub)["url"], action="cancel_now", subscription=sub["id"])
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "canceled"
    sim.quiet()
    assert sim.hooks.objects("customer.subscription.deleted")[0]["id"] == sub["id"]


def test_portal_changes_the_plan_and_the_next_invoice_prorates(sim):
    sub = sim.subscribe()
    press(portal_of(sim, sub)["url"], action="change", subscription=sub["id"], price="price_growth")
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["items"]["data"][0]["price"]["id"] == "price_growth"
    sim.advance(days=32)
    invoice = sim.get(f"/v1/invoices/{sim.get('/v1/subscriptions/' + sub['id'])['latest_invoice']}")
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-1900, 4900, 4900]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 7900)


def test_portal_offers_what_the_configuration_allows(sim):
    sub = sim.subscribe()
    configuration = sim.post("/v1/billing_portal/configurations", {
        "features[subscription_cancel][enabled]": "true", "features[subscription_cancel][mode]": "immediately"})
    session = portal_of(sim, sub, configuration=configuration["id"])
    page = send("GET", session["url"]).raw.decode()
    assert 'id="cancel-now"' in page and 'id="cancel-at-period-end"' not in page and "change-plan" not in page
    assert press(session["url"], action="change", subscription=sub["id"], price="price_growth").status == 400


def test_portal_link_grows_old(sim):
    url = portal_of(sim, sim.subscribe())["url"]
    sim.advance(advance=3600)
    assert send("GET", url).status == 410


def test_renewal_moves_the_period_and_pays(sim):
    sub = sim.subscribe()
    end = sub["items"]["data"][0]["current_period_end"]
    sim.control("clock", {"to": end + 1})
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["items"]["data"][0]["current_period_start"] == end
    assert sim.get("/v1/invoices")["data"][0]["status"] == "draft"
    sim.advance(advance=3600)
    assert sim.get("/v1/invoices")["data"][0]["status"] == "paid"


def test_twelve_renewals_keep_the_day_of_the_month(sim):
    sub = sim.subscribe()
    sim.advance(days=365)
    invoices = sim.get("/v1/invoices", {"limit": "100"})
    assert len(invoices["data"]) == 13 and not invoices["has_more"]
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "active"


def test_failed_renewal_goes_past_due_and_a_new_card_saves_it(sim):
    sub = sim.subscribe()
    sim.control(f"customers/{sub['customer']}/card", {"card": "failing"})
    sim.advance(days=32)
    late = sim.get(f"/v1/subscriptions/{sub['id']}", {"expand[]": "latest_invoice"})
    assert late["status"] == "past_due" and late["latest_invoice"]["next_payment_attempt"]
    url = portal_of(sim, sub)["url"]
    press(url, action="card", card="good")
    press(url, action="pay", subscription=sub["id"])
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "active"


@pytest.mark.parametrize("end, status", [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")])
def test_dunning_ends_as_the_account_says(sim, end, status):
    sim.control("settings", {"dunning_end": end})
    sub = sim.subscribe()
    sim.control(f"customers/{sub['customer']}/card", {"card": "failing"})
    sim.advance(days=45)
    row = sim.get(f"/v1/subscriptions/{sub['id']}")
    assert row["status"] == status
    assert row["cancellation_details"]["reason"] == ("payment_failed" if end == "cancel" else None)
    assert len(sim.get("/v1/events", {"type": "invoice.payment_failed"})["data"]) == 4


def test_scheduled_cancellation_ends_instead_of_renewing(sim):
    sub = sim.subscribe()
    sim.call("POST", f"/v1/subscriptions/{sub['id']}", {"cancel_at_period_end": "true"})
    sim.advance(days=32)
    row = sim.get(f"/v1/subscriptions/{sub['id']}")
    assert row["status"] == "canceled" and row["ended_at"] == sub["items"]["data"][0]["current_period_end"]
    assert len(sim.get("/v1/invoices")["data"]) == 1


def test_trial_warns_then_becomes_active_and_pays(sim):
    sub = sim.subscribe(**{"subscription_data[trial_period_days]": "14"})
    assert sub["status"] == "trialing" and sub["trial_end"] - sub["trial_start"] == 14 * DAY
    sim.advance(days=12)
    assert len(sim.get("/v1/events", {"type": "customer.subscription.trial_will_end"})["data"]) == 1
    sim.advance(days=3)
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "active"
    assert sim.get("/v1/invoices")["data"][0]["amount_paid"] == 1900


@pytest.mark.parametrize("behaviour, status", [("pause", "paused"), ("cancel", "canceled")])
def test_trial_without_a_card_ends_as_asked(sim, behaviour, status):
    sub = sim.subscribe(card="none", payment_method_collection="if_required", **{
        "subscription_data[trial_period_days]": "7",
        "subscription_data[trial_settings][end_behavior][missing_payment_method]": behaviour})
    sim.advance(days=8)
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == status


def test_paused_subscription_resumes(sim):
    sub = sim.subscribe(card="none", payment_method_collection="if_required", **{
        "subscription_data[trial_period_days]": "7",
        "subscription_data[trial_settings][end_behavior][missing_payment_method]": "pause"})
    sim.advance(days=8)
    sim.control(f"customers/{sub['customer']}/card", {"card": "good"})
    assert sim.post(f"/v1/subscriptions/{sub['id']}/resume")["status"] == "active"


def test_deleting_a_customer_ends_the_subscriptions(sim):
    sub = sim.subscribe()
    assert sim.call("DELETE", f"/v1/customers/{sub['customer']}").json["deleted"] is True
    assert sim.get(f"/v1/customers/{sub['customer']}") == {"id": sub["customer"], "object": "customer", "deleted": True}
    assert sim.get(f"/v1/subscriptions/{sub['id']}")["status"] == "canceled"


def test_an_invoice_names_the_period_before_and_its_lines_the_one_that_is_paid(sim):
    sub = sim.subscribe()
    first = sim.get(f"/v1/invoices/{sub['latest_invoice']}")
    start, end = (sub["items"]["data"][0][f"current_period_{name}"] for name in ("start", "end"))
    assert (first["period_start"], first["period_end"]) == (start, start)
    assert first["lines"]["data"][0]["period"] == {"start": start, "end": end}
    sim.advance(to=end + 10)
    second = sim.get("/v1/invoices")["data"][0]
    assert (second["period_start"], second["period_end"]) == (start, end)
    assert second["lines"]["data"][0]["period"]["start"] == end


@pytest.mark.parametrize("version, extra", [("2026-10-28.endive", True), ("2026-07-29.dahlia", False)])
def test_the_newest_version_is_known(sim, version, extra):
    sub = sim.subscribe()
    item = sim.call("GET", f"/v1/subscriptions/{sub['id']}", Stripe_Version=version).json["items"]["data"][0]
    session = sim.call("GET", "/v1/checkout/sessions", Stripe_Version=version).json["data"][0]
    assert ("current_trial" in item, "allowed_payment_method_types" in session) == (extra, extra)


def test_events_come_in_the_newest_version(sim):
    sim.control("settings", {"api_version": "newest"})
    sim.subscribe()
    sim.quiet()
    assert {entry.event["api_version"] for entry in sim.hooks.caught} == {"2026-10-28.endive"}
    assert "invoice_payment.paid" in sim.hooks.types()
