"""States of a subscription in which somebody has to act or to wait: who, how, and until when."""
import pytest
from journey import days_pass, session_in, sign_in, sign_up, time_passes, wait_until
from test_billing import at_stripe, subscription  # noqa: F401 (a fixture)
from test_subscribing import ended, page_when, subscribe  # noqa: F401 (fixtures)
from test_tenants import customer_of, member, portal_of, two  # noqa: F401 (fixtures)

pytestmark = pytest.mark.only("nginx")      # what Stripe says and the database makes of it


def heading(page):
    return page.html.one("h1").text


@pytest.fixture
def debit(browser, sim, fresh):
    """(address, session) of a sign-up that was paid by bank debit, which is under way."""
    email = fresh()
    session = session_in(sign_up(browser, email))
    assert sim.pay(session, "bank")["paid"]
    wait_until(lambda: heading(browser.get(f"/welcome?session_id={session}")) == "Waiting for your bank")
    return email, session


def test_c110_a_bank_debit_under_way_says_for_how_long_and_offers_nothing(browser, sim, debit):
    main = browser.get(f"/welcome?session_id={debit[1]}").html.one("main")
    assert "up to 5 working days" in main.text and "do not need to pay again" in main.text
    assert main.one(id="since").one("time").get("datetime")
    assert main.all("a") == [] and main.all("form") == []


def test_c110_while_the_bank_has_it_the_same_browser_buys_no_second_plan(browser, sim, debit):
    email, session = debit
    calls = sim.changes()
    for plan in ("starter", "growth"):
        answer = sign_up(browser, email.upper(), plan)
        assert answer.status == 303 and answer.location.endswith(f"/welcome?session_id={session}"), answer
    assert sim.changes() == calls
    assert "/c/pay/" in sign_up(browser, "x" + email).location


def test_c110_another_browser_learns_nothing_of_it(other, sim, debit):
    assert "/c/pay/" in sign_up(other, debit[0], "growth").location


@pytest.mark.parametrize("ok, said", [(True, "You are all set"), (False, "The payment failed")])
def test_c110_the_banks_word_ends_the_wait(browser, sim, debit, ok, said):
    sim.post(f"checkout/{debit[1]}/settle", ok=ok)
    wait_until(lambda: heading(browser.get(f"/welcome?session_id={debit[1]}")) == said)


def todo(browser, wanted):
    """What the billing page asks of its reader, once it begins with these words."""
    page = page_when(browser, lambda html: any(found.text.startswith(wanted) for found in html.all(id="todo")))
    return page.html.one(id="todo")


def test_c110_a_tenant_that_comes_back_by_bank_debit_waits_too(ended, sim):  # noqa: F811
    session = session_in(subscribe(ended))
    assert sim.pay(session, "bank")["paid"]
    found = todo(ended, "Waiting for your bank")
    assert found.one("time") and found.all("a") == [] and found.all("form") == []
    main = ended.get("/settings/billing").html.one("main")
    assert main.all("input", name="plan") == [] and main.all(id="pay") == []
    assert "/p/session/" in ended.post("/settings/billing/checkout", {
        "plan": "growth", "csrf": main.all("input", name="csrf")[0].get("value")}, came_from=ended.base).location
    sim.post(f"checkout/{session}/settle", ok=True)
    page_when(ended, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])


def test_c110_a_bank_account_that_has_to_be_proven_is_asked_for_the_amounts(browser, other, sim, db, fresh):
    """Bought from an account that Stripe does not know: it is told what to do, where, and what follows."""
    email = fresh()
    session = session_in(sign_up(browser, email))
    assert sim.pay(session, "amounts")["paid"]
    url = f"/welcome?session_id={session}"
    wait_until(lambda: heading(browser.get(url)) == "Confirm your bank account")
    main = browser.get(url).html.one("main")
    page = main.one("a").get("href")
    assert "very small amounts" in main.text and "Enter the amounts" in main.text and "/microdeposit/test_pi_" in page
    theirs = other.get(url).html.one("main")
    assert theirs.one("h1").text == "Confirm your bank account" and theirs.all("a") == []
    browser.submit(browser.get(page))
    wait_until(lambda: heading(browser.get(url)) == "Waiting for your bank")
    assert db.status_of(email) == "draft"
    sim.post(f"checkout/{session}/settle", ok=True)
    wait_until(lambda: heading(browser.get(url)) == "You are all set")


def test_c110_a_tenant_that_comes_back_proves_its_bank_account_too(ended, sim):  # noqa: F811
    session = session_in(subscribe(ended))
    assert sim.pay(session, "amounts")["paid"]
    found = todo(ended, "Confirm your bank account")
    main = ended.get("/settings/billing").html.one("main")
    assert main.one(id="status").text == "Bank account to be confirmed"
    assert main.one(id="manage").get("class") == "second" and "primary" in found.one("a").get("class")
    ended.submit(ended.get(found.one("a").get("href")))
    assert todo(ended, "Waiting for your bank").all("a") == []
    sim.post(f"checkout/{session}/settle", ok=True)
    page_when(ended, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])


def test_c110_a_renewal_by_bank_debit_waits_for_the_bank(customer, sim, db, mail, subscription):  # noqa: F811
    browser, email = customer
    sim.post(f"subscriptions/{subscription}/debit_next")
    days_pass(sim, db, 32)
    found = todo(browser, "Waiting for your bank")
    assert found.one("time") and found.all("a") == [] and found.all("form") == []
    main = browser.get("/settings/billing").html.one("main")
    assert (main.one(id="status").text, main.one(id="entitlement").text) == (
        "Waiting for your bank",
        "Your payment is on its way from your bank. Everything your plan includes is available meanwhile.")
    assert main.all(id="pay") == [] and "Waiting for your bank" in main.one(id="invoices").text
    invoice = db.value("select id from billing.invoices where status = 'open' and subscription_id = %s", subscription)
    sim.post(f"invoices/{invoice}/settle", ok=False)
    page_when(browser, lambda html: html.one(id="status").text == "Payment overdue" and html.all(id="todo") == [])
    wait_until(lambda: [m for m in mail.to(email) if "failed" in m["subject"]])

    sim.post(f"subscriptions/{subscription}/debit_next")
    sim.post(f"subscriptions/{subscription}/pay_open")
    page_when(browser, lambda html: html.one(id="status").text == "Waiting for your bank")
    sim.post(f"invoices/{invoice}/settle", ok=True)
    page_when(browser, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])
    assert len([m for m in mail.to(email) if "failed" in m["subject"]]) == 1


def test_c41_a_payment_to_be_confirmed_is_told_with_its_link(customer, sim, db, mail, subscription):  # noqa: F811
    browser, email = customer
    sim.post(f"subscriptions/{subscription}/confirm_next")
    days_pass(sim, db, 32)
    main = page_when(browser, lambda html: html.one(id="status").text == "Payment overdue").html.one("main")
    assert main.one(id="entitlement").text == (
        "Your bank wants you to confirm the last payment. Your plan stays available for a few days.")
    url = main.one(id="pay").get("href")
    told = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Please confirm your payment"])[0]
    assert url in told["text"] and "$19.00" in told["text"]
    assert "failed" not in main.text and not [m for m in mail.to(email) if "failed" in m["subject"]]
    invoice = db.value("select id from billing.invoices where hosted_url = %s", url)
    sim.post(f"invoices/{invoice}/settle", ok=True)
    page_when(browser, lambda html: html.one(id="status").text == "Active" and html.all(id="pay") == [])


def test_c111_a_sent_invoice_is_told_when_it_is_due_and_when_it_is_overdue(customer, stack, sim, db, mail,
                                                                           subscription):  # noqa: F811
    browser, email = customer
    at_stripe(stack, f"subscriptions/{subscription}", {"collection_method": "send_invoice", "days_until_due": 14})
    wait_until(lambda: db.value("select collection_method from billing.subscriptions where id = %s", subscription)
               == "send_invoice")
    days_pass(sim, db, 32)
    found = todo(browser, "An invoice is to be paid: $19.00")
    url = found.one("a").get("href")
    assert "/i/test_in_" in url and found.one("a").text == "Pay the invoice"
    invoice, due = db.row("select id, due_at from billing.invoices where hosted_url = %s", url)
    assert found.one("time").get("datetime") == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Your invoice"])[0]
    assert url in told["text"] and "$19.00" in told["text"] and f"{due:%B %Y}" in told["text"]

    days_pass(sim, db, 15)
    assert todo(browser, "An invoice is overdue: $19.00").one("a").get("href") == url
    main = browser.get("/settings/billing").html.one("main")
    assert main.one(id="entitlement").text == "An invoice is overdue. Your plan stays available for a few days."
    assert "failed" not in main.text
    told = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Your invoice is overdue"])[0]
    assert url in told["text"] and "Your plan stays available until" in told["text"]
    assert not [m for m in mail.to(email) if "failed" in m["subject"]]

    sim.post(f"invoices/{invoice}/pay")
    page_when(browser, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])


@pytest.fixture
def trial(browser, stack, sim, db, mail, fresh):
    """A function that starts a trial of ten days without a card: (browser, address, subscription). rule: what Stripe
    does at its end."""
    def start(rule):
        email = fresh()
        assert sign_up(browser, email).status == 303
        tenant = str(db.tenant_of(email))
        session = at_stripe(stack, "checkout/sessions", {
            "mode": "subscription", "line_items[0][price]": "price_starter", "line_items[0][quantity]": 1,
            "customer_email": email, "metadata[tenant_id]": tenant, "success_url": stack["url"],
            "payment_method_collection": "if_required", "subscription_data[trial_period_days]": 10,
            "subscription_data[metadata][tenant_id]": tenant,
            "subscription_data[trial_settings][end_behavior][missing_payment_method]": rule})
        assert sim.pay(session["id"], "none")["paid"]
        wait_until(lambda: db.value("select has_card from billing.customers where tenant_id = %s", tenant) is False)
        sign_in(browser, mail, email)
        return browser, email, sim.object("checkout.session", session["id"])["subscription"]
    return start


def new_card(sim, subscription, card="good"):
    sim.post(f"customers/{sim.object('subscription', subscription)['customer']}/card", card=card)


def press(browser, at):
    """The answer to the one button of what the page asks."""
    return browser.submit(browser.get("/settings/billing"), action=f"/settings/billing/{at}")


@pytest.mark.parametrize("rule, said, mailed", [
    ("cancel", "Without one your subscription ends then", "Without one your subscription ends"),
    ("pause", "Without one your plan is paused then", "Without one your plan is paused"),
    ("create_invoice", "Without one its invoice stays open", "Without one its invoice stays open")])
def test_c112_a_trial_without_a_card_asks_for_one(trial, sim, db, mail, rule, said, mailed):
    browser, email, subscription = trial(rule)  # noqa: F811
    assert said in todo(browser, "Your trial ends without a card on").text
    assert ("first payment" in browser.get("/settings/billing").html.one("main").text) == (rule == "create_invoice")
    days_pass(sim, db, 8)
    told = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Your trial ends soon: please add a card"])
    assert mailed in told[0]["text"] and "first payment is due" not in told[0]["text"]

    answer = press(browser, "card")
    assert "/p/session/" in answer.location
    asked = sim.requests("POST", "/v1/billing_portal/sessions")[-1]["params"]
    assert asked["customer"] == sim.object("subscription", subscription)["customer"]
    assert asked["flow_data"]["type"] == "payment_method_update"
    assert asked["flow_data"]["after_completion"]["redirect"]["return_url"].endswith("/settings/billing?from=portal")
    new_card(sim, subscription)
    page_when(browser, lambda html: html.all(id="todo") == [] and "first payment of" in html.one("main").text)


@pytest.fixture
def paused(trial, sim, db):
    """(browser, address, subscription) after a trial that ended without a card."""
    browser, email, subscription = trial("pause")  # noqa: F811
    days_pass(sim, db, 11)
    page_when(browser, lambda html: html.one(id="status").text == "Paused")
    return browser, email, subscription


def test_c113_what_was_paused_without_a_card_is_resumed_by_one_button(paused, sim, mail):
    browser, email, subscription = paused  # noqa: F811
    assert todo(browser, "Your plan is paused").one("button").text == "Add a card"
    assert wait_until(lambda: [m for m in mail.to(email) if m["subject"] == "Your plan is paused"])
    assert "/p/session/" in press(browser, "card").location
    new_card(sim, subscription)
    page_when(browser, lambda html: [b.text for b in html.one(id="todo").all("button")] == ["Resume the plan"])
    page = browser.get("/settings/billing")
    for _ in range(2):
        answer = browser.submit(page, action="/settings/billing/resume")
        assert answer.status == 303 and answer.location.endswith("/settings/billing"), answer
    page_when(browser, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])
    calls = sim.requests("POST", f"/v1/subscriptions/{subscription}/resume")
    assert len({call["headers"]["idempotency-key"] for call in calls}) == 1
    assert len([i for i in sim.get("state/invoice") if i["amount_due"] and
                i["parent"]["subscription_details"]["subscription"] == subscription]) == 1


def test_c113_a_payment_that_fails_leaves_an_invoice_to_pay(paused, sim):
    browser, _, subscription = paused  # noqa: F811
    new_card(sim, subscription, "failing")
    page_when(browser, lambda html: [b.text for b in html.one(id="todo").all("button")] == ["Resume the plan"])
    assert press(browser, "resume").status == 303
    link = todo(browser, "Your plan is resumed once this invoice is paid").one("a").get("href")
    html = browser.get("/settings/billing").html
    assert html.all("section", role="alert") == [] and html.one(id="manage").get("class") == "second"
    assert "/i/test_in_" in link
    new_card(sim, subscription)
    sim.post(f"subscriptions/{subscription}/pay_open")
    page_when(browser, lambda html: html.one(id="status").text == "Active" and html.all(id="todo") == [])


def test_c113_stripes_refusal_leaves_the_page(paused, sim, calm):
    browser, _, subscription = paused  # noqa: F811
    new_card(sim, subscription)
    page_when(browser, lambda html: [b.text for b in html.one(id="todo").all("button")] == ["Resume the plan"])
    sim.fault(path="/v1/subscriptions/*/resume", status=500, times=9)
    answer = press(browser, "resume")
    assert answer.status == 503 and "could not be resumed" in answer.html.one("main").text


def cancel(sim, db, subscription):
    sim.post(f"subscriptions/{subscription}/cancel")
    wait_until(lambda: db.value("select status from billing.subscriptions where id = %s", subscription) == "canceled")


def subscription_of(db, tenant):
    return db.value("select id from billing.subscriptions where tenant_id = %s", tenant)


def others(browser, at=""):
    """The other plans that the billing page names: [(its words, its form)]."""
    page = browser.get("/settings/billing" + at)
    return [(line.text, line.one("form")) for block in page.html.all(id="others") for line in block.all("li")], page


def test_c114_each_plan_of_a_person_is_named_and_its_portal_reached(two, sim, db):  # noqa: F811
    browser, first, second = two
    for shown, other, plan in ((first, second, "Growth"), (second, first, "Starter")):
        (found,), _ = others(browser, f"?tenant={shown}")
        words, form = found
        assert plan in words and "Active" in words and "renews on" in words and "$" in words
        answer = browser.post(form.get("action"), {field.get("name"): field.get("value")
                                                   for field in form.all("input")}, came_from=browser.base)
        assert portal_of(sim, answer) == customer_of(db, other)


def form_at(tenant):
    return f"/settings/billing/checkout?tenant={tenant}"


def test_c114_after_the_newest_has_ended_no_third_is_sold_unsaid(two, sim, db):  # noqa: F811
    browser, first, second = two
    cancel(sim, db, subscription_of(db, first))
    stale = browser.get(f"/settings/billing?tenant={first}")
    cancel(sim, db, subscription_of(db, second))
    unsaid = browser.get(f"/settings/billing?tenant={second}")
    assert others(browser)[0] == [] and unsaid.html.all(id="another") == []
    session = session_in(browser.submit(stale, {"plan": "growth"}, action=form_at(first)))
    assert sim.pay(session)["paid"]
    wait_until(lambda: others(browser, f"?tenant={second}")[0])

    calls = sim.changes()
    answer = browser.submit(unsaid, {"plan": "starter"}, action=form_at(second))
    assert answer.status == 422 and "You pay for a plan of another account already" in answer.html.one("main").text
    assert answer.html.one(id="others") and answer.html.one(id="another") and sim.changes() == calls
    said = browser.submit(answer, {"plan": "starter"}, action=form_at(second))
    assert "/c/pay/" in said.location


def test_c114_a_first_payment_that_was_not_made_is_not_paid_for(two, sim, db):  # noqa: F811
    browser, first, second = two
    cancel(sim, db, subscription_of(db, first))
    time_passes(sim, db, 1)
    db.execute("update billing.subscriptions set status = 'incomplete' where tenant_id = %s", second)
    found, page = others(browser, f"?tenant={first}")
    assert found == [] and page.html.all(id="another") == []
    session_in(browser.submit(page, {"plan": "growth"}, action=form_at(first)))
    db.execute("update billing.checkouts set status = 'unpaid', unpaid_since = now() where tenant_id = %s", second)
    assert len(others(browser, f"?tenant={first}")[0]) == 1, "a bank has it under way"


def test_c114_a_member_of_what_others_pay_for_is_told_nothing_of_it(two, db, sim):  # noqa: F811
    browser, first, second = two
    db.execute("update app.members set role = 'member' where tenant_id = %s", first)
    assert others(browser, f"?tenant={second}")[0] == []


def test_c114_who_pays_is_told_by_mail_before_another_checkout(customer, new_browser, sim, db, mail, stack, fresh):
    _, email = customer
    stranger, unknown = new_browser(language="de"), fresh("unknown")
    for address in (email.upper(), unknown):
        answer = sign_up(stranger, address, "growth")
        assert answer.status == 303 and "/c/pay/" in answer.location
    told, = wait_until(lambda: [m for m in mail.to(email) if "already have a plan" in m["subject"]])
    assert f"{stack['url']}/en/signin?next=/settings/billing" in told["text"] and "?t=" not in told["text"]
    wait_until(lambda: db.value("select state from mail.outbox where recipient = %s", unknown) == "void")
    assert mail.to(unknown) == []


def test_c114_the_operator_sees_an_address_that_pays_twice(two, db, sim):  # noqa: F811
    browser, first, second = two
    email = db.value("select email_canonical from billing.checkouts where tenant_id = %s", first)

    def alerts():
        return [row for row in db.value("select ops.list_alerts()") if row["subject"] == email]
    alert, = wait_until(alerts)
    assert alert["kind"] == "paying_twice" and sorted(alert["detail"]["tenants"]) == sorted([first, second])
    kinds = {k["kind"]: k["open"] for k in db.value("select ops.status()")["alerts"]["kinds"]}
    assert kinds["paying_twice"] >= 1
    cancel(sim, db, subscription_of(db, second))
    wait_until(lambda: not alerts())
