"""What is sold by a meter beside a plan: said before it is bought, used by key, counted by Stripe, invoiced, shown."""
import json
import secrets
import subprocess
from contextlib import contextmanager

import journey
import pytest
from journey import wait_until
from test_billing import at_stripe
from test_keys import made
from test_people import ask
from test_usage import Program

pytestmark = pytest.mark.only("nginx")      # what Stripe counts and the database makes of it


@pytest.fixture
def meter(db, stack, sim):
    """The name of a meter by which starter sells: 1,000 units included, then a quarter of a cent each."""
    name = f"tokens_{secrets.token_hex(4)}"
    ident = at_stripe(stack, "billing/meters", {"display_name": "Tokens", "event_name": name,
                                                "default_aggregation[formula]": "sum"})["id"]
    price = at_stripe(stack, "prices", {
        "product": sim.object("price", "price_starter")["product"], "currency": "usd", "recurring[interval]": "month",
        "recurring[usage_type]": "metered", "recurring[meter]": ident, "billing_scheme": "tiered",
        "tiers_mode": "graduated", "tiers[0][up_to]": 1000, "tiers[0][unit_amount]": 0, "tiers[1][up_to]": "inf",
        "tiers[1][unit_amount_decimal]": "0.25"})["id"]
    settings = {"meters": [name], "rates": [], "caps": [], "costs": [], "quotas": [
        {"plan": "starter", "meter": name, "included": 1000, "sold": True, "price": price}]}
    db.execute("select ops.put_usage(%s)", json.dumps(settings))
    wait_until(lambda: db.value("select unit_amount from billing.prices where id = %s", price), 120)
    yield name
    db.execute("select ops.put_usage(%s)", json.dumps({**settings, "meters": [], "quotas": []}))


@contextmanager
def kept_back(db, sim, tenant, meter):
    """What is used meanwhile is told to Stripe at the end, by a clock like Stripe's, which other tests have moved."""
    blocker = db.value("insert into usage.outbox (id, tenant_id, meter, units, at, next_at) "
                       "values (gen_random_uuid(), %s, %s, 1, '2020-01-01', 'infinity') returning id", tenant, meter)
    yield
    db.execute("update usage.outbox set at = to_timestamp(%s) where tenant_id = %s and id <> %s",
               sim.get("clock")["now"], tenant, blocker)
    db.execute("delete from usage.outbox where id = %s", blocker)
    wait_until(lambda: db.value("select bool_and(state = 'sent') from usage.outbox where tenant_id = %s", tenant))


def use(db, sim, program, tenant, meter, *units):
    with kept_back(db, sim, tenant, meter):
        for n in units:
            assert program("/record", {"meter": meter, "units": n}).status == 200


def test_c76_what_is_used_beyond_is_billed_to_the_unit(meter, new_browser, sim, db, mail, fresh):
    browser, email = new_browser(), fresh()
    assert f" {meter}: 1,000 included, then $2.50 per 1,000" in browser.get("/en/signup").html.text
    assert "1.000 enthalten, danach 2,50 $ je 1.000" in browser.get("/de/signup").html.text
    session = journey.become_customer(browser, sim, db, email)
    bought = next(r for r in sim.requests("POST", "/v1/checkout/sessions")
                  if (r["params"] or {}).get("customer_email") == email)["params"]["line_items"]
    assert [sorted(line) for _, line in sorted(bought.items())] == [["price", "quantity"], ["price"]]
    journey.sign_in(browser, mail, email)
    tenant = str(db.tenant_of(email))
    subscription = sim.object("checkout.session", session)["subscription"]
    for at, text in (("en", "$19.00 plus usage"), ("de", "19,00 $ zuzüglich Verbrauch")):
        assert text in browser.get(f"/{at}/settings/billing").html.one("main").all(id="renews-on")[0].text
    use(db, sim, Program(new_browser(), made(browser, "Program")[1]), tenant, meter, 900, 606)
    customer = sim.object("subscription", subscription)["customer"]
    journey.renewal_passes(sim, db, subscription)
    invoice = [row for row in sim.get("state/invoice")
               if row["parent"]["subscription_details"]["subscription"] == subscription][-1]
    lines = [(line["quantity"], line["amount"]) for line in invoice["lines"]["data"]]
    assert (lines, invoice["amount_due"], invoice["status"]) == ([(1000, 0), (506, 127), (1, 1900)], 2027, "paid")
    told = sum(int(event["payload"]["value"]) for event in sim.get("state/billing.meter_event")
               if event["payload"]["stripe_customer_id"] == customer)
    assert told == 1506 == db.value("select sum(spent) from usage.holds where tenant_id = %s", tenant)
    shown = wait_until(lambda: [text for text in [browser.get("/en/settings/billing").html.one(id="invoices").text]
                                if "1,506" in text])[0]
    assert f"{meter}: 1,506 for $1.27" in shown and "$20.27" in shown
    assert db.value("select usage.faults()") == []


def by_api(browser, _email, _stack):
    assert ask(browser, "DELETE", "/api/user").status == 202


def by_operator(_browser, email, stack):
    subprocess.run([stack["prefix"] + "/bin/tollgate", "user", "delete", email, "--config", stack["config"]],
                   check=True, capture_output=True)


def invoices_of(sim, subscription):
    return [row for row in sim.get("state/invoice")
            if row["parent"]["subscription_details"]["subscription"] == subscription]


@pytest.mark.parametrize("close", [by_api, by_operator])
def test_f211_c76_a_tenant_that_closes_is_billed_what_it_has_used_and_nothing_later(close, meter, customer, new_browser,
                                                                                    sim, db, stack):
    """Stripe is told of it first, of work that was under way too; then the subscription is ended with an invoice."""
    browser, email = customer
    tenant = str(db.tenant_of(email))
    subscription = db.value("select id from billing.subscriptions where tenant_id = %s", tenant)
    program, end = Program(new_browser(), made(browser, "Program")[1]), ("cancellation", subscription)
    with kept_back(db, sim, tenant, meter):
        assert program("/record", {"meter": meter, "units": 900}).status == 200
        held = program("/reserve", {"meter": meter, "units": 700}).json["id"]
        close(browser, email, stack)
        wait_until(lambda: db.value("select next_at > now() from sync.objects where (kind, id) = (%s, %s)", *end))
        assert program("/reserve", {"meter": meter, "units": 1}).status == 403, "nothing new begins"
        assert program("/settle", {"id": held, "units": 606}).status == 200
    assert sim.object("subscription", subscription)["status"] == "active"
    journey.time_passes(sim, db, 360)       # in which Stripe counts
    db.execute("update usage.outbox set sent_at = sent_at - interval '6 min' where tenant_id = %s", tenant)
    db.execute("update sync.objects set next_at = now() where (kind, id) = (%s, %s)", *end)
    wait_until(lambda: sim.object("subscription", subscription)["status"] == "canceled")
    calls = [(call["method"], call["params"] or {}) for call in sim.requests()
             if call["path"] == "/v1/subscriptions/" + subscription and call["method"] == "DELETE"
             or call["path"] == "/v1/billing/meter_events" and (call["params"] or {}).get("event_name") == meter]
    *told, ended = calls
    assert sorted(int(params["payload"]["value"]) for _, params in told) == [606, 900]
    assert ended == ("DELETE", {"invoice_now": "true"})
    bought, last = invoices_of(sim, subscription)
    lines = [(line["quantity"], line["amount"]) for line in last["lines"]["data"]]
    assert (bought["amount_due"], lines, last["amount_due"]) == (1900, [(1000, 0), (506, 127)], 127)
    journey.renewal_passes(sim, db, subscription)
    assert len(invoices_of(sim, subscription)) == 2 and invoices_of(sim, subscription)[1]["status"] == "paid"
    assert db.value("select count(*) from ops.alerts where kind = 'usage_unbilled' and tenant_id = %s", tenant) == 0
    assert db.value("select usage.faults()") == []
